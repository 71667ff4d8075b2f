import { crc32cPortable, FakeClock, seededRandom, writeUint32 } from "../../../lib/base/mod.ts";
import type { Disk } from "../../../lib/base/mod.ts";
import { LedgerIds } from "../../../lib/pulsar/broker/log/ledger_ids.ts";
import type { AppendListener, Entry } from "../../../lib/pulsar/broker/log/append.ts";
import type { Durability } from "../../../lib/pulsar/broker/log/durability.ts";
import type { LogShared } from "../../../lib/pulsar/broker/log/log_shared.ts";
import { SpareFiles } from "../../../lib/pulsar/broker/log/spare_files.ts";
import { SlabPool } from "../../../lib/pulsar/broker/log/slab.ts";
import { TailBudget } from "../../../lib/pulsar/broker/log/tail.ts";

export const FOLDER = "data/topic";

/** What logs of one test share. */
export async function sharedOn(
  disk: Disk,
  durability: Durability = "os",
  { segmentBytesMax = 4096, tailBytesMax = 8 * 1024 * 1024 } = {},
): Promise<LogShared> {
  return {
    disk,
    clock: new FakeClock(1_000_000),
    crc32c: crc32cPortable,
    durability,
    segmentBytesMax,
    ledgerIds: await LedgerIds.open(disk, "data"),
    random: seededRandom(99),
    spares: new SpareFiles(disk, "data/spare", { segmentBytesMax, durability }),
    pool: new SlabPool(),
    tails: new TailBudget(tailBytesMax),
  };
}

/** A body as a producer's frame carries it, with `payload` behind an empty metadata. */
export function bodyOf(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(10 + payload.length);
  bytes.set([0x0e, 0x01]);
  bytes.set(payload, 10);
  writeUint32(bytes, 2, crc32cPortable(bytes, 6, bytes.length));
  return bytes;
}

/** An entry whose payload is a text. */
export function entryOf(text: string, { messageCount = 1, publishTimeMs = 0 } = {}): Entry {
  const bytes = bodyOf(new TextEncoder().encode(text));
  return { bytes, start: 0, end: bytes.length, messageCount, publishTimeMs };
}

/** Collects what became of entries. */
export class Outcomes {
  readonly stored: { text: string; ledgerId: number; entryId: number }[] = [];
  readonly failed: { text: string; code: string }[] = [];

  of(text: string): AppendListener {
    return {
      appended: (ledgerId, entryId) => this.stored.push({ text, ledgerId, entryId }),
      appendFailed: (error) => this.failed.push({ text, code: error.code }),
    };
  }
}
