/** How many messages a broker may send ahead of the handler: enough never to wait for a round trip, bounded in bytes. */

/** Until the first entry shows how large messages are. */
const FIRST_PERMITS = 1000;
const PERMITS_MAX = 1_000_000;
/** Weight of the newest entry in the mean size of a message. */
const NEWEST_WEIGHT = 1 / 8;

/** How much a consumer lets come ahead: as many messages as fit, by the size of those that came. */
export interface PermitsBound {
  /** Bytes that may be under way or wait for the handler. */
  readonly bytesMax: number;
  /** … and messages. */
  readonly messagesMax?: number;
  /** Messages until the first entry shows how large they are. Default 1,000. */
  readonly firstMessages?: number;
}

/** The account of permits (FLOW) of one consumer. */
export class Permits {
  readonly #bytesMax: number;
  readonly #messagesMax: number;
  readonly #firstMessages: number;
  #bytesPerMessage = 0;
  #outstanding = 0;
  #queued = 0;

  constructor(bound: PermitsBound) {
    this.#bytesMax = bound.bytesMax;
    this.#messagesMax = bound.messagesMax ?? PERMITS_MAX;
    this.#firstMessages = bound.firstMessages ?? bound.messagesMax ?? FIRST_PERMITS;
  }

  /** Messages that the broker may still send. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Messages that arrived and still need their room. */
  get queued(): number {
    return this.#queued;
  }

  /** The broker forgot them: a new session. */
  reset(): void {
    this.#outstanding = this.#queued = 0;
  }

  /** An entry arrived. */
  arrived(messageCount: number, byteLength: number): void {
    const perMessage = byteLength / Math.max(messageCount, 1);
    this.#bytesPerMessage = this.#bytesPerMessage === 0
      ? perMessage
      : this.#bytesPerMessage + (perMessage - this.#bytesPerMessage) * NEWEST_WEIGHT;
    this.#outstanding -= messageCount;
    this.#queued += messageCount;
  }

  /** An entry that arrived needs its room no more. */
  settled(messageCount: number): void {
    this.#queued -= messageCount;
  }

  /** Permits for so many more messages, whatever the bound: for a consumer that lets nothing come ahead. */
  grant(count: number): void {
    this.#outstanding += count;
  }

  /**
   * Permits to send now: 0 until at least half of what may be out is free, so that FLOW is sent seldom. A batch that was larger than what
   * was left is a debt: until that is paid, too, the broker sends nothing more.
   */
  take(): number {
    const target = this.#target();
    const free = target - this.#outstanding - this.#queued;
    if (free * 2 < target || this.#outstanding + free <= 0) return 0;
    this.#outstanding += free;
    return free;
  }

  #target(): number {
    if (this.#bytesPerMessage === 0 || this.#messagesMax === 0) return this.#firstMessages;
    const fitting = Math.max(Math.floor(this.#bytesMax / this.#bytesPerMessage), 1);
    return Math.min(fitting, this.#messagesMax);
  }
}
