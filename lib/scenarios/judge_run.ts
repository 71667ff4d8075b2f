import { formatCount, messageOf, systemDisk } from "../base/mod.ts";
import { type LedgerContents, ledgerPath, readLedger } from "../load/mod.ts";
import { METRIC, readSamples, totals } from "../metrics/mod.ts";
import {
  EVENTS_FILE,
  Latencies,
  readEvents,
  type ResourceUse,
  resourceUse,
  type RunFolder,
  writeJson,
} from "../run/mod.ts";
import { type CheckpointSummary, FileCheckpointStore, readCheckpoint } from "../stream/mod.ts";
import {
  type BreakOff,
  type FoundLate,
  judge,
  type MeasuredResult,
  parseThresholds,
  type Result,
  RESULT_SCHEMA_VERSION,
  type Verification,
  verify,
} from "../verdict/mod.ts";
import type { Manifest } from "./manifest.ts";
import { readHistograms, readManifest, readRows } from "./read_run.ts";
import { messagePlan, type SensorLoadPlan } from "./sensor_load.ts";

function checkpointsOf(folder: RunFolder, partitionCount: number): CheckpointSummary[] {
  const store = new FileCheckpointStore(systemDisk, folder.file("checkpoints"));
  return Array.from({ length: partitionCount }, (_, partition) => store.newest(partition))
    .flatMap((checkpoint) => checkpoint === undefined ? [] : [readCheckpoint(checkpoint.bytes)]);
}

function lateOf(checkpoints: readonly CheckpointSummary[]): FoundLate[] {
  return checkpoints.flatMap(({ configuration, late }) =>
    late.map(({ windowStartMs, sourceName, count, identitySum }) => ({
      partition: configuration.partition,
      windowStartMs,
      sourceName,
      messageCount: count,
      identitySum: identitySum.toString(),
    }))
  );
}

/** Of a run that broke off, the partitions that were not read to their end marker or hold batches that were not stored. */
function undrainedOf(
  { earlyEnd, config }: Manifest,
  checkpoints: readonly CheckpointSummary[],
): Set<number> {
  if (earlyEnd === null || earlyEnd.kind === "interrupted") return new Set();
  const drained = checkpoints
    .filter(({ ended, pendingBatchIds }) => ended && pendingBatchIds.length === 0)
    .map(({ configuration }) => configuration.partition);
  const all = Array.from({ length: config.partitionCount }, (_, partition) => partition);
  return new Set(all.filter((partition) => !drained.includes(partition)));
}

/** Codes of errors that are the machine's fault. */
const MACHINE_CODES: readonly string[] = ["disk_full", "write_failed", "checkpoint_failed"];

function breakOffOf({ earlyEnd }: Manifest): BreakOff | null {
  if (earlyEnd === null || earlyEnd.kind === "interrupted") return null;
  const isMachine = earlyEnd.code !== null && MACHINE_CODES.includes(earlyEnd.code);
  return { reason: earlyEnd.message, isMachine };
}

/** What can be verified, or why nothing can. */
type Verified = { readonly verification: Verification } | { readonly unverified: string };

async function verifyRun(
  folder: RunFolder,
  manifest: Manifest,
  ledger: LedgerContents,
  signal: AbortSignal | undefined,
): Promise<Verified> {
  if (manifest.rowsExported !== true) {
    return { unverified: `the rows could not be read from ClickHouse (${manifest.rowsExported})` };
  }
  const plan = ledger.header.plan as unknown as SensorLoadPlan;
  const checkpoints = checkpointsOf(folder, plan.partitionCount);
  const { windowMs, outOfOrdernessMs, allowedLatenessMs } = manifest.config.window;
  const verification = await verify({
    plan: messagePlan(plan, ledger.schedule, signal),
    rule: { windowMs, outOfOrdernessMs, allowedLatenessMs },
    ledger: ledger.partitions,
    foundRows: () => readRows(folder),
    foundLate: lateOf(checkpoints),
    undrained: undrainedOf(manifest, checkpoints),
  });
  return { verification };
}

const NOTHING: Verification = {
  messages: {
    sent: 0,
    acked: 0,
    aggregated: 0,
    late: 0,
    lost: 0,
    duplicated: 0,
    indeterminate: 0,
    undrained: 0,
    plantedDuplicates: 0,
  },
  rows: { expected: 0, found: 0, missing: 0, extra: 0, wrong: 0 },
  findings: [],
  findingCount: 0,
  unplannedLateCount: 0,
  balanced: true,
  indeterminatePresentCount: 0,
};

/** What the ledger alone says, where rows and messages could not be compared. */
function onlyCounted(ledger: LedgerContents | undefined): Verification {
  const sizes = (which: "acknowledged" | "indeterminate") =>
    (ledger?.partitions ?? []).flatMap((one) => one[which])
      .reduce((sum, { first, until }) => sum + until - first, 0);
  const acked = sizes("acknowledged");
  const indeterminate = sizes("indeterminate");
  return {
    ...NOTHING,
    messages: { ...NOTHING.messages, sent: acked + indeterminate, acked, indeterminate },
  };
}

interface Rates {
  readonly rateMessagesPerSec: number | null;
  readonly scheduledRateMessagesPerSec: number | null;
}

