import { startBroker } from "../../../lib/pulsar/broker/mod.ts";
import type { BrokerHandle, StartOptions } from "../../../lib/pulsar/broker/mod.ts";

/** A broker on a folder of its own, which goes with it. */
export interface TestBroker extends BrokerHandle {
  readonly folder: string;
  readonly lines: string[];
}

/** Starts a broker for one test. */
export async function testBroker(options: Partial<StartOptions> = {}): Promise<TestBroker> {
  const folder = options.folder ?? await Deno.makeTempDir({ prefix: "weir-broker-" });
  const lines: string[] = [];
  const broker = await startBroker({
    folder,
    failoverDelayMs: 0,
    report: (line) => lines.push(line),
    ...options,
  });
  return {
    ...broker,
    folder,
    lines,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      if (options.folder === undefined) await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The full name of a topic for tests. */
export const topicNamed = (name: string) => `persistent://public/default/${name}`;
