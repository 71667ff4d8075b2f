import { dirname } from "node:path";
import { messageOf, systemClock, systemRandom, UsageError } from "../lib/base/mod.ts";
import { assertDiskSpace, createRunFolder, newRunId, type RunFolder } from "../lib/run/mod.ts";
import {
  type BenchConfig,
  type ClientName,
  describeEnvironment,
  isEmbedded,
  makeClickHousePassword,
  parseTimedCommand,
  plannedMessageCount,
  runBench,
  type Unsafe,
} from "../lib/scenarios/mod.ts";
import { checkThreshold, EXIT_CODES, type Result } from "../lib/verdict/mod.ts";
import {
  batchSettings,
  clickhousePassword,
  clickhouseTarget,
  defaultTopic,
  fullTopic,
  loadSettings,
  pulsarTarget,
  windowSettings,
} from "./_config.ts";
import { ensureEngine } from "./_engine.ts";
import type { FlagValues } from "./_flags.ts";
import { listenForInterrupts } from "./_interrupts.ts";
import { EXIT, type Job, runJob } from "./_job.ts";
import { liveObserver } from "./_live.ts";
import {
  AGGREGATE_FLAGS,
  checkRunId,
  CLICKHOUSE_FLAGS,
  LOAD_FLAGS,
  PULSAR_FLAGS,
  TOPIC_FLAGS,
  WINDOW_FLAGS,
} from "./_tables.ts";
import project from "../deno.json" with { type: "json" };

const TABLE = {
  ...LOAD_FLAGS,
  "partitions": { kind: "count", default: "4", min: 1, max: 1000, help: "partitions of the topic" },
  "aggregators": { kind: "count", default: "1", min: 1, max: 64, help: "aggregator processes" },
  ...PULSAR_FLAGS,
  ...CLICKHOUSE_FLAGS,
  ...TOPIC_FLAGS,
  ...WINDOW_FLAGS,
  ...AGGREGATE_FLAGS,
  "threshold": {
    kind: "list",
    check: checkThreshold,
    help: "what must hold for PASS, e.g. 'windowVisible.p99<1s'; may be given again",
  },
  "fault": {
    kind: "list",
    check: (text: string) => void parseTimedCommand(text),
    help: "what to do to the run, and when: kill aggregate at 30s, freeze broker for 2s at 10s",
  },
  "warm-up": {
    kind: "duration",
    default: "0s",
    help: "leave the latencies of so much of the begin out",
  },
  "name": {
    kind: "text",
    default: "bench50k",
    check: checkRunId,
    help: "name of the scenario, in the report",
  },
  "out": { kind: "text", help: "folder of the run (default runs/RUN_ID)" },
  "keep": { kind: "boolean", help: "keep the topic and the data of embedded parts" },
  "json": { kind: "boolean", help: "print the result as JSON on stdout, all else on stderr" },
} as const;

/** Bytes that a message takes in the broker's log, and what the other parts need at most. */
const LOG_BYTES_PER_MESSAGE = 200;
const OTHER_BYTES = 500e6;

/** Without links in it: Deno lets a module read the files that it imports only by their own names. */
const ROOT = Deno.realPathSync(dirname(import.meta.dirname!));

function configOf(flags: FlagValues<typeof TABLE>, runId: string): BenchConfig {
  return {
    runId,
    name: flags["name"],
    pulsar: pulsarTarget(flags),
    client: flags["client"] as ClientName,
    clickhouse: clickhouseTarget(flags),
    window: windowSettings(flags),
    load: loadSettings(flags),
    topic: flags["topic"] === undefined ? defaultTopic(runId) : fullTopic(flags["topic"]),
    subscription: flags["subscription"],
    partitionCount: flags["partitions"],
    aggregatorCount: flags["aggregators"],
    ...batchSettings(flags),
    batchRowsMax: flags["batch-rows"],
    checkpointIntervalMs: flags["checkpoint-interval"],
    idleAfterMs: flags["idle-after"],
    thresholds: flags["threshold"],
    plants: flags["plant"],
    unsafe: flags["unsafe"] as Unsafe[],
    faults: flags["fault"],
    warmUpMs: flags["warm-up"],
    keep: flags["keep"],
  };
}

