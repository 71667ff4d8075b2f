/** A broker that answers as it should, and then not: frames are damaged, said twice, left out, made up, or the line is cut. */
import type { Random } from "../../lib/base/mod.ts";
import type { OpenTransport } from "../../lib/pulsar/client/transport.ts";
import { FakeBroker, type FakeConnection } from "../pulsar/client/fake_broker.ts";
import { FROM_BROKERS, generateCommand, type Surroundings } from "./generate.ts";
import type { RecordedFrame } from "../pulsar/recorded.ts";
import { mutateFrame, pick } from "./mutate.ts";

/** How often what happens: one in so many. */
export interface Lies {
  readonly damageOneIn: number;
  readonly inventOneIn: number;
  readonly dropOneIn: number;
}

/** What a frame of the broker became. */
export type Sent = (bytes: Uint8Array) => void;

/** The fake broker of the client's tests with a bent mouth. */
export class LyingBroker {
  readonly #broker = new FakeBroker();
  readonly #bent = new WeakSet<FakeConnection>();
  #openCount = 0;
  /** Damaged or invented frames that clients were sent. */
  lieCount = 0;
  /** What was said, lies and truth, in order; for reports. */
  readonly said: Uint8Array[] = [];

  constructor(
    private readonly around: Surroundings,
    private readonly recorded: readonly RecordedFrame[],
    private readonly lies: Lies,
  ) {
    this.#broker.partitions = pick(around.random, [0, 0, 2]);
    this.#broker.hook = (command, connection, frame) => {
      this.#bend(connection);
      try {
        this.#broker.answer(command, connection, frame);
        if (command.type === "ACK" && command.body.requestId !== undefined) {
          const { consumerId, requestId } = command.body;
          connection.send("ACK_RESPONSE", { consumerId, requestId });
        }
      } catch {
        // A client that was lied to asks for things that this broker does not have: it gets no answer.
      }
      return true;
    };
  }

  /** Opens a connection to it; counts those that are open. */
  readonly openTransport: OpenTransport = async (address) => {
    const transport = await this.#broker.openTransport(address);
    this.#openCount++;
    let isOpen = true;
    return {
      read: (target) => transport.read(target),
      write: (bytes) => transport.write(bytes),
      close: () => {
        if (isOpen) this.#openCount--;
        isOpen = false;
        transport.close();
      },
    };
  };

  /** Transports that a client has not closed. */
  get openCount(): number {
    return this.#openCount;
  }

  #bend(connection: FakeConnection): void {
    if (this.#bent.has(connection)) return;
    this.#bent.add(connection);
    const send = connection.sendBytes.bind(connection);
    connection.sendBytes = (bytes) => this.#say(bytes, connection, send);
  }

  #say(bytes: Uint8Array, connection: FakeConnection, send: Sent): void {
    const { random } = this.around;
    const isOne = (inSoMany: number) => random.below(inSoMany) === 0;
    const say = (frame: Uint8Array) => {
      this.said.push(frame);
      send(frame);
    };
    if (isOne(this.lies.inventOneIn)) {
      this.lieCount++;
      say(this.#invention(random));
    }
    if (!isOne(this.lies.damageOneIn)) say(bytes);
    else {
      this.lieCount++;
      const what = random.below(12);
      // Left out, said twice, or damaged.
      if (what === 0) return;
      if (what === 1) say(bytes);
      say(what === 1 ? bytes : mutateFrame(bytes, random));
    }
    if (isOne(this.lies.dropOneIn)) connection.drop();
  }

  #invention(random: Random): Uint8Array {
    if (random.below(3) === 0) {
      const frame = pick(random, this.recorded).bytes;
      return random.below(2) === 0 ? frame : mutateFrame(frame, random);
    }
    const frame = generateCommand(pick(random, FROM_BROKERS), this.around);
    return random.below(2) === 0 ? frame : mutateFrame(frame, random);
  }
}
