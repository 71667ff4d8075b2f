import assert from "node:assert/strict";
import { PulsarAdmin } from "../../../lib/pulsar/client/admin.ts";
import { tokenAuthentication } from "../../../lib/pulsar/client/auth.ts";
import { rejectsWith } from "./setup.ts";

/** An admin client of a server on loopback that answers as `handler` does. */
async function withServer(
  handler: (request: Request) => Response | Promise<Response>,
  check: (admin: PulsarAdmin) => Promise<void>,
): Promise<void> {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  const adminUrl = `http://127.0.0.1:${server.addr.port}/`;
  await check(new PulsarAdmin({ adminUrl, authentication: tokenAuthentication("secret") }));
}

Deno.test("PulsarAdmin calls the paths of Pulsar's REST API with the token", async () => {
  const calls: string[] = [];
  const answer = async (request: Request) => {
    assert.equal(request.headers.get("authorization"), "Bearer secret");
    const { pathname, search } = new URL(request.url);
    calls.push(`${request.method} ${pathname}${search} ${await request.text()}`.trimEnd());
    return pathname.endsWith("/partitions") && request.method === "GET"
      ? Response.json({ partitions: 4 })
      : new Response(null, { status: 204 });
  };
  await withServer(answer, async (admin) => {
    await admin.createPartitionedTopic("orders", 4);
    await admin.createTopic("persistent://a/b/c d".replace(" ", "%"));
    assert.equal(await admin.partitionCount("orders"), 4);
    await admin.deletePartitionedTopic("orders", { force: true });
    await admin.deleteTopic("orders");
  });
  assert.deepEqual(calls, [
    "PUT /admin/v2/persistent/public/default/orders/partitions 4",
    "PUT /admin/v2/persistent/a/b/c%25d",
    "GET /admin/v2/persistent/public/default/orders/partitions",
    "DELETE /admin/v2/persistent/public/default/orders/partitions?force=true",
    "DELETE /admin/v2/persistent/public/default/orders?force=false",
  ]);
});

for (
  const [version, name] of [["4.2.4", "Apache Pulsar 4.2.4"], [
    "weir-embedded-0.1.0",
    "embedded broker",
  ]]
) {
  Deno.test(`PulsarAdmin.systemName() is ${name} for version ${version}`, async () => {
    await withServer(
      () => new Response(version),
      async (admin) => assert.equal(await admin.systemName(), name),
    );
  });
}

for (
  const [status, code, cure] of [
    [401, "authentication_error", /token/],
    [403, "authorization_error", /rights/],
    [404, "admin_not_found", /names/],
    [409, "admin_conflict", /another name/],
    [412, "admin_conflict", /consumers/],
    [500, "admin_failed", undefined],
  ] as const
) {
  Deno.test(`PulsarAdmin tells HTTP ${status} with what to do`, async () => {
    await withServer(
      () => Response.json({ reason: "because\nstack" }, { status }),
      async (admin) => {
        const error = await rejectsWith(admin.createTopic("orders"), code);
        assert.equal(error.message, `Cannot create topic orders: HTTP ${status} because`);
        assert.equal(error.retryable, status >= 500);
        if (cure !== undefined) assert.match(error.cure!, cure);
      },
    );
  });
}

Deno.test("PulsarAdmin.schema() is undefined where there is none", async () => {
  await withServer(
    () => new Response("", { status: 404 }),
    async (admin) => assert.equal(await admin.schema("orders"), undefined),
  );
});

Deno.test("PulsarAdmin says that nothing listens at its URL", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  const admin = new PulsarAdmin({ adminUrl: `http://127.0.0.1:${port}` });
  const error = await rejectsWith(admin.brokerVersion(), "connection_refused");
  assert.match(error.cure!, /admin URL/);
});

Deno.test("PulsarAdmin ends with the caller's reason when it is aborted", async () => {
  const held = Promise.withResolvers<Response>();
  await withServer(() => held.promise, async (admin) => {
    const stop = new AbortController();
    const asking = admin.brokerVersion(stop.signal);
    stop.abort(new Error("enough"));
    await assert.rejects(asking, /enough/);
    held.resolve(new Response("4.2.4"));
  });
});

Deno.test("PulsarAdmin refuses an answer that is not JSON, and a URL that is not HTTP", async () => {
  await withServer(
    () => new Response("<html>"),
    async (admin) => void await rejectsWith(admin.topicStats("orders"), "admin_failed"),
  );
  assert.throws(() => new PulsarAdmin({ adminUrl: "pulsar://host" }), {
    code: "invalid_service_url",
  });
});
