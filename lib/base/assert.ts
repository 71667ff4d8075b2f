/** Thrown by {@link assert}: the program is wrong, not its input. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * States what must hold if the program is right. A failure is a bug and is never caught to go on.
 *
 * @param condition what must be true
 * @param message what is violated, with the values
 * @throws {AssertionError} when the condition is false
 *
 * @example
 * ```ts
 * import { assert } from "./assert.ts";
 * assert(1 + 1 === 2, "addition is broken");
 * ```
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a place that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
