const inspect = Symbol.for("nodejs.util.inspect.custom");
const denoInspect = Symbol.for("Deno.customInspect");

/**
 * A password or token that cannot reach a log by accident: it prints as `[secret]` in texts, JSON and inspection.
 *
 * @example
 * ```ts
 * import { Secret } from "./secret.ts";
 * import assert from "node:assert/strict";
 * const password = new Secret("hunter2");
 * assert.equal(`${password} ${JSON.stringify({ password })}`, '[secret] {"password":"[secret]"}');
 * assert.equal(password.reveal(), "hunter2");
 * ```
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: only where it goes out to the system that asks for it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect](): string {
    return "[secret]";
  }

  [denoInspect](): string {
    return "[secret]";
  }
}
