/** Cursors and single messages by the admin interface: exactly where they end up. */
import assert from "node:assert/strict";
import { testBroker, topicNamed } from "../_broker.ts";
import type { TestBroker } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";
import type { StartOptions } from "../../../../lib/pulsar/broker/mod.ts";

const TOPIC = topicNamed("t");
const PATH = "persistent/public/default/t";
const AT = `${PATH}/subscription/sub`;
const COUNT = 6;

/** A topic with `m0` … `m5`, and a subscription to which nobody listens. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly broker: TestBroker,
    readonly client: RawClient,
    readonly ids: readonly { readonly ledgerId: number; readonly entryId: number }[],
  ) {}

  static async open(options: Partial<StartOptions> = {}): Promise<Scene> {
    const broker = await testBroker(options);
    const client = await RawClient.connect(broker.port);
    await client.subscribe(TOPIC);
    await client.request("CLOSE_CONSUMER", { consumerId: 0 });
    await client.produce(TOPIC);
    const ids = [];
    for (let i = 0; i < COUNT; i++) ids.push((await client.publish(i, `m${i}`)).messageId!);
    return new Scene(broker, client, ids);
  }

  async call(method: string, path: string, body?: unknown): Promise<Response> {
    return await fetch(`${this.broker.adminUrl}/admin/v2/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Calls, and expects to be obeyed. */
  async done(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await this.call(method, path, body);
    assert.equal(answer.status, 204, `${method} ${path}: ${await answer.text()}`);
  }

  /** The text of a message, or the status of a refusal. */
  async textOf(path: string): Promise<string | number> {
    const answer = await this.call("GET", path);
    const text = await answer.text();
    return answer.ok ? text : answer.status;
  }

  /** What the subscription's next message is; 404 for none. */
  next(): Promise<string | number> {
    return this.textOf(`${AT}/position/1`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
  }
}

Deno.test("POST skip passes over so many messages that nobody has acknowledged, or all", async () => {
  await using scene = await Scene.open();
  const { client, ids } = scene;
  await scene.done("POST", `${AT}/skip/2`);
  assert.equal(await scene.next(), "m2");
  await client.subscribe(TOPIC);
  await client.request("ACK", { consumerId: 0, ackType: 0, messageId: [ids[3]!] });
  await client.request("CLOSE_CONSUMER", { consumerId: 0 });
  await scene.done("POST", `${AT}/skip/2`);
  assert.equal(await scene.next(), "m5");
  await scene.done("POST", `${AT}/skip/0`);
  assert.equal(await scene.next(), "m5");
  await scene.done("POST", `${AT}/skip/100`);
  assert.equal(await scene.next(), 404);
});

Deno.test("POST skip_all goes to the end, resetcursor back to a message or behind it", async () => {
  await using scene = await Scene.open();
  const [first, , third] = scene.ids;
  await scene.done("POST", `${AT}/skip_all`);
  assert.equal(await scene.next(), 404);
  await scene.done("POST", `${AT}/resetcursor`, third);
  assert.equal(await scene.next(), "m2");
  await scene.done("POST", `${AT}/resetcursor`, { messageId: third, isExcluded: true });
  assert.equal(await scene.next(), "m3");
  await scene.done("POST", `${AT}/resetcursor`, { ...third, isExcluded: true });
  assert.equal(await scene.next(), "m3");
  await scene.done("POST", `${AT}/resetcursor`, { ...first, ledgerId: first!.ledgerId + 1 });
  assert.equal(await scene.next(), 404);
  await scene.done("POST", `${AT}/resetcursor`, { ledgerId: -1, entryId: -1 });
  assert.equal(await scene.next(), "m0");
  await scene.done("POST", `${AT}/resetcursor`, { ledgerId: 2 ** 63, entryId: 2 ** 63 });
  assert.equal(await scene.next(), 404);
  // Raw clients' messages say that they were published at 1,000 ms.
  await scene.done("POST", `${AT}/resetcursor/1000`);
  assert.equal(await scene.next(), "m0");
  await scene.done("POST", `${AT}/resetcursor/1001`);
  assert.equal(await scene.next(), 404);
});

