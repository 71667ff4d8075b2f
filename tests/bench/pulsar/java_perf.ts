/** Pulsar's own load tool, `pulsar-perf`, on the official Java client: measured from outside while it runs. */
import { join } from "node:path";
import { download, findJava, type Say } from "../../../infra/java.ts";
import { PULSAR_LIB_DIR } from "../../../infra/pulsar/server.ts";
import { systemClock } from "../../../lib/base/mod.ts";
import type { BenchBroker } from "./brokers.ts";
import { NotMeasured } from "./client_runs.ts";
import type { Row } from "./measure.ts";
import { processFigures } from "./process_figures.ts";

const INFRA = join(import.meta.dirname!, "..", "..", "..", "infra");
const STORE_DIR = join(INFRA, "..", ".data", "infra");
const PERF_LIB_DIR = join(STORE_DIR, "pulsar-perf-4.0.8", "lib");
const JAVA_MAJOR_MIN = 17;
/** Rate that the tool cannot reach: it sends as fast as it can. */
const UNBOUNDED_RATE = 20_000_000;

/** What a Java row is made with. */
export interface JavaOptions {
  readonly broker: BenchBroker;
  readonly batchMessages: number;
  readonly messageBytes: number;
  /** Until the JIT has compiled what is hot. */
  readonly warmUpSec: number;
  readonly measureSec: number;
}

/**
 * Brings the tool.
 *
 * @throws {NotMeasured} when Java or Maven is missing
 */
export async function bringJavaPerf(say: Say): Promise<string> {
  try {
    const java = await findJava(JAVA_MAJOR_MIN);
    await download({
      name: "pulsar-perf 4.0.8",
      pomFile: join(INFRA, "pulsar", "perf", "pom.xml"),
      settingsFile: join(INFRA, "pulsar", "settings.xml"),
      libDir: PERF_LIB_DIR,
      repositoryDir: join(STORE_DIR, "maven"),
      fileCountAbout: 60,
    }, say);
    return java;
  } catch (error) {
    throw new NotMeasured((error as Error).message);
  }
}

/** One run of the tool; it ends when it is disposed of. */
class PerfRun implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor(java: string, args: readonly string[]) {
    this.#child = new Deno.Command(java, {
      args: [
        ...["-Xms512m", "-Xmx512m", "-XX:MaxDirectMemorySize=512m", "-XX:+UseG1GC"],
        ...["-Dio.netty.leakDetectionLevel=disabled", "-Dpulsar.allocator.exit_on_oom=true"],
        `-Dlog4j2.configurationFile=${join(INFRA, "pulsar", "log4j2.xml")}`,
        ...["-Dweir.log=/dev/null", "--add-opens", "java.base/sun.net=ALL-UNNAMED"],
        ...["-cp", `${PERF_LIB_DIR}/*:${PULSAR_LIB_DIR}/*`],
        ...["org.apache.pulsar.testclient.PulsarPerfTestTool", "/dev/null", ...args],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
  }
}

interface TopicCounters {
  readonly msgInCounter: number;
  readonly msgOutCounter: number;
}

async function counters(broker: BenchBroker, topic: string): Promise<TopicCounters> {
  const path = topic.replace("://", "/");
  const response = await fetch(`${broker.adminUrl}/admin/v2/${path}/stats`);
  if (!response.ok) {
    await response.body?.cancel();
    return { msgInCounter: 0, msgOutCounter: 0 };
  }
  return await response.json();
}

/** Waits until the broker has counted this many messages of a topic in one direction. */
async function until(
  broker: BenchBroker,
  topic: string,
  reached: (counted: TopicCounters) => boolean,
): Promise<void> {
  const deadlineUs = systemClock.monoUs() + 120e6;
  while (!reached(await counters(broker, topic))) {
    if (systemClock.monoUs() > deadlineUs) throw new Error("pulsar-perf has not begun its work");
    await systemClock.sleep(100);
  }
}

/** Figures between two instants, by the broker's own count. */
async function between(
  options: JavaOptions,
  row: { readonly direction: "in" | "out" | "in+out"; readonly topic: string },
  runs: { readonly producer?: PerfRun; readonly consumer?: PerfRun },
): Promise<Row> {
  const { broker } = options;
  const all = [broker.pid, runs.producer?.pid, runs.consumer?.pid];
  const read = async () => ({
    atUs: systemClock.monoUs(),
    cpuSec: all.map((pid) => pid === undefined ? 0 : processFigures(pid).cpuSec),
    ...await counters(broker, row.topic),
  });
  const before = await read();
  await systemClock.sleep(options.measureSec * 1000);
  const after = await read();
  const inCount = after.msgInCounter - before.msgInCounter;
  const outCount = after.msgOutCounter - before.msgOutCounter;
  // At once the consumer may fall behind: what went in and came out, halved, is what went through.
  const messageCount =
    { in: inCount, out: outCount, "in+out": (inCount + outCount) / 2 }[row.direction];
  const used = (i: number) => (after.cpuSec[i]! - before.cpuSec[i]!) * 1e9;
  return {
    ...{ broker: broker.name, client: "Java perf 4.0.8", direction: row.direction, messageCount },
    messagesPerSec: messageCount / ((after.atUs - before.atUs) / 1e6),
    brokerNs: used(0) / messageCount,
    producerNs: runs.producer && used(1) / inCount,
    consumerNs: runs.consumer && used(2) / outCount,
    brokerResidentBytes: processFigures(broker.pid).residentBytes,
  };
}

/** In alone, out of the backlog that this has left, then both at once. */
export async function measureJava(java: string, options: JavaOptions): Promise<Row[]> {
  const { broker, batchMessages, messageBytes, warmUpSec } = options;
  const url = ["-u", broker.serviceUrl];
  const size = ["-s", String(messageBytes), "-bm", String(batchMessages), "-b", "1"];
  const topic = `persistent://public/default/perf-${crypto.randomUUID().slice(0, 8)}`;
  const produce = (to: string) =>
    new PerfRun(java, [
      "produce",
      ...url,
      ...size,
      "-r",
      String(UNBOUNDED_RATE),
      "-o",
      "50000",
      to,
    ]);
  const consume = (from: string, subscription: string) =>
    new PerfRun(java, [
      "consume",
      ...url,
      "-ss",
      subscription,
      "-sp",
      "Earliest",
      "-q",
      "50000",
      from,
    ]);
  const warm = () => systemClock.sleep(warmUpSec * 1000);
  const rows: Row[] = [];
  {
    await using producer = produce(topic);
    await until(broker, topic, ({ msgInCounter }) => msgInCounter > 0);
    await warm();
    rows.push(await between(options, { direction: "in", topic }, { producer }));
  }
  {
    await using consumer = consume(topic, "backlog");
    await until(broker, topic, ({ msgOutCounter }) => msgOutCounter > 0);
    await systemClock.sleep(warmUpSec * 300);
    rows.push(
      await between({ ...options, measureSec: options.measureSec / 3 }, {
        direction: "out",
        topic,
      }, { consumer }),
    );
  }
  const through = `${topic}-through`;
  await using producer = produce(through);
  await until(broker, through, ({ msgInCounter }) => msgInCounter > 0);
  await using consumer = consume(through, "through");
  await until(broker, through, ({ msgOutCounter }) => msgOutCounter > 0);
  await warm();
  rows.push(
    await between(options, { direction: "in+out", topic: through }, { producer, consumer }),
  );
  return rows;
}