function ratesOf(manifest: Manifest, ledger: LedgerContents | undefined, acked: number): Rates {
  const { generator } = manifest;
  if (ledger === undefined) return { rateMessagesPerSec: null, scheduledRateMessagesPerSec: null };
  const { schedule } = ledger;
  const lastUs = schedule.intendedUs(schedule.messageCount - 1);
  const scheduled = lastUs > 0 && Number.isFinite(lastUs)
    ? (schedule.messageCount - 1) / (lastUs / 1e6)
    : manifest.config.load.rateMessagesPerSec;
  const lastReceiptMs = generator?.lastReceiptWallMs ?? null;
  const tookMs = lastReceiptMs === null ? 0 : lastReceiptMs - ledger.header.startWallMs;
  return {
    rateMessagesPerSec: tookMs > 0 && acked > 0 ? acked / (tookMs / 1000) : null,
    scheduledRateMessagesPerSec: scheduled,
  };
}

interface Measured extends ResourceUse {
  readonly latencies: Latencies;
  readonly bytes: { readonly inserts: number; readonly checkpoints: number };
  readonly durationSec: number;
}

async function readMeasured(folder: RunFolder, manifest: Manifest): Promise<Measured> {
  const samples = readSamples(systemDisk, folder.file("samples.jsonl"));
  const from = manifest.measuredFromMs ?? -Infinity;
  const to = manifest.measuredToMs ?? Infinity;
  const grown = (metric: string) => totals(samples, "aggregate", metric).at(-1) ?? 0;
  const durationMs = Number.isFinite(from) && Number.isFinite(to) ? to - from : 0;
  return {
    ...resourceUse(samples.filter(({ atMs }) => atMs >= from - 1000 && atMs <= to + 1000)),
    latencies: Latencies.fromJSON(await readHistograms(folder)),
    bytes: { inserts: grown(METRIC.insertBytes), checkpoints: grown(METRIC.checkpointBytes) },
    durationSec: durationMs / 1000,
  };
}

function measuredResult(
  folder: RunFolder,
  manifest: Manifest,
  verification: Verification,
  rates: Rates,
  measured: Measured,
): MeasuredResult {
  const { latencies, bytes, cpuSeconds, rssBytesMax, durationSec } = measured;
  const { acked } = verification.messages;
  const cpu = Object.values(cpuSeconds).reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const work = (name: "inserts" | "checkpoints", histogram: string) => {
    const durationUs = latencies.of(histogram).summary();
    return { count: durationUs.count, bytes: bytes[name], durationUs };
  };
  return {
    schemaVersion: RESULT_SCHEMA_VERSION,
    runId: manifest.runId,
    ...rates,
    messages: verification.messages,
    rows: verification.rows,
    latencyUs: {
      publish: latencies.of("publish").summary(),
      delivery: latencies.of("delivery").summary(),
      windowVisible: latencies.of("windowVisible").summary(),
      windowEndToVisible: latencies.of("windowEndToVisible").summary(),
    },
    inserts: work("inserts", "insert"),
    checkpoints: work("checkpoints", "checkpoint"),
    cpuSeconds,
    rssBytesMax,
    cpuNsPerMessage: acked > 0 && cpu > 0 ? (cpu * 1e9) / acked : null,
    durationSec,
    systems: manifest.systems,
    restarts: [...manifest.restarts],
    plants: [...manifest.config.plants],
    unsafe: [...manifest.config.unsafe],
    loop: manifest.config.loop,
    warmUpSec: manifest.config.warmUpMs / 1000,
    events: readEvents(systemDisk, folder.file(EVENTS_FILE)).map((
      { command: _command, ...event },
    ) => event),
    findings: [...verification.findings],
    findingCount: verification.findingCount,
    runDir: folder.path,
    configuration: { ...manifest.config },
    environment: { ...manifest.environment },
  };
}

/** @returns why it cannot be trusted, where it cannot */
function readLedgerOf(folder: RunFolder, { ledgerBytes }: Manifest): LedgerContents | string {
  const path = ledgerPath(folder.file("ledger"), "produce");
  try {
    const ledger = readLedger(systemDisk, path);
    const { size } = Deno.statSync(path);
    if (ledgerBytes === undefined || ledgerBytes === size) return ledger;
    return `the ledger has ${formatCount(size)} bytes, and had ${
      formatCount(ledgerBytes ?? 0)
    } when the run ended`;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Judges a run from its folder alone: no server needs to be up. Writes `verdict.json`.
 *
 * @param unsaved is told when `verdict.json` could not be written
 * @param signal ends the work with its reason; the folder stays as it is
 * @throws when the folder is not that of a run
 */
export async function judgeRun(
  folder: RunFolder,
  unsaved: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const manifest = await readManifest(folder);
  const ledger = readLedgerOf(folder, manifest);
  const contents = typeof ledger === "string" ? undefined : ledger;
  const verified: Verified = contents === undefined
    ? { unverified: ledger as string }
    : await verifyRun(folder, manifest, contents, signal);
  const verification = "verification" in verified ? verified.verification : onlyCounted(contents);
  const result = judge(
    measuredResult(
      folder,
      manifest,
      verification,
      ratesOf(manifest, contents, verification.messages.acked),
      await readMeasured(folder, manifest),
    ),
    {
      unverified: "unverified" in verified ? verified.unverified : null,
      unplannedLateCount: verification.unplannedLateCount,
      balanced: verification.balanced,
      generator: manifest.generator,
      brokenOff: breakOffOf(manifest),
      thresholds: parseThresholds(manifest.config.thresholds),
    },
  );
  signal?.throwIfAborted();
  // On a full disk, or a folder of somebody else's, the judgement still counts.
  await writeJson(folder.file("verdict.json"), result).catch(unsaved);
  return result;
}
