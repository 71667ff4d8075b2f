import assert from "node:assert/strict";
import fc from "fast-check";
import { Subscription } from "../../../../lib/pulsar/broker/dispatch/subscription.ts";
import { DispatchModel, KINDS } from "../_dispatch_model.ts";
import type { Action, SubscriptionClass } from "../_dispatch_model.ts";

const LIBRARY = new URL("../../../../lib/", import.meta.url);
const SOURCES = new URL("pulsar/broker/", LIBRARY);

const histories = fc.array(
  fc.record<Action>({
    kind: fc.constantFrom(...KINDS),
    who: fc.nat(11),
    what: fc.nat(59),
    more: fc.nat(41),
  }),
  { minLength: 1, maxLength: 120, size: "max" },
);

async function runHistories(isKeyed: boolean, Class: SubscriptionClass, endOnFailure = false) {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const model = await DispatchModel.open(isKeyed, Class);
      for (const action of history) await model.step(action);
      await model.finish();
    }),
    { seed: 4_242, numRuns: 1500, endOnFailure },
  );
}

Deno.test("SharedDispatcher delivers each message at least once, to one consumer at a time, and no more when it is acknowledged", async () => {
  await runHistories(false, Subscription);
});

Deno.test("KeySharedDispatcher does so too, with one consumer a key and in the order of the key", async () => {
  await runHistories(true, Subscription);
});

/** A fault in one line of the broker: the file, what stands there, and what stands there instead. */
type Plant = readonly [file: string, from: string, to: string];

const PLANTS_OF_BOTH: readonly Plant[] = [
  ["multiple_dispatcher.ts", "(this.#redeliveries.get(place) ?? 0) + 1", "1"],
  ["multiple_dispatcher.ts", "owner.pending.remove(place)", "owner.pending.messagesOf(place)"],
  [
    "multiple_dispatcher.ts",
    "consumer.pending.remove(place)",
    "consumer.pending.messagesOf(place)",
  ],
  [
    "multiple_dispatcher.ts",
    "this.#giveBack(consumer, [...consumer.pending.places()]);\n    this",
    "this",
  ],
  ["multiple_dispatcher.ts", ".filter((place) => consumer.pending.has(place))", ""],
  ["multiple_dispatcher.ts", "<= options.clock.wallMs()", "<= options.clock.wallMs() + 5"],
  ["multiple_dispatcher.ts", "this.#takeDue();", ""],
  ["multiple_dispatcher.ts", "this.#waitForDelayed();", ""],
  ["multiple_dispatcher.ts", "consumer.isBlocked = true", ""],
  ["multiple_dispatcher.ts", "owner.unblock()", ""],
  ["multiple_dispatcher.ts", "owner.pending.reduce(place, messages);", ""],
  ["log_reader.ts", "if (!isThere) this", "if (!this.ledgerId) this"],
  [
    "subscription.ts",
    "multiple?.settle(by, placeOf(position.ledgerId, position.entryId)) ?? 1",
    "1",
  ],
  ["subscription.ts", "this.multiple?.settleUpToMark();", ""],
  [
    "subscription.ts",
    "consumer.isClosed = true;\n    for (const consumer of consumers) {",
    "{}\n    for (const consumer of consumers) {",
  ],
];

const PLANTS_OF_SHARED: readonly Plant[] = [
  [
    "shared_dispatcher.ts",
    "!this.#sendAgain(consumer) && !this.#sendNew(consumer)",
    "!this.#sendNew(consumer) && !this.#sendAgain(consumer)",
  ],
  ["multiple_dispatcher.ts", "this.#isBlocked = true", "void 0"],
  ["multiple_dispatcher.ts", "this.#isBlocked = false;\n  }", "{}\n  }"],
  ["shared_dispatcher.ts", "this.#queue.removeAt(held);", ""],
  ["shared_dispatcher.ts", "      this.reader.next();\n      if (isSent)", "if (isSent)"],
];

const PLANTS_OF_KEY_SHARED: readonly Plant[] = [
  ["key_shared_dispatcher.ts", "holder === undefined || holder.consumer === consumer)", "true)"],
  ["key_shared_dispatcher.ts", "holder.entries--;", "holder.entries = 0;"],
  ["key_shared_dispatcher.ts", "else holder.entries++;", ""],
  ["key_shared_dispatcher.ts", "if (bucket !== undefined) bucket.isStuck = false;", ""],
  ["key_shared_dispatcher.ts", "bucket.isStuck = false;\n    }\n  }", "}\n  }"],
  [
    "key_shared_dispatcher.ts",
    "this.#drained.delete(consumer);\n    this.#shareOut();",
    "this.#drained.delete(consumer);",
  ],
  [
    "key_shared_dispatcher.ts",
    "this.#selector.add(consumer);\n    this.#shareOut();",
    "this.#selector.add(consumer);",
  ],
];

/** The subscription of a copy of the broker's sources with a fault in it. */
async function planted(folder: string, plant: Plant): Promise<SubscriptionClass> {
  await copyPlanted(SOURCES, folder, plant);
  const module = await import(`file://${folder}/dispatch/subscription.ts`);
  return module.Subscription;
}

async function copyPlanted(from: URL, to: string, plant: Plant): Promise<void> {
  const [file, sound, faulty] = plant;
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) {
      await Deno.mkdir(`${to}/${name}`);
      await copyPlanted(new URL(`${name}/`, from), `${to}/${name}`, plant);
      continue;
    }
    let text = await Deno.readTextFile(new URL(name, from));
    if (name === file) {
      assert.equal(text.split(sound).length, 2, `${file} has ${JSON.stringify(sound)} once`);
      text = text.replace(sound, () => faulty);
    }
    const absolute = text.replaceAll(/(\.\.\/)+base\/mod\.ts/g, `${LIBRARY}base/mod.ts`)
      .replaceAll(/(\.\.\/)+wire\/mod\.ts/g, `${LIBRARY}pulsar/wire/mod.ts`);
    await Deno.writeTextFile(`${to}/${name}`, absolute);
  }
}

/** The plants that the histories do not find. */
async function missed(isKeyed: boolean, plants: readonly Plant[]): Promise<string[]> {
  const names: string[] = [];
  for (const plant of plants) {
    const folder = await Deno.makeTempDir();
    try {
      const Class = await planted(folder, plant);
      const isFound = await runHistories(isKeyed, Class, true).then(() => false, () => true);
      if (!isFound) names.push(plant.join(" → "));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return names;
}

Deno.test("the histories find each fault that is planted in Shared", async () => {
  assert.deepEqual(await missed(false, [...PLANTS_OF_BOTH, ...PLANTS_OF_SHARED]), []);
});

Deno.test("the histories find each fault that is planted in Key_Shared", async () => {
  assert.deepEqual(await missed(true, [...PLANTS_OF_BOTH, ...PLANTS_OF_KEY_SHARED]), []);
});
