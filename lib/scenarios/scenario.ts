import { z } from "zod";
import { messageOf, parseDurationMs, UsageError } from "../base/mod.ts";
import { parseStages } from "../load/mod.ts";
import { parseThresholds } from "../verdict/mod.ts";
import { CLIENTS, LOOPS, UNSAFE } from "./config.ts";
import type { RunOptions, Scenario, StageSpec, TimedFault } from "./run_options.ts";
import { type ThresholdSpec, thresholdText } from "./threshold_text.ts";
import { parseTimedCommand } from "./timed_fault.ts";

const RATE_MAX = 10_000_000;
const rate = z.number().min(0).max(RATE_MAX);
const count = z.int().min(1);
const share = z.number().min(0).max(1);

/** A text that `read` takes; what it throws is the mistake. */
function readable(read: (text: string) => unknown): z.ZodType<string> {
  return z.string().superRefine((text, context) => {
    try {
      read(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) });
    }
  });
}

const duration = readable(parseDurationMs);

/** An object whose form is told by the key that it has. Plain unions would answer a mistake with the mistakes of every other form. */
function oneOf(forms: Readonly<Record<string, z.ZodType>>): z.ZodType {
  return z.unknown().superRefine((value, context) => {
    const names = Object.keys(forms);
    const isObject = typeof value === "object" && value !== null;
    const name = names.find((one) => isObject && one in value);
    if (name === undefined) {
      const message = `expected an object with one of ${names.join(", ")}`;
      return context.addIssue({ code: "custom", message });
    }
    for (const { path, message } of forms[name]!.safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  });
}

const stage = oneOf({
  constant: z.strictObject({ constant: rate, for: duration }),
  ramp: z.strictObject({ ramp: z.tuple([rate, rate]), for: duration }),
  spike: z.strictObject({ spike: rate, from: rate, for: duration }),
  steps: z.strictObject({ steps: z.array(rate).min(1), each: duration }),
  pause: z.strictObject({ pause: duration }),
});

const at = duration;
const role = z.string();
const fault = oneOf({
  kill: z.strictObject({ at, kill: role, when: z.string().optional() }),
  freeze: z.strictObject({ at, freeze: role, for: duration }),
  cut: z.strictObject({ at, cut: role }),
  rate: z.strictObject({ at, rate }),
  pause: z.strictObject({ at, pause: z.literal(true) }),
  resume: z.strictObject({ at, resume: z.literal(true) }),
});

const timed = z.union([z.string(), fault]).superRefine((value, context) => {
  if (context.issues.length > 0) return;
  try {
    parseTimedCommand(faultText(value as TimedFault | string));
  } catch (error) {
    context.addIssue({ code: "custom", message: messageOf(error) });
  }
});

const threshold = z.union([
  z.string(),
  z.strictObject({
    measure: z.string(),
    is: z.enum(["below", "at most", "above", "at least"]),
    bound: z.union([z.string(), z.number()]),
  }),
]);

const options = {
  rate: rate.min(1),
  duration,
  stages: z.union([readable(parseStages), z.array(stage).min(1)]),
  loop: z.enum(LOOPS),
  sources: count,
  partitions: count.max(1000),
  aggregators: count.max(64),
  seed: z.int().min(0),
  skew: z.number().min(0).max(10),
  timeScale: z.number().min(0.001).max(100_000),
  lateShare: share,
  duplicateShare: share,
  window: duration,
  outOfOrderness: duration,
  allowedLateness: duration,
  idleAfter: duration,
  batchMessages: count.max(20_000),
  batchDelay: duration,
  batchRows: count.max(100_000),
  checkpointInterval: duration,
  compression: z.enum(["none", "lz4"]),
  client: z.enum(CLIENTS),
  pulsar: z.string(),
  pulsarAdmin: z.string(),
  pulsarTokenFile: z.string(),
  pulsarTlsCa: z.string(),
  clickhouse: z.string(),
  clickhouseUser: z.string(),
  thresholds: z.array(threshold),
  warmUp: duration,
  faults: z.array(timed),
  plants: z.array(z.string()),
  unsafe: z.array(z.enum(UNSAFE)),
  keep: z.boolean(),
} satisfies Record<keyof RunOptions, z.ZodType>;

const schema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/, {
    error: "expected letters, digits, `.`, `_` and `-`",
  }),
  ...z.strictObject(options).partial().shape,
}).superRefine((value, context) => {
  if (value.stages !== undefined && (value.rate !== undefined || value.duration !== undefined)) {
    const message = "rate and duration are said by the stages: give the one or the other";
    context.addIssue({ code: "custom", path: ["stages"], message });
  }
  value.thresholds?.forEach((one, i) => {
    try {
      parseThresholds([thresholdText(one as ThresholdSpec | string, value.warmUp !== undefined)]);
    } catch (error) {
      context.addIssue({ code: "custom", path: ["thresholds", i], message: messageOf(error) });
    }
  });
});

