/**
 * What a role says on its standard output, one JSON document a line, to whoever started it, and what it is told on its standard input in the same
 * form. A command has a number, and the role answers each. Closing the input asks the role to end: a producer drains first.
 *
 * @module
 */
import type { RoleCommand } from "./control_command.ts";

/** The roles of a run; each is a process of its own. */
export const ROLES = ["produce", "broker", "aggregate", "clickhouse", "runner"] as const;

/** The name of a role. */
export type Role = typeof ROLES[number];

/** Environment variable that tells a role that a runner supervises it: it then ends with its standard input and leaves Ctrl-C to the runner. */
export const SUPERVISED_VARIABLE = "WEIR_SUPERVISED";

/** The first line of a role: it can be used from now on. */
export interface ReadyLine {
  readonly role: Role;
  readonly ready: true;
  readonly pid: number;
  /** Prometheus text is served here. */
  readonly metricsUrl: string;
  readonly port?: number;
  readonly url?: string;
  readonly adminUrl?: string;
  readonly version?: string;
}

/** An HDR histogram as text, with the count of values below zero. */
export interface HistogramJson {
  readonly hdr: string;
  readonly negative: number;
}

/** Latencies recorded since the last such line, by name. */
export interface IntervalLine {
  readonly event: "interval";
  readonly atMs: number;
  /** When the line before was said, or recording began. */
  readonly fromMs?: number;
  readonly histograms: Readonly<Record<string, HistogramJson>>;
}

/** All windows of a partition are stored and acknowledged up to its end marker. */
export interface DrainedLine {
  readonly event: "drained";
  readonly partition: number;
}

/** A producer has sent everything and has all receipts; it stays to be sampled until it is asked to end. */
export interface FinishedLine {
  readonly event: "finished";
}

/** Something to be remembered: it goes into the result as it is. */
export interface NoteLine {
  readonly event: "note";
  readonly kind: string;
  readonly data: unknown;
}

/** A role has done what a command asked for, or says why not. */
export interface AnswerLine {
  readonly event: "answer";
  /** Of the command. */
  readonly id: number;
  /** Why it was not done; null when it was. */
  readonly refusal: string | null;
}

/** A role has come to the place where it is to be killed, does nothing more and waits for it. */
export interface KillMeLine {
  readonly event: "kill-me";
}

/** The last words of a role that cannot go on. */
export interface FailureLine {
  readonly event: "failure";
  readonly message: string;
  readonly code?: string;
  /** The same start may succeed later, e.g. when a broker is back. */
  readonly retryable: boolean;
}

/** Any line of a role. */
export type RoleLine =
  | ReadyLine
  | IntervalLine
  | DrainedLine
  | FinishedLine
  | NoteLine
  | AnswerLine
  | KillMeLine
  | FailureLine;

/** A command on its way to a role. */
export type NumberedCommand = RoleCommand & { readonly id: number };

/**
 * Reads one line of a role's standard input.
 *
 * @returns undefined for text that is no command
 */
export function parseRoleCommand(text: string): NumberedCommand | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value.command === "string" && Number.isSafeInteger(value.id) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads one line of a role; text that is not JSON is no line of the protocol.
 *
 * @returns undefined for anything else
 */
export function parseRoleLine(text: string): RoleLine | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(text);
    return value.ready === true || typeof value.event === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
