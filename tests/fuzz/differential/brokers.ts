/** The two brokers under judgement, which can be ended and started again. */
import { parseUp } from "../../../infra/pulsar/options.ts";
import { bringPulsarDown, bringPulsarUp } from "../../../infra/pulsar/server.ts";
import { systemClock, UsageError } from "../../../lib/base/mod.ts";
import { BrokerError, type BrokerHandle, startBroker } from "../../../lib/pulsar/broker/mod.ts";
import type { Tampering } from "./judge_connection.ts";
import type { JudgedBroker } from "./shape.ts";

/** As the real one has it: no deduplication unless it is asked for, and nothing deleted. */
const POLICIES = { isDeduplicating: false, retentionBytes: -1, retentionMs: -1 };
const PORT_TRIES = 100;
const PORT_RETRY_MS = 50;

/** A broker and its end. */
export interface RunningBroker extends AsyncDisposable {
  readonly judged: JudgedBroker;
}

/** How the real one is run. */
export interface RealOptions {
  readonly dataDir: string;
  /** Ends and starts the process for each restart, which takes long; else the topic is unloaded. */
  readonly isRestarted: boolean;
  /** Leaves it up at the end. */
  readonly isKept: boolean;
  readonly quietRounds: number;
}

async function bringUp(dataDir: string, ports: readonly string[], signal: AbortSignal) {
  const options = parseUp([
    ...["--data", dataDir, "--heap", "512m", ...ports],
    ...["--conf", "activeConsumerFailoverDelayTimeMillis=0"],
    // When old data go is for each broker to choose; here they stay.
    ...["--conf", "defaultRetentionTimeInMinutes=-1", "--conf", "defaultRetentionSizeInMB=-1"],
  ]);
  if (options === "help") throw new UsageError("Cannot start: no flags");
  return await bringPulsarUp(options, console.error, signal);
}

/** A real Pulsar. */
export async function startReal(options: RealOptions, signal: AbortSignal): Promise<RunningBroker> {
  const { dataDir, isRestarted, isKept, quietRounds } = options;
  const down = () => bringPulsarDown({ dataDir, deleteData: false, waitMs: 60_000 }, () => {});
  const server = await bringUp(dataDir, ["--port", "0", "--admin-port", "0"], signal);
  const { serviceUrl, adminUrl, port, adminPort } = server;
  const unload = async (topic: string) => {
    const url = `${adminUrl}/admin/v2/${topic.replace("://", "/")}/unload`;
    await (await fetch(url, { method: "PUT" })).body?.cancel();
  };
  const restart = async () => {
    await down();
    await bringUp(dataDir, ["--port", `${port}`, "--admin-port", `${adminPort}`], signal);
  };
  return {
    judged: {
      ...{ name: "real", serviceUrl, adminUrl, tampering: {}, quietRounds },
      restart: isRestarted ? restart : unload,
    },
    async [Symbol.asyncDispose]() {
      if (isKept) return;
      await bringPulsarDown({ dataDir, deleteData: true, waitMs: 60_000 }, () => {});
    },
  };
}

/** In the same process the port is free a moment after the listener was closed. */
async function insistent(start: () => Promise<BrokerHandle>): Promise<BrokerHandle> {
  for (let tries = 1;; tries++) {
    try {
      return await start();
    } catch (error) {
      const isTaken = error instanceof BrokerError && error.code === "port_taken";
      if (!isTaken || tries === PORT_TRIES) throw error;
      await systemClock.sleep(PORT_RETRY_MS);
    }
  }
}

/** The embedded broker, in this process. */
export async function startEmbedded(
  options: {
    readonly folder: string;
    readonly tampering: Tampering;
    readonly quietRounds: number;
  },
): Promise<RunningBroker> {
  const { folder, tampering, quietRounds } = options;
  const start = (ports: { readonly port?: number; readonly adminPort?: number }) =>
    startBroker({ folder, failoverDelayMs: 0, policies: POLICIES, ...ports });
  let broker: BrokerHandle = await start({});
  const { port, adminPort, url, adminUrl } = broker;
  return {
    judged: {
      ...{ name: "embedded", serviceUrl: url, adminUrl, tampering, quietRounds },
      async restart() {
        await broker[Symbol.asyncDispose]();
        broker = await insistent(() => start({ port, adminPort }));
      },
    },
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}
