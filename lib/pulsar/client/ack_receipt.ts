import type { Clock } from "../../base/mod.ts";
import { deferred } from "./deferred.ts";
import { PulsarError } from "../wire/mod.ts";

/** What a receipt is waited for with. */
export interface AckReceiptOptions {
  readonly clock: Clock;
  /** Whose messages are acknowledged; for messages. */
  readonly topic: string;
  readonly timeoutMs: number;
}

/** The broker's word on a group of acknowledgements, for as long as it may take. */
export class AckReceipt {
  readonly #result = deferred<void>();
  readonly #timer = new AbortController();
  #isSettled = false;

  constructor({ clock, topic, timeoutMs }: AckReceiptOptions) {
    // Nobody needs to look at the result of an acknowledgement.
    this.#result.promise.catch(() => {});
    clock.sleep(timeoutMs, this.#timer.signal).then(
      () =>
        this.reject(
          new PulsarError(
            `Cannot acknowledge messages of ${topic}: no receipt within ${timeoutMs} ms`,
            {
              code: "request_timeout",
              retryable: true,
              cure: "they are sent again by themselves; until then they may be delivered again",
            },
          ),
        ),
      // Settled in time.
      () => {},
    );
  }

  /** @throws {PulsarError} from the result: `request_timeout`, or what it was rejected with */
  get promise(): Promise<void> {
    return this.#result.promise;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  resolve(): void {
    this.#settle();
    this.#result.resolve();
  }

  reject(error: unknown): void {
    this.#settle();
    this.#result.reject(error);
  }

  /** Comes to what another one comes to, unless its own time is over before. */
  follow(other: AckReceipt): void {
    if (this.#isSettled) return;
    other.promise.then(() => this.resolve(), (error) => this.reject(error));
  }

  #settle(): void {
    this.#isSettled = true;
    this.#timer.abort();
  }
}
