/** The embedded broker without sockets: its own connection class on both ends of a pipe, its log on the real disk. */
import { Broker } from "../../lib/pulsar/broker/broker.ts";
import { Connection } from "../../lib/pulsar/broker/connection/connection.ts";
import { partsOf } from "../../lib/pulsar/broker/start.ts";
import type { StartOptions } from "../../lib/pulsar/broker/start.ts";
import { type Heard, MemorySocket } from "./memory_socket.ts";

const SERVICE_URL = "pulsar://127.0.0.1:6650";

/** What JavaScript says when code is wrong; the errors of the broker are sentences of its own. */
const BUG =
  /is not a function|is not iterable|Cannot read properties|Cannot set properties|is not defined|Invalid (?:array|typed array) length|offset is out of bounds|call stack|cannot be converted|Cannot mix BigInt|assert|more bytes than there was room|unreachable|out of memory|must be|is not valid JSON|Unexpected token|before initialization/i;

/** A broker in this process. */
export class MemoryBroker implements AsyncDisposable {
  #count = 0;

  private constructor(
    readonly broker: Broker,
    /** What it told its operator that sounds like a bug. */
    readonly faults: string[],
  ) {}

  /** Opens the folder; `report` hears what a broker tells its operator. */
  static async open(folder: string, options: Partial<StartOptions> = {}): Promise<MemoryBroker> {
    const faults: string[] = [];
    const report = (line: string) => {
      if (BUG.test(line)) faults.push(`the broker reports: ${line}`);
    };
    const parts = await partsOf({ folder, failoverDelayMs: 0, report, ...options });
    return new MemoryBroker(await Broker.open(parts), faults);
  }

  /** A connection; the broker serves it until either side closes it. */
  connect(hear: (heard: Heard) => void): { socket: MemorySocket; ended: Promise<void> } {
    const socket = new MemorySocket(hear);
    const address = `127.0.0.1:${++this.#count}`;
    const ended = new Connection(this.broker, socket, { address, serviceUrl: SERVICE_URL }).run();
    return { socket, ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
  }
}
