import assert from "node:assert/strict";
import type { Disk } from "../../lib/base/mod.ts";
import type { CheckpointStore, Sink, Source } from "../../lib/contract.ts";
import { readCheckpoint } from "../../lib/stream/mod.ts";
import type { Mutation } from "./simulation.ts";
import { Simulation } from "./simulation.ts";

/**
 * Each breaks one step of the protocol from outside, as a careless change would. A simulation that finds none of them proves nothing.
 */
const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "files are not synced": { disk: (disk) => ({ ...disk, open: unsyncedOpen(disk) }) },
  "folders are not synced": { disk: (disk) => ({ ...disk, syncFolder: () => Promise.resolve() }) },
  "a checkpoint is written in place": {
    disk: (disk) => ({
      ...disk,
      open: (path, options) => disk.open(path.replace(/\.tmp$/, ""), options),
      rename: () => {},
    }),
  },
  "save answers before the checkpoint is durable": { store: hastyStore },
  "the owner's epoch is not checked": { store: trustingStore },
  "the broker is told before the checkpoint": { store: (store, source) => eager(store, source, 0) },
  "the broker is told before the insert": { store: (store, source) => eager(store, source, 1) },
  "each attempt has a fresh token": {
    sink: (sink) => ({
      ...sink,
      insert: (batch, options) => sink.insert(batch, { ...options, token: options.queryId }),
    }),
  },
  "what is under way is not cancelled": { sink: (sink) => ({ ...sink, cancel: async () => {} }) },
  "batches are not counted": {
    sink: (sink) => ({ ...sink, count: (batch) => Promise.resolve(batch.rows.length) }),
  },
  "a failed count is taken for none": {
    sink: (sink) => ({ ...sink, count: (batch) => sink.count(batch).catch(() => 0) }),
  },
  "a failed insert is taken for a success": { sink: hopefulSink },
};

function unsyncedOpen(disk: Disk): Disk["open"] {
  return (path, options) => {
    const file = disk.open(path, options);
    return { ...file, sync: () => Promise.resolve() };
  };
}

function hastyStore(store: CheckpointStore): CheckpointStore {
  return {
    acquire: (partition) => store.acquire(partition),
    assertOwner: (partition, epoch) => store.assertOwner(partition, epoch),
    save: (partition, epoch, bytes) => {
      store.save(partition, epoch, bytes).catch(() => {});
      return Promise.resolve();
    },
  };
}

function trustingStore(store: CheckpointStore): CheckpointStore {
  return {
    acquire: (partition) => store.acquire(partition),
    assertOwner: () => Promise.resolve(),
    save: (partition, epoch, bytes) => store.save(partition, epoch, bytes).catch(() => {}),
  };
}

function eager(store: CheckpointStore, source: Source, afterSave: 0 | 1): CheckpointStore {
  return {
    acquire: (partition) => store.acquire(partition),
    assertOwner: (partition, epoch) => store.assertOwner(partition, epoch),
    save: async (partition, epoch, bytes) => {
      const position = readCheckpoint(bytes).position!;
      if (afterSave === 1) await store.save(partition, epoch, bytes);
      await source.acknowledge(partition, position).catch(() => {});
      if (afterSave === 0) await store.save(partition, epoch, bytes);
    },
  };
}

function hopefulSink(sink: Sink): Sink {
  return {
    ...sink,
    insert: (batch, options) => sink.insert(batch, options).catch(() => ({ bytes: 0 })),
    count: (batch) => Promise.resolve(batch.rows.length),
  };
}

const SEEDS_MAX = 1_000;

for (const [what, mutation] of Object.entries(MUTATIONS)) {
  Deno.test(`Simulation finds it when ${what}`, async () => {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { violations } = await new Simulation(seed, mutation).run();
      if (violations.length > 0) return;
    }
    assert.fail(`no violation in ${SEEDS_MAX} histories`);
  });
}
