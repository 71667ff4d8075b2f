/** Producers: names, numbers, access, quota. */
import {
  assert,
  type Context,
  drain,
  eventually,
  numbered,
  of,
  refused,
  send,
  silent,
  sleep,
  take,
  texts,
} from "./context.ts";

export async function producer_names(c: Context): Promise<void> {
  const names = [(await c.producer()).producerName, (await c.producer()).producerName];
  assert(names[0] !== "" && names[0] !== names[1], names.join(" and "));
}

export async function producer_name_taken(c: Context): Promise<void> {
  const first = await c.producer({ producerName: "one" });
  c.note("error", await refused(() => c.producer({ producerName: "one" })));
  await first.close();
  await send(await c.producer({ producerName: "one" }), ["x"]);
}

export async function sequence_ids(c: Context): Promise<void> {
  const producer = await c.producer({ initialSequenceId: 99 });
  assert.equal(producer.lastSequenceId, 99);
  await send(producer, ["x"]);
  assert.equal(producer.lastSequenceId, 100);
}

export async function deduplication(c: Context): Promise<void> {
  const namespace = await c.namespace();
  await c.admin("POST", `namespaces/${namespace}/deduplication`, true);
  const topic = `persistent://${namespace}/topic`;
  const consumer = await c.consumer({ topic });
  const producer = await c.producer({ topic, producerName: "one" });
  await eventually("deduplication is on", async () => {
    const stats = await c.admin("GET", `persistent/${namespace}/topic/stats`);
    return stats.deduplicationStatus === "Enabled";
  });
  for (const sequenceId of [10, 11, 11, 10, 20]) {
    await producer.send(of(`${sequenceId}`, { sequenceId }));
  }
  await producer.close();
  const again = await c.producer({ topic, producerName: "one" });
  assert.equal(again.lastSequenceId, 20);
  await send(again, ["21"]);
  assert.deepEqual(texts(await take(consumer, 4)), ["10", "11", "20", "21"]);
  await silent(consumer);
}

export async function access_exclusive(c: Context): Promise<void> {
  const first = await c.producer({ accessMode: "exclusive" });
  c.note("shared beside it", await refused(() => c.producer()));
  const another = () => c.producer({ accessMode: "exclusive" });
  c.note("exclusive beside it", await refused(another));
  await first.close();
  const shared = await c.producer();
  c.note("exclusive beside a shared one", await refused(another));
  await shared.close();
}

export async function access_wait_for_exclusive(c: Context): Promise<void> {
  const first = await c.producer({ accessMode: "exclusive" });
  let isOpen = false;
  const waiting = c.producer({ accessMode: "waitForExclusive" }).then((producer) => {
    isOpen = true;
    return producer;
  });
  await sleep(500);
  assert(!isOpen, "it did not wait");
  await first.close();
  await send(await waiting, ["mine"]);
  c.note("beside it", await refused(() => c.producer()));
}

export async function access_exclusive_with_fencing(c: Context): Promise<void> {
  const first = await c.producer({ accessMode: "exclusive" });
  await send(first, ["mine"]);
  await send(await c.producer({ accessMode: "exclusiveWithFencing" }), ["mine now"]);
  c.note("error of the fenced one", await refused(() => send(first, ["fenced"])));
  const consumer = await c.consumer();
  assert.deepEqual(texts(await take(consumer, 2)), ["mine", "mine now"]);
  await silent(consumer);
}

export async function backlog_quota(c: Context): Promise<void> {
  const namespace = await c.namespace();
  const topic = `persistent://${namespace}/topic`;
  const consumer = await c.consumer({ topic });
  const producer = await c.producer({ topic });
  await send(producer, numbered(30, "x".repeat(1_000)));
  await producer.close();
  await c.admin(
    "POST",
    `namespaces/${namespace}/backlogQuota?backlogQuotaType=destination_storage`,
    { limitSize: 10_000, limitTime: -1, policy: "producer_exception" },
  );
  const impatient = await c.open({ openTimeoutMs: 1_000 });
  await eventually("the quota is checked", async () => {
    try {
      await (await impatient.openProducer({ topic })).close();
      return false;
    } catch (error) {
      c.note("error", (error as { code?: string }).code);
      return true;
    }
  });
  assert.equal((await drain(consumer)).length, 30);
}