async function makeFolder(config: BenchConfig, out: string): Promise<RunFolder> {
  const folder = await createRunFolder(out);
  try {
    const logBytes = isEmbedded(config.pulsar.serviceUrl)
      ? plannedMessageCount(config.load) * LOG_BYTES_PER_MESSAGE
      : 0;
    await assertDiskSpace(folder.path, logBytes + OTHER_BYTES);
  } catch (error) {
    await Deno.remove(folder.path, { recursive: true });
    throw error;
  }
  return folder;
}

/** A run that sent nothing leaves nothing behind, unless somebody asks for its logs; what was sent is kept, whatever happened. */
async function tidyAfter(
  folder: RunFolder,
  { keepLogs, say }: { readonly keepLogs: boolean; readonly say: (text: string) => void },
): Promise<void> {
  const hasSent = await Deno.stat(folder.file("ledger/produce.jsonl")).then(
    ({ size }) => size > 0,
    () => false,
  );
  if (!hasSent && !keepLogs) return await Deno.remove(folder.path, { recursive: true });
  const isComplete = await Deno.stat(folder.file("rows.jsonl")).then(() => true, () => false);
  const how = isComplete ? `; \`deno task verify ${folder.path}\` judges it` : "";
  say(`what there is of the run lies in ${folder.path}${how}`);
}

/** The report is a picture of the result: where it cannot be drawn, e.g. because the disk is full, the result still counts. */
async function drawReport(folder: RunFolder): Promise<string> {
  try {
    // Loaded only now: the charts' library would count as memory of the runner.
    const { writeReport } = await import("../lib/weir.ts");
    return await writeReport(folder);
  } catch (error) {
    return `none: ${messageOf(error)}; \`deno task report ${folder.path}\` draws it later`;
  }
}

/** One run, as flags say it; what `deno task run` makes of a scenario comes here too. */
export const BENCH: Job<typeof TABLE> = {
  usage: {
    command: "deno task bench50k",
    summary:
      "Sends AVRO records through a Pulsar broker into 1-minute windows in ClickHouse, and proves that nothing was lost or doubled.",
    examples: [
      "deno task bench50k",
      "deno task bench50k --rate 20000 --duration 30s",
      "deno task bench50k --pulsar pulsar://localhost:6650 --clickhouse http://localhost:8123",
      "deno task bench50k --threshold 'windowVisible.p99<1s' --threshold 'publish.p99<=50ms'",
      "deno task bench50k --time-scale 60 --duration 20s    # a window closes every second",
    ],
  },
  table: TABLE,
  async run({ flags }) {
    const runId = flags["run-id"] ??
      newRunId(flags["name"], systemClock.wallMs(), systemRandom.uint32());
    const config = configOf(flags, runId);
    if (config.plants.length > 1) {
      throw new UsageError("one fault a run can be planted", "give --plant once");
    }
    if (config.plants.length > 0 && config.aggregatorCount > 1) {
      throw new UsageError(
        "--plant with --aggregators above 1 would plant each fault more than once",
        "give --aggregators 1",
      );
    }
    const folder = await makeFolder(config, flags["out"] ?? `runs/${runId}`);
    const live = liveObserver(config, systemClock);
    const startedAtMs = systemClock.wallMs();
    const { stopping, abandoning } = listenForInterrupts(
      systemClock,
      (text) => live.remark(text),
      () => live.isVerifying,
    );
    let result: Result;
    try {
      if (isEmbedded(config.clickhouse.url)) {
        const say = (text: string) => live.remark(text);
        const isTerminal = Deno.stderr.isTerminal();
        await ensureEngine({ root: ROOT, say, isTerminal, signal: stopping });
      }
      result = await runBench({
        config,
        folder,
        root: ROOT,
        clickhousePassword: isEmbedded(config.clickhouse.url)
          ? await makeClickHousePassword(folder)
          : clickhousePassword(flags),
        clock: systemClock,
        environment: await describeEnvironment(ROOT, project.version),
        observer: live,
        stopping,
        abandoning,
      });
    } catch (error) {
      await tidyAfter(folder, { keepLogs: flags["verbose"], say: (text) => live.remark(text) });
      if (stopping.aborted || abandoning.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      live.end();
    }
    live.summary(result, { reportPath: await drawReport(folder), startedAtMs });
    if (flags["json"]) console.log(JSON.stringify(result, null, 2));
    return stopping.aborted ? EXIT.interrupted : EXIT_CODES[result.verdict];
  },
};

if (import.meta.main) await runJob(BENCH);
