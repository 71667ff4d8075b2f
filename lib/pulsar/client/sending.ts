import type { MonoUs } from "../../base/mod.ts";
import type { MessageId } from "./message_id.ts";
import type { EncodedMessage } from "./outgoing_message.ts";

/** A message on its way to its receipt. */
export class Sending {
  readonly message: EncodedMessage;
  /** When `send` was called. */
  readonly startUs: MonoUs;
  /** Its place among the messages of its partition. */
  order = -1;
  /** Known once it is known what goes out before it. */
  sequenceId: number | undefined;
  isSettled = false;
  readonly #resolve: (id: MessageId) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    message: EncodedMessage,
    startUs: MonoUs,
    outcome: {
      readonly resolve: (id: MessageId) => void;
      readonly reject: (error: unknown) => void;
    },
  ) {
    this.message = message;
    this.sequenceId = message.sequenceId;
    this.startUs = startUs;
    this.#resolve = outcome.resolve;
    this.#reject = outcome.reject;
  }

  /** @returns false when it was given up before */
  resolve(id: MessageId): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.#resolve(id);
    return true;
  }

  /** @returns false when it was settled before */
  reject(error: unknown): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.#reject(error);
    return true;
  }
}
