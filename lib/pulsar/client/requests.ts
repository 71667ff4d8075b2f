import type { Clock } from "../../base/mod.ts";
import { deferred } from "./deferred.ts";
import { type Command, PulsarError, serverError } from "../wire/mod.ts";

interface Waiting {
  readonly action: string;
  readonly timer: AbortController;
  readonly resolve: (answer: Command) => void;
  readonly reject: (error: PulsarError) => void;
}

/** Requests that wait for their answers. */
export class Requests {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<bigint, Waiting>();
  #nextId = 0n;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** A new request's id, and its answer. */
  begin(action: string): { readonly requestId: bigint; readonly answer: Promise<Command> } {
    const requestId = this.#nextId++;
    const { promise: answer, resolve, reject } = deferred<Command>();
    const timer = new AbortController();
    this.#waiting.set(requestId, { action, timer, resolve, reject });
    this.#clock.sleep(this.#timeoutMs, timer.signal).then(
      () => {
        this.#take(requestId)?.reject(
          new PulsarError(`Cannot ${action}: no answer within ${this.#timeoutMs} ms`, {
            code: "request_timeout",
            retryable: true,
          }),
        );
      },
      // Aborted, because the answer came.
      () => {},
    );
    return { requestId, answer };
  }

  /** Hands an answer to its request; one that nobody waits for any more is dropped. */
  answer(requestId: bigint, command: Command): void {
    if (command.type === "PRODUCER_SUCCESS" && command.body.producerReady === false) {
      // The producer waits for its turn: a second answer comes, whenever that is.
      this.#waiting.get(requestId)?.timer.abort();
      return;
    }
    this.#take(requestId)?.resolve(command);
  }

  /** Hands an ERROR to its request; false if there is none. */
  fail(requestId: bigint, error: number, message: string): boolean {
    const waiting = this.#take(requestId);
    waiting?.reject(serverError(waiting.action, error, message));
    return waiting !== undefined;
  }

  failAll(error: PulsarError): void {
    for (const requestId of [...this.#waiting.keys()]) this.#take(requestId)?.reject(error);
  }

  #take(requestId: bigint): Waiting | undefined {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(requestId);
    waiting.timer.abort();
    return waiting;
  }
}
