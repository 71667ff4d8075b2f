/** Sends acknowledgements of one topic's consumer, many in one command, and requests for redelivery. */
import type { Clock } from "../../base/mod.ts";
import type { Position } from "../../contract.ts";
import { AckReceipt } from "./ack_receipt.ts";
import { type AckId, AckTracker, keyOf, type PendingAcks } from "./ack_tracker.ts";
import { Alarm } from "./alarm.ts";
import { comparePositions } from "./positions.ts";
import type { TopicSession } from "./topic_session.ts";
import {
  type CommandAck,
  CommandAckAckType,
  encodeCommand,
  type MessageIdData,
  ProtoWriter,
  PulsarError,
  serverError,
  writeCommand,
} from "../wire/mod.ts";

/** Acknowledgements that wait before they are sent at once, as in Java's client. */
const GROUP_MAX = 1000;
const DONE: Promise<void> = Promise.resolve();

/** How acknowledgements are sent. */
export interface AckSettings {
  readonly batchIndexAck: boolean;
  /** 0 for at once. */
  readonly ackGroupTimeMs: number;
  readonly ackReceipt: boolean;
}

/** What acknowledgements are sent with, and who hears of them. */
export interface AckSenderOptions extends AckSettings {
  /** How long a receipt may take. */
  readonly receiptTimeoutMs: number;
  /** Hears of each message, and whether with it its entry is dealt with. */
  readonly acknowledged: (id: AckId, isWhole: boolean) => void;
}

/** The acknowledgements of one topic's consumer. */
export class AckSender {
  readonly tracker: AckTracker;
  readonly #session: TopicSession;
  readonly #clock: Clock;
  readonly #settings: AckSenderOptions;
  readonly #alarm: Alarm;
  /** Grown once to what a thousand acknowledgements take. */
  readonly #writer = new ProtoWriter();
  /** Chunks by the place of the message that they make. */
  readonly #chunks = new Map<string, readonly Position[]>();
  /** Whoever waits for the receipt of what is not sent yet. */
  #group: AckReceipt | undefined;
  #error: PulsarError | undefined;
  /** Acknowledgements that were sent; a batch counts once. */
  sentCount = 0;

  constructor(clock: Clock, session: TopicSession, settings: AckSenderOptions) {
    this.#clock = clock;
    this.#session = session;
    this.#settings = settings;
    this.tracker = new AckTracker({ sendsBatchIndexes: settings.batchIndexAck });
    this.#alarm = new Alarm(clock, () => this.flush());
  }

  /** Remembers which entries a message in chunks is made of. */
  chunked(positions: readonly Position[]): void {
    this.#chunks.set(keyOf(positions.at(-1)!), positions);
  }

  /** Where the chunks of a message lie; undefined for a message in one piece. */
  chunksOf(position: Position): readonly Position[] | undefined {
    return this.#chunks.size === 0 ? undefined : this.#chunks.get(keyOf(position));
  }

