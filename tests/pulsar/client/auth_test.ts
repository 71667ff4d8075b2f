import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import {
  type Authentication,
  basicAuthentication,
  tlsAuthentication,
  tokenAuthentication,
  tokenFileAuthentication,
} from "../../../lib/pulsar/client/auth.ts";
import { oauth2Authentication } from "../../../lib/pulsar/client/auth_oauth2.ts";
import { recordedCommands } from "../recorded.ts";
import { connectFake, rejectsWith, settle } from "./setup.ts";

async function dataOf(authentication: Authentication): Promise<string | undefined> {
  return (await authentication.authData())?.reveal();
}

Deno.test("tokenAuthentication() takes a token, or asks for one each time", async () => {
  assert.equal(await dataOf(tokenAuthentication(" abc\n")), "abc");
  let count = 0;
  const asking = tokenAuthentication(() => Promise.resolve(`token-${++count}`));
  assert.deepEqual([await dataOf(asking), await dataOf(asking)], ["token-1", "token-2"]);
  const failing = tokenAuthentication(() => {
    throw new Error("vault is sealed");
  });
  const error = await rejectsWith(failing.authData(), "authentication_error");
  assert.match(error.message, /vault is sealed/);
});

Deno.test("tokenFileAuthentication() reads the file each time, and names the one it cannot read", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "one\n");
  const authentication = tokenFileAuthentication(path);
  assert.equal(await dataOf(authentication), "one");
  await Deno.writeTextFile(path, "two");
  assert.equal(await dataOf(authentication), "two");
  await Deno.remove(path);
  const error = await rejectsWith(authentication.authData(), "authentication_error");
  assert.ok(error.message.includes(path));
});

Deno.test("basicAuthentication() sends user and password", async () => {
  const authentication = basicAuthentication({ user: "ann", password: "p:w" });
  assert.equal(authentication.methodName, "basic");
  assert.equal(await dataOf(authentication), "ann:p:w");
  assert.throws(() => basicAuthentication({ user: "a:b", password: "c" }), TypeError);
});

Deno.test("tlsAuthentication() has a certificate and no auth data", async () => {
  const authentication = tlsAuthentication({ certificate: "C", privateKey: "K" });
  assert.equal(authentication.methodName, "tls");
  assert.equal(await dataOf(authentication), undefined);
  const { certificate, privateKey } = await authentication.tlsIdentity!();
  assert.deepEqual([certificate, privateKey.reveal()], ["C", "K"]);
  const missing = tlsAuthentication({
    certificateFile: "/nowhere/c",
    privateKeyFile: "/nowhere/k",
  });
  await rejectsWith(missing.tlsIdentity!(), "authentication_error");
});

/** An OAuth 2.0 server. */
function tokenServer(answer: (form: URLSearchParams) => Response) {
  const forms: URLSearchParams[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname.endsWith("/.well-known/openid-configuration")) {
      return Response.json({ token_endpoint: `${origin}/token` });
    }
    const form = new URLSearchParams(await request.text());
    forms.push(form);
    return answer(form);
  });
  return {
    forms,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("oauth2Authentication() finds the endpoint, keeps the token, and renews it before its end", async () => {
  let count = 0;
  await using server = tokenServer(() =>
    Response.json({ access_token: `t${++count}`, expires_in: 100 })
  );
  const clock = new FakeClock();
  const authentication = oauth2Authentication({
    issuerUrl: `${server.url}/realm/`,
    clientId: "id",
    clientSecret: "secret",
    audience: "urn:pulsar",
    scope: "produce",
    clock,
  });
  assert.equal(authentication.methodName, "token");
  const together = await Promise.all([dataOf(authentication), dataOf(authentication)]);
  assert.deepEqual(together, ["t1", "t1"]);
  assert.deepEqual(Object.fromEntries(server.forms[0]!), {
    grant_type: "client_credentials",
    client_id: "id",
    client_secret: "secret",
    audience: "urn:pulsar",
    scope: "produce",
  });
  await clock.advance(89_000);
  assert.equal(await dataOf(authentication), "t1");
  await clock.advance(2_000);
  assert.equal(await dataOf(authentication), "t2");
});

Deno.test("oauth2Authentication() goes on with a token that holds while the server is away", async () => {
  let isAway = false;
  await using server = tokenServer(() =>
    isAway ? new Response("down", { status: 503 }) : Response.json({
      access_token: "t",
      expires_in: 100,
    })
  );
  const clock = new FakeClock();
  const authentication = oauth2Authentication({
    tokenUrl: `${server.url}/token`,
    clientId: "id",
    clientSecret: "secret",
    clock,
  });
  await dataOf(authentication);
  isAway = true;
  await clock.advance(95_000);
  assert.equal(await dataOf(authentication), "t");
  await clock.advance(10_000);
  const error = await rejectsWith(authentication.authData(), "authentication_error");
  assert.match(error.message, /HTTP 503/);
  assert.equal(error.retryable, true);
});

Deno.test("oauth2Authentication() takes id, secret and issuer from a key file", async () => {
  await using server = tokenServer(() => Response.json({ access_token: "t" }));
  const path = await Deno.makeTempFile();
  const key = { type: "client_credentials", client_id: "i", client_secret: "s" };
  await Deno.writeTextFile(path, JSON.stringify({ ...key, issuer_url: server.url }));
  assert.equal(await dataOf(oauth2Authentication({ keyFile: `file://${path}` })), "t");
  assert.equal(server.forms[0]!.get("client_id"), "i");
  await Deno.writeTextFile(path, "{}");
  await rejectsWith(oauth2Authentication({ keyFile: path }).authData(), "authentication_error");
  await Deno.remove(path);
});

Deno.test("oauth2Authentication() tells what the server says", async () => {
  await using server = tokenServer(() =>
    Response.json({ error: "invalid_client", error_description: "no such client" }, { status: 401 })
  );
  const options = { tokenUrl: `${server.url}/token`, clientId: "id", clientSecret: "s3cret" };
  const error = await rejectsWith(
    oauth2Authentication(options).authData(),
    "authentication_error",
  );
  assert.match(error.message, /HTTP 401 no such client/);
  assert.equal(error.retryable, false);
  assert.ok(!`${error.message} ${error.cure}`.includes("s3cret"));
  assert.throws(() => oauth2Authentication({ issuerUrl: "http://x" }), TypeError);
  assert.throws(() => oauth2Authentication({ clientId: "a", clientSecret: "b" }), TypeError);
});

Deno.test("a client answers the broker's challenge with fresh auth data", async () => {
  let count = 0;
  const { broker, clock, client } = await connectFake({
    authentication: tokenAuthentication(() => `token-${++count}`),
  });
  await using _ = client;
  const [challenge] = recordedCommands("java_token_refresh", "AUTH_CHALLENGE");
  broker.connections[0]!.send("AUTH_CHALLENGE", challenge!);
  await settle(clock);
  const [answer] = broker.bodies("AUTH_RESPONSE");
  const [javas] = recordedCommands("java_token_refresh", "AUTH_RESPONSE");
  assert.deepEqual(Object.keys(answer!), Object.keys(javas!));
  assert.equal(answer!.response!.authMethodName, "token");
  assert.equal(new TextDecoder().decode(answer!.response!.authData), "token-2");
});
