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
 * import { assert } from "./errors.ts";
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

/** What every error that a caller may handle carries. */
export interface WeirErrorOptions<Code extends string> {
  /** One of the closed set of its class. */
  readonly code: Code;
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean;
  /** What to do about it, one sentence without full stop, shown after the message on a command line. */
  readonly cure?: string;
  readonly cause?: unknown;
}

/**
 * The base of each module's one error class. The message reads `Cannot <action>: <state>`.
 *
 * @example
 * ```ts
 * import { WeirError } from "./errors.ts";
 * class LogError extends WeirError<"disk_full" | "locked"> {
 *   override readonly name = "LogError";
 * }
 * const error = new LogError("Cannot append: no space left", { code: "disk_full", cure: "free some space" });
 * console.log(error.code, error.retryable);
 * ```
 */
export class WeirError<Code extends string = string> extends Error {
  override readonly name: string = "WeirError";
  readonly code: Code;
  readonly retryable: boolean;
  readonly cure: string | undefined;

  constructor(message: string, options: WeirErrorOptions<Code>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.cure = options.cure;
  }
}

/** A flag, file or set-up that a person must change: exit code 2, one line, nothing was started. */
export class UsageError extends WeirError<"usage"> {
  override readonly name = "UsageError";

  /**
   * @param message what is wrong, what was expected
   * @param cure what to do
   */
  constructor(message: string, cure?: string, cause?: unknown) {
    super(message, { code: "usage", ...(cure === undefined ? {} : { cure }), cause });
  }
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ");
}

/**
 * One line for a person: the message, and the cure where the error knows one.
 *
 * @example
 * ```ts
 * import { lineOf, UsageError } from "./errors.ts";
 * import assert from "node:assert/strict";
 * assert.equal(lineOf(new UsageError("Cannot start: port 80 is taken", "give --port 0")), "Cannot start: port 80 is taken; give --port 0");
 * ```
 */
export function lineOf(error: unknown): string {
  const cure = error instanceof WeirError ? error.cure : undefined;
  if (cure === undefined) return messageOf(error);
  return `${messageOf(error).replace(DENO_CURE, "").replace(FULL_STOP, "")}; ${cure}`;
}

/** What Deno says behind a permission that it misses: where we know a cure, one is enough. */
const DENO_CURE = /, run again with the --allow-\S+ flag$/;

/** What Deno ends some messages with; an ellipsis stays. */
const FULL_STOP = /(?<!\.)\.$/;
