import { messageOf, parseDurationMs, UsageError } from "../base/mod.ts";
import { type ControlCommand, KILL_POINTS, parseControlCommand } from "../run/mod.ts";

/** Something that is done to a run by itself. */
export interface TimedCommand {
  /** From the begin of the load, wall ms. */
  readonly atMs: number;
  readonly command: ControlCommand;
}

const RATE = /^rate (\d+(?:\.\d+)?)(k|m)?(?:\/s)?$/i;
const FAULT = /^(kill|freeze|cut) (\S+)(?: for (\S+))?(?: (after-\S+))?$/;

function commandOf(text: string): unknown {
  if (text === "pause" || text === "resume" || text === "stop") return { command: text };
  const [, digits, unit = ""] = RATE.exec(text) ?? [];
  if (digits !== undefined) {
    const factor = { k: 1e3, m: 1e6 }[unit.toLowerCase()] ?? 1;
    return { command: "rate", messagesPerSec: Number(digits) * factor };
  }
  const [, kind, role, duration, at] = FAULT.exec(text) ?? [];
  if (kind === undefined) throw new RangeError("unknown form");
  return {
    command: "inject",
    kind,
    role,
    ...(duration === undefined ? {} : { forMs: parseDurationMs(duration) }),
    ...(at === undefined ? {} : { at }),
  };
}

/**
 * Reads what is to be done to a run and when: `kill aggregate at 30s`, `kill aggregate after-insert at 30s`, `freeze broker for 1.4s at 10s`,
 * `cut produce at 5s`, `rate 80k at 1m`, `pause at 10s`, `resume at 12s`.
 *
 * @throws {UsageError} that says what was expected
 *
 * @example
 * ```ts
 * import { parseTimedCommand } from "./timed_fault.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(parseTimedCommand("pause at 10s"), { atMs: 10_000, command: { command: "pause" } });
 * ```
 */
export function parseTimedCommand(text: string): TimedCommand {
  const plain = text.trim().replaceAll(/\s+/g, " ");
  const [, what = "", when = ""] = /^(.+) at (\S+)$/.exec(plain) ?? [];
  try {
    return { atMs: parseDurationMs(when), command: parseControlCommand(commandOf(what)) };
  } catch (error) {
    const why = what === "" || messageOf(error) === "unknown form" ? "" : ` (${messageOf(error)})`;
    throw new UsageError(
      `Cannot read fault ${JSON.stringify(text)}${why}: expected e.g. kill aggregate at 30s, ` +
        `kill aggregate ${
          KILL_POINTS.at(-1)
        } at 30s, freeze broker for 1.4s at 10s, rate 80k at 1m`,
    );
  }
}
