import { systemClock } from "../lib/base/mod.ts";
import {
  type ClientName,
  connectDriver,
  CuttableConnections,
  makeTopicIfMissing,
  openProducer,
  openRoleIo,
  runProduce,
  sayFailure,
} from "../lib/scenarios/mod.ts";
import { batchSettings, fullTopic, loadSettings, pulsarTarget, windowSettings } from "./_config.ts";
import { EXIT, runJob } from "./_job.ts";
import {
  checkTopic,
  LOAD_FLAGS,
  METRICS_FLAGS,
  PARTITIONS_FLAG,
  PULSAR_FLAGS,
  WINDOW_FLAGS,
} from "./_tables.ts";

await runJob({
  usage: {
    command: "deno task produce",
    summary:
      "Sends AVRO SensorRecords to a topic on a schedule, and keeps a ledger of what was acknowledged.",
    examples: [
      "deno task produce --topic sensors --run-id demo --rate 1000 --duration 1m --ledger .data/demo",
    ],
  },
  table: {
    ...LOAD_FLAGS,
    ...PULSAR_FLAGS,
    "pulsar": { ...PULSAR_FLAGS.pulsar, default: "pulsar://127.0.0.1:6650" },
    "topic": {
      kind: "text",
      default: "weir",
      check: checkTopic,
      help: "topic; made if it is not there",
    },
    "run-id": {
      kind: "text",
      default: "manual",
      help: "names the producer: one that is started again goes on",
    },
    "partitions": PARTITIONS_FLAG,
    ...WINDOW_FLAGS,
    "ledger": {
      kind: "text",
      default: ".data/ledger",
      help: "folder of the ledger; one that is there is gone on with",
    },
    ...METRICS_FLAGS,
  },
  async run({ flags }) {
    const io = openRoleIo();
    const config = {
      runId: flags["run-id"],
      load: loadSettings(flags),
      window: windowSettings(flags),
      ...batchSettings(flags),
    };
    try {
      const connections = new CuttableConnections();
      const name = flags["client"] as ClientName;
      await using client = await connectDriver(pulsarTarget(flags), name, connections);
      const topic = fullTopic(flags["topic"]);
      if (!io.supervised) {
        const partitionCount = flags["partitions"];
        await makeTopicIfMissing(pulsarTarget(flags), { topic, partitionCount }, io.tell);
      }
      const producer = await openProducer(client, {
        topic,
        runId: config.runId,
        compression: config.compression,
      });
      await runProduce({
        config,
        producer,
        ledgerFolder: flags["ledger"],
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