Deno.test("POST expireMessages goes behind a message, or before it, and never back", async () => {
  await using scene = await Scene.open();
  await scene.done("POST", `${AT}/expireMessages`, scene.ids[2]);
  assert.equal(await scene.next(), "m3");
  // As 4.2.4: done, and nothing happens.
  await scene.done("POST", `${AT}/expireMessages`, scene.ids[1]);
  assert.equal(await scene.next(), "m3");
  await scene.done("POST", `${AT}/expireMessages`, { ...scene.ids[5], isExcluded: true });
  assert.equal(await scene.next(), "m5");
});

Deno.test("POST expireMessages takes seconds before now", async () => {
  // Messages are of 1,000 ms.
  const clockMs = Date.now();
  await using scene = await Scene.open();
  const ageSec = Math.floor((clockMs - 1000) / 1000);
  // As 4.2.4: done, and none was old enough.
  await scene.done("POST", `${AT}/expireMessages/${ageSec + 60}`);
  assert.equal(await scene.next(), "m0");
  await scene.done("POST", `${AT}/expireMessages/${ageSec - 60}`);
  assert.equal(await scene.next(), 404);
});

Deno.test("GET examinemessage counts from either end, and stays within the topic", async () => {
  await using scene = await Scene.open();
  const examine = (from: string, position: number) =>
    scene.textOf(`${PATH}/examinemessage?initialPosition=${from}&messagePosition=${position}`);
  const all = [1, 2, COUNT, COUNT + 1];
  assert.deepEqual(await Promise.all(all.map((at) => examine("earliest", at))), [
    "m0",
    "m1",
    "m5",
    "m5",
  ]);
  assert.deepEqual(await Promise.all(all.map((at) => examine("latest", at))), [
    "m5",
    "m4",
    "m0",
    "m0",
  ]);
});

Deno.test("GET position, ledger and messageid find each message, and none that is not there", async () => {
  await using scene = await Scene.open();
  for (const [i, { ledgerId, entryId }] of scene.ids.entries()) {
    assert.equal(await scene.textOf(`${AT}/position/${i + 1}`), `m${i}`);
    assert.equal(await scene.textOf(`${PATH}/ledger/${ledgerId}/entry/${entryId}`), `m${i}`);
  }
  const { ledgerId } = scene.ids[0]!;
  assert.equal(await scene.textOf(`${AT}/position/${COUNT + 1}`), 404);
  assert.equal(await scene.textOf(`${PATH}/ledger/${ledgerId}/entry/${COUNT}`), 404);
  assert.equal(await scene.textOf(`${PATH}/ledger/${ledgerId}/entry/-1`), 404);
  const at = async (timeMs: number) =>
    (await (await scene.call("GET", `${PATH}/messageid/${timeMs}`)).json()).entryId;
  assert.deepEqual([await at(999), await at(1000)], [-1, -1]);
});

Deno.test("DELETE of a subscription that is listened to needs force", async () => {
  await using scene = await Scene.open();
  await scene.client.subscribe(TOPIC);
  assert.equal((await scene.call("DELETE", AT)).status, 412);
  await scene.done("DELETE", `${AT}?force=true`);
  assert.equal(await (await scene.call("GET", `${PATH}/subscriptions`)).text(), "[]");
});

Deno.test("a subscription that is made, moved or named by the admin interface is the same after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    {
      await using scene = await Scene.open({ folder });
      await scene.done("PUT", `${PATH}/subscription/made`, scene.ids[4]);
      const twice = await scene.call("PUT", `${PATH}/subscription/made`, scene.ids[4]);
      assert.equal(twice.status, 409);
      await scene.done("POST", `${AT}/skip/3`);
      await scene.done("PUT", `${AT}/properties`, { colour: "blue" });
    }
    await using broker = await testBroker({ folder });
    const get = async (path: string) =>
      await (await fetch(`${broker.adminUrl}/admin/v2/${path}`)).text();
    assert.equal(await get(`${PATH}/subscription/made/position/1`), "m4");
    assert.equal(await get(`${AT}/position/1`), "m3");
    assert.deepEqual(JSON.parse(await get(`${AT}/properties`)), { colour: "blue" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
