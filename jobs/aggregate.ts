import { systemClock } from "../lib/base/mod.ts";
import {
  type ClientName,
  connectDriver,
  CuttableConnections,
  makeTopicIfMissing,
  openRoleIo,
  openSink,
  openSource,
  runAggregate,
  sayFailure,
  type Unsafe,
} from "../lib/scenarios/mod.ts";
import {
  clickhousePassword,
  clickhouseTarget,
  fullTopic,
  pulsarTarget,
  windowSettings,
} from "./_config.ts";
import { EXIT, runJob } from "./_job.ts";
import {
  AGGREGATE_FLAGS,
  checkTopic,
  CLICKHOUSE_FLAGS,
  METRICS_FLAGS,
  PARTITIONS_FLAG,
  PULSAR_FLAGS,
  WINDOW_FLAGS,
} from "./_tables.ts";

await runJob({
  usage: {
    command: "deno task aggregate",
    summary:
      "Reads SensorRecords from a topic into windows, and stores each window exactly once in ClickHouse.",
    examples: [
      "deno task aggregate --topic sensors --run-id demo --checkpoints .data/demo-checkpoints",
    ],
  },
  table: {
    ...PULSAR_FLAGS,
    "pulsar": { ...PULSAR_FLAGS.pulsar, default: "pulsar://127.0.0.1:6650" },
    ...CLICKHOUSE_FLAGS,
    "clickhouse": { ...CLICKHOUSE_FLAGS.clickhouse, default: "http://127.0.0.1:8123" },
    "topic": { kind: "text", default: "weir", check: checkTopic, help: "topic" },
    "partitions": PARTITIONS_FLAG,
    "run-id": { kind: "text", default: "manual", help: "marks the rows" },
    ...WINDOW_FLAGS,
    ...AGGREGATE_FLAGS,
    "consumer-name": {
      kind: "text",
      default: "aggregate-1",
      help: "name among the subscription's consumers",
    },
    "checkpoints": {
      kind: "text",
      default: ".data/checkpoints",
      help: "folder of the checkpoints, shared by all aggregators of the run",
    },
    "time-scale": {
      kind: "number",
      default: "1",
      min: 0.001,
      max: 100_000,
      help: "how many times faster than the clock event time runs",
    },
    ...METRICS_FLAGS,
  },
  async run({ flags }) {
    const io = openRoleIo();
    const clickhouse = clickhouseTarget(flags);
    try {
      await using sink = await openSink(clickhouse, clickhouse.url, clickhousePassword(flags));
      await sink.prepare();
      const connections = new CuttableConnections();
      const name = flags["client"] as ClientName;
      await using client = await connectDriver(pulsarTarget(flags), name, connections);
      const topic = fullTopic(flags["topic"]);
      if (!io.supervised) {
        const partitionCount = flags["partitions"];
        await makeTopicIfMissing(pulsarTarget(flags), { topic, partitionCount }, io.tell);
      }
      const source = await openSource(client, {
        topic,
        subscription: flags["subscription"],
        consumerName: flags["consumer-name"],
      });
      await runAggregate({
        config: {
          runId: flags["run-id"],
          window: windowSettings(flags),
          batchRowsMax: flags["batch-rows"],
          checkpointIntervalMs: flags["checkpoint-interval"],
          plants: flags["plant"],
          unsafe: flags["unsafe"] as Unsafe[],
        },
        timeScale: flags["time-scale"],
        idleAfterMs: flags["idle-after"],
        source,
        sink,
        checkpointFolder: flags["checkpoints"],
        metricsPort: flags["metrics-port"],
        connections,
        clock: systemClock,
        io,
      });
    } catch (error) {
      sayFailure(io, error);
      throw error;
    }
    return EXIT.pass;
  },
});