/**
 * Checks a scenario that comes from a cell or a file, where the compiler may not have seen it.
 *
 * @throws {UsageError} with every mistake, one a line, each with its place
 *
 * @example
 * ```ts
 * import { parseScenario } from "./scenario.ts";
 * import assert from "node:assert/strict";
 * assert.throws(() => parseScenario({ name: "a b", rate: -1 }), /name: .*\n.*rate: /);
 * ```
 */
export function parseScenario(value: unknown): Scenario {
  const parsed = schema.safeParse(value);
  if (parsed.success) return value as Scenario;
  const faults = parsed.error.issues.map((issue) => mistakeText(issue, value));
  throw new UsageError(`Cannot run the scenario:\n${faults.join("\n")}`);
}

/** One mistake with its place, in our words where the checker's are about types. */
function mistakeText({ path, message }: z.core.$ZodIssue, scenario: unknown): string {
  const place = path.join(".");
  if (place === "") return `scenario: ${message.replace(/^Invalid input: /, "")}`;
  const value = path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key],
    scenario,
  );
  if (value === undefined) return `\`${place}\` is missing`;
  return `${place}: ${message.replace(/^Invalid input: /, "")}`;
}

/** Stages in the words that flags take. */
export function stagesText(stages: readonly StageSpec[] | string): string {
  return typeof stages === "string" ? stages : stages.flatMap(stageTexts).join(", ");
}

function stageTexts(spec: StageSpec): string[] {
  if ("constant" in spec) return [`constant ${spec.constant} for ${spec.for}`];
  if ("ramp" in spec) return [`ramp ${spec.ramp[0]} to ${spec.ramp[1]} for ${spec.for}`];
  if ("steps" in spec) return spec.steps.map((step) => `constant ${step} for ${spec.each}`);
  if ("pause" in spec) return [`pause for ${spec.pause}`];
  const { spike, from } = spec;
  const quarterMs = parseDurationMs(spec.for) / 4;
  return [
    `ramp ${from} to ${spike} for ${quarterMs}ms`,
    `constant ${spike} for ${2 * quarterMs}ms`,
    `ramp ${spike} to ${from} for ${quarterMs}ms`,
  ];
}

/** A timed fault in the words that flags take. */
export function faultText(one: TimedFault | string): string {
  if (typeof one === "string") return one;
  if ("kill" in one) return `kill ${one.kill}${one.when ? ` ${one.when}` : ""} at ${one.at}`;
  if ("freeze" in one) return `freeze ${one.freeze} for ${one.for} at ${one.at}`;
  if ("cut" in one) return `cut ${one.cut} at ${one.at}`;
  if ("rate" in one) return `rate ${one.rate} at ${one.at}`;
  return `${"pause" in one ? "pause" : "resume"} at ${one.at}`;
}

/**
 * The flags of `deno task bench50k` that say what a scenario says.
 *
 * @param scenario that {@link parseScenario} has let through
 */
export function scenarioFlags(scenario: Scenario): string[] {
  const { stages, thresholds = [], faults = [], plants = [], unsafe = [], ...single } = scenario;
  const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const hasWarmUp = scenario.warmUp !== undefined;
  const lists = [
    ["stages", stages === undefined ? [] : [stagesText(stages)]],
    ["threshold", thresholds.map((one) => thresholdText(one, hasWarmUp))],
    ["fault", faults.map(faultText)],
    ["plant", plants],
    ["unsafe", unsafe],
  ] as const;
  return [
    ...Object.entries(single).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${kebab(name)}=${value}`]
    ),
    ...lists.flatMap(([name, values]) => values.map((value) => `--${name}=${value}`)),
  ];
}
