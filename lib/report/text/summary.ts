import { formatDurationMs } from "../../base/mod.ts";
import type { Result } from "../../verdict/mod.ts";
import { alignRows, COLUMNS, wrapText } from "./align.ts";
import { bytesText, coresText, countText, latencyText, sumOf } from "./format.ts";
import { headline, systemsText } from "./headline.ts";

const FINDINGS_SHOWN = 5;

/** Text after a lead, its further lines below its first. */
function hang(lead: string, leadColumns: number, text: string): string {
  return lead + wrapText(text, COLUMNS - leadColumns).join("\n" + " ".repeat(leadColumns));
}

/**
 * Whether to colour: only on a terminal, and not where NO_COLOR is set to anything (no-color.org).
 *
 * @param noColor the value of the environment variable
 */
export function wantsColor(isTerminal: boolean, noColor: string | undefined): boolean {
  return isTerminal && (noColor === undefined || noColor === "");
}

const VERDICT_COLORS = { PASS: 32, FAIL: 31, VOID: 33 } as const;

/** How {@link summaryText} looks, and what it cannot know from the result. */
export interface SummaryOptions {
  readonly color?: boolean;
  /** Path of the report, named at the end. */
  readonly reportPath?: string;
  /** When the run began, wall ms, for the times of restarts. */
  readonly startedAtMs?: number;
}

/**
 * A run for the terminal: verdict and why, what was counted, latencies, cost; at most 80 columns but for long names.
 *
 * @returns lines, the last one ended too
 */
export function summaryText(result: Result, options: SummaryOptions = {}): string {
  const paint = (text: string, code: number) =>
    options.color === true ? `\x1b[1;${code}m${text}\x1b[0m` : text;
  const { verdict } = result;
  const said = headline(result) ?? `no headline figure; measured on ${systemsText(result)}`;
  // Wrapped before it is painted, as the codes have no width.
  const first = hang(`${paint(verdict, VERDICT_COLORS[verdict])}  `, 6, said);
  const parts = [
    [first, ...result.reasons.map((reason) => hang("  - ", 4, reason))].join("\n"),
    unsafeText(result, paint),
    plantsText(result, paint),
    loopText(result),
    alignRows(countRows(result)),
    verdict === "VOID" ? "" : alignRows(latencyRows(result)),
    verdict === "VOID" ? "" : costText(result),
    findingsText(result),
    restartsText(result, options.startedAtMs),
    options.reportPath === undefined ? "" : `report  ${options.reportPath}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}

function unsafeText({ unsafe }: Result, paint: (text: string, code: number) => string): string {
  if (unsafe.length === 0) return "";
  const lead = paint("UNSAFE", VERDICT_COLORS.FAIL) + "  ";
  return hang(lead, 8, `made with a protection switched off: ${unsafe.join(", ")}`);
}

/** What a reader must know of how latency was counted. */
function loopText({ loop, warmUpSec }: Result): string {
  const lines = [
    loop === "open" ? "" : "closed loop: publish latency counts from the actual send, and hides " +
      "the waiting before it",
    warmUpSec === 0 ? "" : `latencies without the first ${formatDurationMs(warmUpSec * 1000)}`,
  ];
  return lines.filter((line) => line !== "").map((line) => hang("note  ", 6, line)).join("\n");
}

function plantsText({ plants }: Result, paint: (text: string, code: number) => string): string {
  if (plants.length === 0) return "";
  const lead = paint("PLANTED FAULTS", VERDICT_COLORS.VOID) + "  ";
  return hang(lead, 16, `put in to be found: ${plants.join(", ")}`);
}

function countRows({ messages, rows }: Result): string[][] {
  return [
    ["messages", "acked", "aggregated", "late", "lost", "duplicated", "indeterminate"],
    [
      "",
      ...[
        messages.acked,
        messages.aggregated,
        messages.late,
        messages.lost,
        messages.duplicated,
        messages.indeterminate,
      ].map(countText),
    ],
    ["rows", "expected", "found", "missing", "extra", "wrong"],
    ["", ...[rows.expected, rows.found, rows.missing, rows.extra, rows.wrong].map(countText)],
  ];
}

function latencyRows({ latencyUs }: Result): string[][] {
  const names = {
    publish: "publish",
    delivery: "delivery",
    windowVisible: "window visible",
    windowEndToVisible: "window end to visible",
  } as const;
  const rows = Object.entries(names).map(([key, name]) => {
    const { p50, p90, p99, p999, max, count } = latencyUs[key as keyof typeof names];
    return [name, ...[p50, p90, p99, p999, max].map((valueUs) => latencyText(valueUs, count))];
  });
  return [["latency", "p50", "p90", "p99", "p99.9", "max"], ...rows];
}

function costText(result: Result): string {
  const cpuSec = sumOf(Object.values(result.cpuSeconds));
  const cores = coresText(cpuSec, result.durationSec) + (cpuSec === null ? "" : " cores");
  const memory = bytesText(sumOf(Object.values(result.rssBytesMax)));
  const perMessage = result.cpuNsPerMessage === null
    ? ""
    : `, ${countText(result.cpuNsPerMessage)} ns of CPU per message`;
  return `CPU ${cores}, memory ${memory}${perMessage} (all measured roles)`;
}

function findingsText({ findings, findingCount }: Result): string {
  if (findingCount === 0) return "";
  const shown = findings.slice(0, FINDINGS_SHOWN).map(({ text }) => hang("  - ", 4, text));
  const more = findingCount - shown.length;
  return ["findings", ...shown, ...(more > 0 ? [`  and ${countText(more)} more`] : [])].join("\n");
}

function restartsText({ restarts }: Result, startedAtMs: number | undefined): string {
  const sinceStart = (atMs: number) => formatDurationMs(Math.max(0, atMs - (startedAtMs ?? atMs)));
  return restarts.map(({ name, atMs, recoveryMs, wasCutShort }) => {
    const at = startedAtMs === undefined ? "" : ` at ${sinceStart(atMs)}`;
    const back = recoveryMs !== null
      ? `at work after ${formatDurationMs(recoveryMs)}`
      : wasCutShort
      ? "and the run went through before it had work again"
      : "did not come back";
    return `restart  ${name} died${at}, ${back}`;
  }).join("\n");
}