  /** @throws {PulsarError} from the result: with receipts, `request_timeout` or what the broker answers */
  acknowledge(id: AckId): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const chunks = this.chunksOf(id);
    let isWhole = true;
    if (chunks === undefined) isWhole = this.tracker.acknowledge(id);
    else {
      this.#chunks.delete(keyOf(id));
      for (const chunk of chunks) this.tracker.acknowledge({ ...chunk, batchIndex: -1 });
    }
    this.#settings.acknowledged(id, isWhole);
    return this.#later();
  }

  /** @throws {PulsarError} from the result: with receipts, `request_timeout` or what the broker answers */
  acknowledgeCumulative(id: AckId): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.tracker.acknowledgeCumulative(id);
    for (const [key, chunks] of this.#chunks) {
      if (comparePositions(chunks.at(-1)!, id) <= 0) this.#chunks.delete(key);
    }
    return this.#later();
  }

  /** Sends what waits, while there is a connection. */
  flush(): void {
    // The alarm stays: to set it anew would cost more than one that rings for nothing.
    const { connection } = this.#session;
    if (connection === undefined || this.tracker.pendingCount === 0) return;
    const acks = this.tracker.take();
    this.sentCount += acks.individual.length + (acks.cumulative === undefined ? 0 : 1);
    const bodies = commandsOf(acks);
    if (this.#settings.ackReceipt) return void this.#sendForReceipt(bodies, acks);
    const { consumerId } = this.#session;
    for (const body of bodies) {
      writeCommand(this.#writer.reset(), "ACK", { ...body, consumerId });
      this.#writer.frame32(this.#writer.length);
      connection.write(this.#writer.finish());
    }
  }

  /** Asks for entries again, or for everything that is not acknowledged. */
  redeliver(
    what: { readonly positions?: readonly Position[]; readonly consumerEpoch?: number | undefined },
  ): void {
    const { connection, consumerId } = this.#session;
    if (connection === undefined) return;
    const ids = what.positions?.flatMap((position) => this.chunksOf(position) ?? [position]);
    if (ids === undefined) {
      const body = { consumerId, consumerEpoch: what.consumerEpoch };
      return connection.write(encodeCommand("REDELIVER_UNACKNOWLEDGED_MESSAGES", body));
    }
    for (let i = 0; i < ids.length; i += GROUP_MAX) {
      const messageIds = ids.slice(i, i + GROUP_MAX).map(({ ledgerId, entryId }) => ({
        ledgerId,
        entryId,
      }));
      const body = { consumerId, messageIds };
      connection.write(encodeCommand("REDELIVER_UNACKNOWLEDGED_MESSAGES", body));
    }
  }

  /** A new session: what could not be sent goes now. */
  sessionBegins(): void {
    this.tracker.sessionBegins();
    this.#chunks.clear();
    this.flush();
  }

  /** Forgets everything: the cursor was moved. */
  clear(): void {
    this.tracker.clear();
    this.#chunks.clear();
    this.#settle();
  }

  /** Sends what waits; from here on acknowledgements are rejected. */
  close(error: PulsarError): void {
    if (this.#error !== undefined) return;
    this.flush();
    this.#error = error;
    this.#alarm.cancel();
    // What is still here was never sent: the message comes again.
    this.#settle(error);
  }

  #later(): Promise<void> {
    const { ackGroupTimeMs, ackReceipt } = this.#settings;
    const result = ackReceipt ? this.#waitingGroup().promise : DONE;
    if (this.tracker.pendingCount === 0) this.#settle();
    else if (ackGroupTimeMs === 0 || this.tracker.pendingCount >= GROUP_MAX) this.flush();
    else if (!this.#alarm.isSet) this.#alarm.within(ackGroupTimeMs);
    return result;
  }

  async #sendForReceipt(
    bodies: readonly Omit<CommandAck, "consumerId">[],
    acks: PendingAcks,
  ): Promise<void> {
    const group = this.#group;
    this.#group = undefined;
    const action = `acknowledge messages of ${this.#session.topic}`;
    try {
      await Promise.all(bodies.map(async (body) => {
        const answer = await this.#session.request("ACK", body, action);
        if (answer.type !== "ACK_RESPONSE") return;
        const { error, message } = answer.body;
        if (error !== undefined) throw serverError(action, error, message);
      }));
      group?.resolve();
    } catch (error) {
      const isLost = error instanceof PulsarError && error.retryable && this.#error === undefined;
      if (!isLost) return group?.reject(error);
      // The broker may have noted it or not: it is sent again, on the next connection.
      this.tracker.restore(acks);
      this.#follow(group);
      if (this.#session.connection !== undefined) this.#alarm.within(this.#settings.ackGroupTimeMs);
    }
  }

  /** The receipt of what waits to be sent. */
  #waitingGroup(): AckReceipt {
    if (this.#group?.isSettled !== false) {
      const { topic } = this.#session;
      const timeoutMs = this.#settings.receiptTimeoutMs;
      this.#group = new AckReceipt({ clock: this.#clock, topic, timeoutMs });
    }
    return this.#group;
  }

  /** Whoever waited for a group that was lost hears what becomes of the next. */
  #follow(group: AckReceipt | undefined): void {
    if (group?.isSettled === false) group.follow(this.#waitingGroup());
  }

  #settle(error?: PulsarError): void {
    const group = this.#group;
    this.#group = undefined;
    if (error === undefined) group?.resolve();
    else group?.reject(error);
  }
}

function commandsOf({ cumulative, individual }: PendingAcks): Omit<CommandAck, "consumerId">[] {
  const bodies: Omit<CommandAck, "consumerId">[] = [];
  if (cumulative !== undefined) {
    bodies.push({ ackType: CommandAckAckType.Cumulative, messageId: [cumulative] });
  }
  for (let i = 0; i < individual.length; i += GROUP_MAX) {
    const messageId: MessageIdData[] = individual.slice(i, i + GROUP_MAX);
    bodies.push({ ackType: CommandAckAckType.Individual, messageId });
  }
  return bodies;
}
