import assert from "node:assert/strict";
import { exportSPKI, generateKeyPair } from "jose";
import { Secret, utf8 } from "../../../lib/base/mod.ts";
import { Authenticator } from "../../../lib/pulsar/broker/authentication.ts";
import { SECRET, tokenOf } from "./_tokens.ts";

const NOW_MS = 1_700_000_000_000;
const NOW_SEC = NOW_MS / 1000;

const authenticatorOf = async (options: Parameters<typeof Authenticator.of>[0]) =>
  (await Authenticator.of(options, () => NOW_MS))!;

async function assertRefused(
  authenticator: Authenticator,
  token: string,
  method = "token",
): Promise<void> {
  await assert.rejects(
    () => authenticator.authenticate(method, utf8(token)),
    { code: "authentication" },
    token,
  );
}

Deno.test("Authenticator.of() is undefined where nothing is asked of clients", async () => {
  assert.equal(await Authenticator.of({}, () => NOW_MS), undefined);
});

Deno.test("authenticate() reads the role and the end of a token signed with a secret", async () => {
  const authenticator = await authenticatorOf({ tokenSecretKey: SECRET });
  for (const algorithm of ["HS256", "HS384", "HS512"]) {
    const token = await tokenOf("me", { algorithm, expiresAtSec: NOW_SEC + 60 });
    assert.deepEqual(await authenticator.authenticate("token", utf8(token)), {
      role: "me",
      method: "token",
      expiresAtMs: NOW_MS + 60_000,
    });
  }
  const forever = await authenticator.authenticate("token", utf8(await tokenOf("me")));
  assert.equal(forever.expiresAtMs, Infinity);
});

Deno.test("authenticate() refuses forged, ended, unsigned and nameless tokens, and none at all", async () => {
  const authenticator = await authenticatorOf({ tokenSecretKey: SECRET });
  const forged = await tokenOf("me", { key: new Uint8Array(32).fill(8) });
  await assertRefused(authenticator, forged);
  await assertRefused(authenticator, await tokenOf("me", { expiresAtSec: NOW_SEC - 1 }));
  await assertRefused(authenticator, await tokenOf(undefined));
  await assertRefused(authenticator, await tokenOf(""));
  await assertRefused(authenticator, "nonsense");
  await assertRefused(authenticator, "");
  const [header, body] = (await tokenOf("me")).split(".");
  const none = utf8('{"alg":"none"}').toBase64({ alphabet: "base64url", omitPadding: true });
  await assertRefused(authenticator, `${none}.${body}.`);
  await assertRefused(authenticator, `${header}.${body}.`);
  await assertRefused(authenticator, await tokenOf("me"), "basic");
  await assert.rejects(() => authenticator.authenticate(undefined, undefined));
});

for (const [algorithm, form] of [["RS256", "pem"], ["ES256", "pem"], ["RS256", "der"]] as const) {
  Deno.test(`authenticate() takes ${algorithm} with a public key as ${form}, and no other key's`, async () => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const pem = await exportSPKI(publicKey);
    const bytes = form === "pem"
      ? utf8(pem)
      : new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
    const authenticator = await authenticatorOf({ tokenPublicKey: bytes });
    const token = await tokenOf("me", { key: privateKey, algorithm });
    assert.equal((await authenticator.authenticate("token", utf8(token))).role, "me");
    const other = await generateKeyPair(algorithm);
    await assertRefused(authenticator, await tokenOf("me", { key: other.privateKey, algorithm }));
    // The public key is no secret: who signs with it as if it were one must not come in.
    await assertRefused(authenticator, await tokenOf("me", { key: bytes }));
  });
}

Deno.test("authenticate() takes a plain token beside signed ones", async () => {
  const token = new Secret("open sesame");
  const authenticator = await authenticatorOf({ token, tokenSecretKey: SECRET });
  const bearer = await authenticator.authenticate("token", utf8("open sesame"));
  assert.equal(bearer.expiresAtMs, Infinity);
  const me = await authenticator.authenticateHeader(`Bearer ${await tokenOf("me")}`);
  assert.equal(me.role, "me");
  await assertRefused(authenticator, "open says me");
  await assert.rejects(() => authenticator.authenticateHeader(null));
  await assert.rejects(() => authenticator.authenticateHeader("Basic open sesame"));
});

Deno.test("Authenticator.of() refuses keys that are too short, or none", async () => {
  const options = [
    { tokenSecretKey: new Uint8Array(31) },
    { tokenPublicKey: utf8("nonsense") },
    { tokenPublicKey: utf8("-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----") },
  ];
  for (const one of options) {
    await assert.rejects(() => Authenticator.of(one, () => NOW_MS), { code: "invalid" });
  }
});
