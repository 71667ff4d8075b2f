import { BrokerError } from "./errors.ts";
import type { Producer, ProducerAccess } from "./producer.ts";

/** Who wants to write a topic. */
export interface Applicant {
  readonly name: string;
  readonly access: ProducerAccess;
  /** The topic's epoch as the client knew it, undefined where it never wrote here exclusively. */
  readonly topicEpoch: number | undefined;
}

interface Waiting {
  readonly applicant: Applicant;
  readonly admitted: () => void;
  readonly refused: (error: BrokerError) => void;
}

/** As many may wait for one topic. */
const WAITING_MAX = 10_000;

/**
 * The producers of one topic, and who may come in: Pulsar's access modes (PIP-68,
 * https://pulsar.apache.org/docs/concepts-messaging/#access-mode).
 *
 * An exclusive producer has the topic to itself; each gets a higher topic epoch than the one before, and who comes back with a lower one is
 * fenced. Others may wait in line, or push everybody out.
 */
export class TopicProducers {
  /** By name. */
  readonly byName = new Map<string, Producer>();
  /** Counts exclusive producers, −1 before the first. */
  epoch = -1;
  /** The one that has the topic to itself, or is about to. */
  #exclusive: Applicant | undefined;
  #waiting: Waiting[] = [];

  /** @param saveEpoch makes the present epoch durable */
  constructor(private readonly saveEpoch: () => Promise<void>) {}

  /**
   * Lets an applicant in; {@link TopicProducers.add} must follow, or {@link TopicProducers.giveUp}.
   *
   * @param queued is called when it has to wait for its turn
   * @throws {BrokerError} `producer_busy`, `producer_fenced`, `too_many_requests`
   */
  async admit(applicant: Applicant, queued: () => void): Promise<void> {
    switch (applicant.access) {
      case "Shared":
        this.#assertShared();
        return;
      case "Exclusive":
        this.#assertAlone();
        break;
      case "ExclusiveWithFencing":
        this.#fenceAll();
        break;
      case "WaitForExclusive":
        if (this.#exclusive !== undefined || this.byName.size > 0) {
          await this.#wait(applicant, queued);
        }
        break;
    }
    await this.#take(applicant);
  }

  #assertShared(): void {
    if (this.#exclusive === undefined && this.#waiting.length === 0) return;
    throw new BrokerError(this.#holderText(), { code: "producer_busy", retryable: true });
  }

  #holderText(): string {
    return `Topic has an existing exclusive producer: ${this.#exclusive?.name ?? null}`;
  }

  #assertAlone(): void {
    if (this.#exclusive !== undefined || this.#waiting.length > 0) {
      throw fenced(this.#holderText());
    }
    if (this.byName.size > 0) throw fenced("Topic has existing shared producers");
  }

  /** As in Pulsar they are not told: whoever sends again is sent away, and fenced when it comes back. */
  #fenceAll(): void {
    if (this.#exclusive === undefined && this.byName.size === 0) return;
    for (const { refused } of this.#waiting.splice(0)) refused(fenced("Fenced out"));
    for (const producer of [...this.byName.values()]) this.remove(producer);
  }

  async #wait(applicant: Applicant, queued: () => void): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new BrokerError(`Cannot wait for the topic: ${WAITING_MAX} producers wait already`, {
        code: "too_many_requests",
        retryable: true,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ applicant, admitted: resolve, refused: reject });
    queued();
    await promise;
  }

  async #take(applicant: Applicant): Promise<void> {
    const { topicEpoch } = applicant;
    this.#exclusive = applicant;
    if (topicEpoch !== undefined && topicEpoch < this.epoch) {
      this.#release();
      throw fenced(
        `Topic epoch has already moved. Current epoch: ${this.epoch}, Producer epoch: ${topicEpoch}`,
      );
    }
    const before = this.epoch;
    this.epoch = topicEpoch ?? before + 1;
    if (this.epoch === before) return;
    try {
      await this.saveEpoch();
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /**
   * Notes a producer that was admitted. An exclusive one may have come in since.
   *
   * @throws {BrokerError} `producer_busy`, `producer_fenced`
   */
  add(applicant: Applicant, producer: Producer): void {
    if (applicant.access === "Shared") this.#assertShared();
    else if (this.#exclusive !== applicant) throw fenced("Fenced out");
    this.byName.set(producer.name, producer);
  }

  /** Removes a producer; the next one that waits gets its place. */
  remove(producer: Producer): void {
    producer.isClosed = true;
    if (this.byName.get(producer.name) !== producer) return;
    this.byName.delete(producer.name);
    if (this.#exclusive !== undefined || this.byName.size === 0) this.#release();
  }

  /** An applicant that waits, or was admitted but not added, goes. */
  giveUp(applicant: Applicant): void {
    const at = this.#waiting.findIndex((one) => one.applicant === applicant);
    if (at >= 0) {
      const [gone] = this.#waiting.splice(at, 1);
      gone!.refused(
        new BrokerError("Closed producer before creation was complete", { code: "closed" }),
      );
      return;
    }
    if (this.#exclusive === applicant) this.#release();
  }

  #release(): void {
    const next = this.#waiting.shift();
    this.#exclusive = next?.applicant;
    next?.admitted();
  }

  /** The topic closes: who waits must come again. */
  refuseWaiting(error: BrokerError): void {
    for (const { refused } of this.#waiting.splice(0)) refused(error);
  }
}

function fenced(message: string): BrokerError {
  return new BrokerError(message, { code: "producer_fenced" });
}
