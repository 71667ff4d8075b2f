/** When messages go out, and the durable account of those that did. */
export { FileLedger } from "./ledger.ts";
export type { LedgerOptions } from "./ledger.ts";
export { LedgerError } from "./ledger_format.ts";
export type { LedgerHeader } from "./ledger_format.ts";
export { parseStages } from "./parse_stages.ts";
export { Pacer, TICK_MS_MAX } from "./pacer.ts";
export type { PacerOptions, PacerReport, PacerTick } from "./pacer.ts";
export type { IndexRange, PartitionLedger } from "./partition_account.ts";
export { ledgerPath, readLedger } from "./read_ledger.ts";
export type { LedgerContents } from "./read_ledger.ts";
export { Schedule } from "./schedule.ts";
export type { ScheduleChange, ScheduleJson, Segment, Stage } from "./schedule.ts";
