import type { TestMessage } from "./messages.ts";
import type { LogEntry } from "./sim_broker.ts";
import type { World } from "./world.ts";

/** Logs of one to three partitions: sources in order and out of it, gaps, duplicates, late and early messages, entries of all sizes. */
export function makeLogs(world: World): LogEntry[][] {
  const partitions = world.whole(1, 3);
  return Array.from({ length: partitions }, (_, partition) => makeLog(world, partition));
}

function makeLog(world: World, partition: number): LogEntry[] {
  const messages = shuffled(world, makeMessages(world, partition));
  const lengthMs = world.between(500, 10_000);
  const entries: LogEntry[] = [];
  let at = 0;
  while (at < messages.length) {
    const size = world.whole(1, 8);
    const atMs = lengthMs * (at / messages.length);
    entries.push({ atMs, messages: messages.slice(at, at + size) });
    at += size;
  }
  return entries;
}

function makeMessages(world: World, partition: number): TestMessage[] {
  const sources = Array.from({ length: world.whole(1, 6) }, (_, i) => `s${partition}-${i}é`);
  const sequences = sources.map(() => 0);
  const count = world.whole(10, 150);
  const stepMs = world.between(10, 200);
  const messages: TestMessage[] = [];
  for (let i = 0; i < count; i++) {
    const source = world.random.below(sources.length);
    if (world.chance(0.02)) sequences[source]! += world.whole(1, 3_000);
    const late = world.chance(0.05) ? world.between(0, 4_000) : 0;
    const message: TestMessage = {
      source: sources[source]!,
      sequence: sequences[source]!++,
      eventTimeMs: Math.floor(1_700_000_000_000 + i * stepMs + world.between(0, 300) - late),
      ingestTimeMs: i,
      temperature: world.between(-40, 120),
      pressure: Math.floor(world.between(0, 5)),
      anomaly: world.chance(0.1),
    };
    messages.push(message);
    if (world.chance(0.05)) messages.push(message);
  }
  return messages;
}

/** Lets neighbours change places now and then, so that sequences run ahead of each other. */
function shuffled(world: World, messages: TestMessage[]): TestMessage[] {
  const result = [...messages];
  for (let i = 1; i < result.length; i++) {
    if (!world.chance(0.1)) continue;
    const other = Math.max(0, i - world.whole(1, 10));
    [result[i], result[other]] = [result[other]!, result[i]!];
  }
  return result;
}
