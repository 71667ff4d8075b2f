import type { Clock, Crc32c, Disk, Random } from "../../../base/mod.ts";
import type { Durability } from "./durability.ts";
import type { LedgerIds } from "./ledger_ids.ts";
import type { OpenFiles } from "./open_files.ts";
import type { SlabPool } from "./slab.ts";
import type { SpareFiles } from "./spare_files.ts";
import type { TailBudget } from "./tail.ts";

/** What all logs of a broker share. */
export interface LogShared {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly durability: Durability;
  /** A segment that is larger is sealed, and the next one begun. */
  readonly segmentBytesMax: number;
  readonly ledgerIds: LedgerIds;
  readonly random: Random;
  readonly spares: SpareFiles;
  readonly pool: SlabPool;
  readonly tails: TailBudget;
  readonly openFiles?: OpenFiles;
}
