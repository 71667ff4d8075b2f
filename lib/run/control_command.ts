import { z } from "zod";
import { RunError } from "./errors.ts";

/** What can be done to a part of a run: end its process, stop it for a while, or break its connections. */
export const FAULT_KINDS = ["kill", "freeze", "cut"] as const;
/** See {@link FAULT_KINDS}. */
export type FaultKind = typeof FAULT_KINDS[number];

/** Places in an aggregator at which a kill may strike. */
export const KILL_POINTS = ["after-checkpoint", "after-insert"] as const;
/**
 * `after-checkpoint`: a closed window is durable and not yet inserted. `after-insert`: ClickHouse has answered the insert, and the broker has not
 * been told.
 */
export type KillPoint = typeof KILL_POINTS[number];

/** A freeze may last so long; beyond it a role would be given up by the others. */
export const FREEZE_MS_MAX = 120_000;

const rate = z.strictObject({
  command: z.literal("rate"),
  messagesPerSec: z.number().min(0).max(10_000_000),
});
const bare = <const Name extends string>(name: Name) =>
  z.strictObject({ command: z.literal(name) });
const note = z.strictObject({
  command: z.literal("note"),
  text: z.string().trim().min(1).max(200),
});
const role = z.string().regex(/^(produce|broker|clickhouse|aggregate(-[1-9][0-9]?)?)$/, {
  error: "expected produce, broker, clickhouse, aggregate or aggregate-2",
});
const inject = z.strictObject({
  command: z.literal("inject"),
  kind: z.enum(FAULT_KINDS),
  role,
  at: z.enum(KILL_POINTS).optional(),
  forMs: z.number().min(1).max(FREEZE_MS_MAX).optional(),
}).refine((one) => (one.kind === "freeze") === (one.forMs !== undefined), {
  error: "a freeze, and nothing else, needs a duration (forMs)",
}).refine(
  (one) => one.at === undefined || one.kind === "kill" && one.role.startsWith("aggregate"),
  {
    error: "only the kill of an aggregator may strike at a place (at)",
  },
);

/** What the control server takes. */
export const controlCommandSchema = z.discriminatedUnion("command", [
  rate,
  bare("pause"),
  bare("resume"),
  bare("stop"),
  note,
  inject,
]);

/** Something that a person, a scenario or a notebook asks of a run that goes on. */
export type ControlCommand = z.infer<typeof controlCommandSchema>;
/** The one that breaks something. */
export type InjectCommand = Extract<ControlCommand, { readonly command: "inject" }>;

/** What a role is told. */
export type RoleCommand =
  | { readonly command: "rate"; readonly messagesPerSec: number }
  | { readonly command: "pause" }
  | { readonly command: "resume" }
  | { readonly command: "cut" }
  | { readonly command: "kill-at"; readonly at: KillPoint };

const NAMES = controlCommandSchema.options.map((option) => option.shape.command.value);

/**
 * Checks a command that came from outside.
 *
 * @throws {RunError} `refused`, with every mistake
 *
 * @example
 * ```ts
 * import { parseControlCommand } from "./control_command.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(parseControlCommand({ command: "pause" }), { command: "pause" });
 * assert.throws(() => parseControlCommand({ command: "explode" }), /expected one of rate, pause/);
 * ```
 */
export function parseControlCommand(value: unknown): ControlCommand {
  const parsed = controlCommandSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const name = (value as { command?: unknown } | null)?.command;
  const known = NAMES.includes(name as ControlCommand["command"]);
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`
  );
  const why = known ? faults.join("; ") : `expected one of ${NAMES.join(", ")}`;
  throw new RunError(`Cannot do ${JSON.stringify(name ?? null)}: ${why}`, { code: "refused" });
}
