import { formatCount, formatDurationMs } from "../base/mod.ts";
import type { MeasuredResult } from "./measures.ts";
import type { Result, ThresholdOutcome } from "./result.ts";
import { evaluateThresholds } from "./thresholds.ts";
import type { Threshold } from "./thresholds.ts";

/** What a process ends with, by what happened. */
export const EXIT_CODES = { PASS: 0, FAIL: 1, USAGE: 2, VOID: 3, INTERRUPTED: 130 } as const;

/** The producer's account of its own timing. */
export interface GeneratorTiming {
  /** Share of the messages, 0 to 1, that went out late because of the producer itself. */
  readonly ownLatenessShare: number;
  /** The longest such lateness, µs. */
  readonly ownLatenessUsMax: number;
  /** How far the wall clock moved against the monotonic one, ms. */
  readonly clockJumpMs: number;
}

/** Why a run ended before its time. */
export interface BreakOff {
  readonly reason: string;
  /** The machine gave out, e.g. its disk is full: that says nothing about the systems, and voids the run. */
  readonly isMachine: boolean;
}

/** Everything that decides besides the result's own figures. */
export interface Evidence {
  /** Whether rows and messages were verified; if not, why not, as a sentence without full stop. */
  readonly unverified: string | null;
  /** Messages late although nobody planted them so. */
  readonly unplannedLateCount: number;
  /** Whether messages in the log = rows + late + planted duplicates. */
  readonly balanced: boolean;
  /** Null when the producer could not report. */
  readonly generator: GeneratorTiming | null;
  /** Why the run could not be carried through, null when it was or a person ended it. */
  readonly brokenOff: BreakOff | null;
  readonly thresholds: readonly Threshold[];
}

/** Beyond this share of messages that are late by the generator's own making, nothing was measured but the generator. */
export const OWN_LATENESS_SHARE_MAX = 0.01;
/** Beyond this the latencies over two processes mean nothing. */
export const CLOCK_JUMP_MS_MAX = 250;

/** "messages lost" of one is "message lost". */
function singular(text: string): string {
  return text.replace(/^(\w+)s\b/, "$1");
}

function integrityFaults(result: MeasuredResult, evidence: Evidence): string[] {
  const { messages, rows, findings } = result;
  const faults: string[] = [];
  const add = (count: number, text: string) => {
    if (count > 0) faults.push(`${formatCount(count)} ${count === 1 ? singular(text) : text}`);
  };
  add(messages.lost, "messages lost");
  add(messages.duplicated, "messages doubled");
  add(rows.missing, "rows missing");
  add(rows.extra, "rows that should not be there");
  add(rows.wrong, "rows wrong");
  add(evidence.unplannedLateCount, "messages late that nobody planted late");
  if (faults.length === 0 && result.findingCount > 0) {
    add(result.findingCount, "differences to what was sent");
  }
  if (faults.length === 0 && !evidence.balanced) {
    faults.push("acknowledged messages are not rows + late + planted duplicates");
  }
  if (faults.length > 0 && findings[0] !== undefined) faults[0] += `: ${findings[0].text}`;
  return faults;
}

function voidReasons(
  evidence: Evidence,
  outcomes: readonly ThresholdOutcome[],
  result: MeasuredResult,
): string[] {
  const reasons: string[] = [];
  const { unverified, generator } = evidence;
  if (unverified !== null) reasons.push(`Could not verify: ${unverified}`);
  if (generator !== null && generator.ownLatenessShare > OWN_LATENESS_SHARE_MAX) {
    reasons.push(
      `The generator itself was late for ${
        (100 * generator.ownLatenessShare).toFixed(1)
      }% of the ` +
        `messages, by up to ${formatDurationMs(generator.ownLatenessUsMax / 1000)}: ` +
        `this machine cannot make this load now`,
    );
  }
  if (generator !== null && Math.abs(generator.clockJumpMs) > CLOCK_JUMP_MS_MAX) {
    const jumped = formatDurationMs(Math.abs(generator.clockJumpMs));
    reasons.push(`The clock of this machine jumped by ${jumped}: latencies mean nothing`);
  }
  if (unverified === null && result.plants.length > 0 && result.findingCount === 0) {
    reasons.push(
      `Nothing was found of what was planted (${result.plants.join(", ")}): ` +
        "no such message went through, or the check is blind",
    );
  }
  if (unverified === null && result.messages.acked === 0) {
    reasons.push("No message was acknowledged: there is nothing to judge");
  }
  for (const { text, actualValue } of outcomes) {
    if (actualValue === null) reasons.push(`Threshold ${text} was not measured`);
  }
  return reasons;
}

function missedReasons(outcomes: readonly ThresholdOutcome[]): string[] {
  return outcomes
    .filter(({ met, actualValue }) => !met && actualValue !== null)
    .map(({ text, actual }) => `Threshold ${text} missed: ${actual}`);
}

function passReason({ messages, rows, rateMessagesPerSec }: MeasuredResult): string {
  const rate = rateMessagesPerSec === null ? "" : ` at ${formatCount(rateMessagesPerSec)}/s`;
  const late = messages.late === 0 ? "" : `, ${formatCount(messages.late)} planted late`;
  return `All ${formatCount(messages.acked)} acknowledged messages${rate} are in ` +
    `${formatCount(rows.found)} rows${late}: none lost, doubled or changed`;
}

/**
 * PASS, FAIL or VOID, with reasons in plain words.
 *
 * What is wrong in the data fails whatever else happened. Then comes what kept weir from measuring: it voids the run, missed thresholds included, for they
 * say nothing about the system. Lateness because the broker is away or holds back is the system's own and counts in its figures.
 *
 * @returns the whole result; its first reason is the one that a person must read
 */
export function judge(result: MeasuredResult, evidence: Evidence): Result {
  const thresholds = evaluateThresholds(evidence.thresholds, result);
  const broken = evidence.unverified === null ? integrityFaults(result, evidence) : [];
  const { brokenOff: off } = evidence;
  const brokeOff = off === null ? [] : [`The run broke off: ${off.reason}`];
  const [brokenOff, gaveOut] = off?.isMachine === true ? [[], brokeOff] : [brokeOff, []];
  const unmeasured = [...gaveOut, ...voidReasons(evidence, thresholds, result)];
  const missed = missedReasons(thresholds);
  const concluded = (verdict: Result["verdict"], reasons: string[]): Result => ({
    ...result,
    thresholds,
    verdict,
    reasons,
  });
  if (broken.length + brokenOff.length > 0) {
    return concluded("FAIL", [...brokenOff, ...broken, ...unmeasured, ...missed]);
  }
  if (unmeasured.length > 0) return concluded("VOID", [...unmeasured, ...missed]);
  if (missed.length > 0) return concluded("FAIL", missed);
  return concluded("PASS", [passReason(result)]);
}
