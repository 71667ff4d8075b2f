import { formatBytes, formatDurationMs } from "../base/mod.ts";
import { card, pairs, section, table } from "./_blocks.ts";
import {
  bytesText,
  coresText,
  countText,
  latencyText,
  sendTimeText,
  sumOf,
  timeText,
} from "./text/mod.ts";
import type { Finding, Result } from "../verdict/mod.ts";
import { type Html, html, type HtmlValue } from "./escape.ts";
import type { Mark } from "./marks.ts";
import { rolesInOrder, toneOfRole } from "./palette.ts";

type Latencies = Result["latencyUs"];

/** What each latency is called, and from where to where it counts; the first two from when the loop says. */
const LATENCIES: readonly (readonly [key: keyof Latencies, name: string, meaning: string])[] = [
  ["publish", "publish", "to the receipt"],
  ["delivery", "delivery", "until aggregated"],
  ["windowVisible", "window visible", "from the watermark's passing the window's end until stored"],
  ["windowEndToVisible", "window end to visible", "from the window's end until stored"],
];

/** Latencies as a table. */
export function latencySection(result: Result): Html {
  const rows = LATENCIES.map(([key, name]) => ({ name, figures: result.latencyUs[key] }));
  const meanings = LATENCIES.map(([, name, meaning]) =>
    meaning.startsWith("from")
      ? `${name}: ${meaning}`
      : `${name}: from the ${sendTimeText(result.loop)} ${meaning}`
  ).join("; ");
  const at = (head: string, pick: "p50" | "p90" | "p99" | "p999" | "max") => ({
    head,
    number: true,
    cell: ({ figures }: typeof rows[number]) => latencyText(figures[pick], figures.count),
  });
  return section(
    "Latency",
    card(
      table("Latency", [
        { head: "latency", cell: ({ name }) => name },
        at("p50", "p50"),
        at("p90", "p90"),
        at("p99", "p99"),
        at("p99.9", "p999"),
        at("max", "max"),
        { head: "values", number: true, cell: ({ figures }) => countText(figures.count) },
      ], rows),
      html`<p class="muted small">${meanings}.${countedText(result)}</p>`,
    ),
  );
}

function countedText({ loop, warmUpSec }: Result): string {
  const closed = loop === "open"
    ? ""
    : " Closed loop: publish counts from the actual send instead, and hides the waiting before it.";
  return warmUpSec === 0
    ? closed
    : `${closed} The first ${formatDurationMs(warmUpSec * 1000)} are left out.`;
}

/** What was counted, and what did not add up. */
export function integritySection(result: Result): Html {
  const { messages, rows } = result;
  return section(
    "Integrity",
    html`<div class="columns">${
      card(pairs("Messages", [
        countRow("sent", messages.sent),
        countRow("acknowledged", messages.acked),
        countRow("aggregated", messages.aggregated),
        countRow("late", messages.late),
        countRow("planted duplicates, dropped", messages.plantedDuplicates),
        ...(messages.undrained === 0
          ? []
          : [countRow("not drained when the run broke off", messages.undrained)]),
        badRow("lost", messages.lost),
        badRow("duplicated", messages.duplicated),
        countRow("indeterminate", messages.indeterminate),
      ], { numbers: true }))
    }${
      card(pairs("Rows", [
        countRow("expected", rows.expected),
        countRow("found", rows.found),
        badRow("missing", rows.missing),
        badRow("extra", rows.extra),
        badRow("wrong", rows.wrong),
      ], { numbers: true }))
    }</div>`,
    findingsCard(result),
  );
}

function countRow(name: string, count: number): readonly [string, string] {
  return [name, countText(count)];
}

function badRow(name: string, count: number): readonly [string, HtmlValue] {
  if (count === 0) return countRow(name, count);
  return [
    name,
    html`<strong class="tag" style="--tone:var(--weir-fail)">${countText(count)}</strong>`,
  ];
}

/** Kinds of findings in words. */
const FINDING_KINDS: Readonly<Record<Finding["kind"], string>> = {
  lost: "lost",
  doubled: "doubled",
  moved: "moved",
  changed: "changed",
  missing_row: "missing row",
  extra_row: "extra row",
  doubled_row: "doubled row",
  unplanned_late: "unplanned late",
};

function findingsCard({ findings, findingCount }: Result): Html {
  if (findingCount === 0) {
    return card(html`<p class="muted">No finding: each expected row was found as expected.</p>`);
  }
  const more = findingCount > findings.length
    ? html`<p class="muted">The first ${countText(findings.length)} of ${
      countText(findingCount)
    }.</p>`
    : html``;
  return card(
    table("Findings", [
      { head: "kind", cell: ({ kind }) => FINDING_KINDS[kind] },
      { head: "messages", number: true, cell: ({ messageCount }) => countText(messageCount) },
      { head: "what", cell: ({ text }) => text },
    ], findings),
    more,
  );
}

/** Roles that died and came back. */
export function restartSection(result: Result, startedAtMs: number): Html {
  if (result.restarts.length === 0) {
    return section("Restarts", card(html`<p class="muted">No role was started again.</p>`));
  }
  const after = (durationMs: number | null, wasCutShort: boolean | undefined) =>
    durationMs !== null
      ? formatDurationMs(durationMs)
      : wasCutShort
      ? "the run went through first"
      : "never";
  return section(
    "Restarts",
    card(table("Restarts and recovery", [
      { head: "process", cell: ({ role, name }) => swatch(role, name) },
      {
        head: "died at",
        number: true,
        cell: ({ atMs }) => formatDurationMs(Math.max(0, atMs - startedAtMs)),
      },
      {
        head: "ready after",
        number: true,
        cell: ({ readyAfterMs, wasCutShort }) => after(readyAfterMs, wasCutShort),
      },
      {
        head: "at work after",
        number: true,
        cell: ({ recoveryMs, wasCutShort }) => after(recoveryMs, wasCutShort),
      },
      { head: "why", cell: ({ reason }) => reason },
    ], result.restarts)),
  );
}

/** What was done to the run while it went on. */
export function eventSection({ events }: Result, startedAtMs: number): Html {
  if (events.length === 0) return html``;
  return section(
    "What was done to the run",
    card(table("What was done to the run", [
      {
        head: "at",
        number: true,
        cell: ({ atMs }) => formatDurationMs(Math.max(0, atMs - startedAtMs)),
      },
      { head: "what", cell: ({ text }) => text },
      { head: "by", cell: ({ by }) => by },
      { head: "refused because", cell: ({ refusal }) => refusal ?? "" },
    ], events)),
  );
}

/** Faults, restarts, notes and changes, as they stand on the charts, in full. */
export function markSection(marks: readonly Mark[]): Html {
  if (marks.length === 0) return html``;
  const text = (sec: number) => formatDurationMs(Math.round(sec * 1000));
  return section(
    "What happened",
    card(table("Marks on the charts", [
      { head: "at", cell: ({ atSec }) => text(atSec) },
      { head: "what", cell: ({ label }) => label },
      { head: "kind", cell: ({ kind }) => kind },
      {
        head: "lasted",
        number: true,
        cell: ({ atSec, untilSec }) => untilSec === undefined ? "–" : text(untilSec - atSec),
      },
    ], marks.toSorted((a, b) => a.atSec - b.atSec))),
  );
}

/** Inserts and checkpoints. */
export function storageSection(result: Result): Html {
  const rows = [
    { name: "inserts", figures: result.inserts },
    { name: "checkpoints", figures: result.checkpoints },
  ];
  const at = (head: string, pick: "p50" | "p99" | "max") => ({
    head,
    number: true,
    cell: ({ figures }: typeof rows[number]) =>
      latencyText(figures.durationUs[pick], figures.durationUs.count),
  });
  return section(
    "Inserts and checkpoints",
    card(table("Inserts and checkpoints", [
      { head: "what", cell: ({ name }) => name },
      { head: "count", number: true, cell: ({ figures }) => countText(figures.count) },
      at("p50", "p50"),
      at("p99", "p99"),
      at("max", "max"),
      { head: "bytes", number: true, cell: ({ figures }) => formatBytes(figures.bytes) },
    ], rows)),
  );
}

/** CPU and memory of each role. */
export function resourceSection(result: Result): Html {
  const { cpuSeconds, rssBytesMax, durationSec } = result;
  const roles = rolesInOrder(Object.keys(cpuSeconds)).map((role) => ({
    role,
    cpuSec: cpuSeconds[role as keyof typeof cpuSeconds],
    rssBytes: rssBytesMax[role as keyof typeof rssBytesMax],
  }));
  const all = {
    role: "all measured",
    cpuSec: sumOf(Object.values(cpuSeconds)),
    rssBytes: sumOf(Object.values(rssBytesMax)),
  };
  const perMessage = result.cpuNsPerMessage === null
    ? html``
    : html`<p class="muted">${
      countText(result.cpuNsPerMessage)
    } ns of CPU per message, all measured roles together.</p>`;
  return section(
    "CPU and memory",
    card(
      table("CPU and memory per role", [
        { head: "role", cell: ({ role }) => role === all.role ? role : swatch(role) },
        {
          head: "CPU s",
          number: true,
          cell: ({ cpuSec }) => cpuSec === null ? "not measured" : cpuSec.toFixed(1),
        },
        {
          head: "mean cores",
          number: true,
          cell: ({ cpuSec }) => coresText(cpuSec, durationSec),
        },
        { head: "peak memory", number: true, cell: ({ rssBytes }) => bytesText(rssBytes) },
      ], [...roles, all]),
      perMessage,
    ),
  );
}

/** Thresholds, met or missed. */
export function thresholdSection(result: Result): Html {
  return section(
    "Thresholds",
    card(table("Thresholds", [
      {
        head: "threshold",
        cell: ({ text, byDefault }) =>
          byDefault
            ? html`<code>${text}</code> <span class="muted">always</span>`
            : html`<code>${text}</code>`,
      },
      { head: "measured", number: true, cell: ({ actual }) => actual },
      {
        head: "outcome",
        cell: ({ met }) =>
          html`<span class="tag" style="--tone:var(--weir-${met ? "pass" : "fail"})">${
            met ? "met" : "missed"
          }</span>`,
      },
    ], result.thresholds)),
  );
}

/** When and where. */
export function whenText(startedAtMs: number, durationSec: number): string {
  return `${timeText(startedAtMs)}, ${formatDurationMs(durationSec * 1000)} of load`;
}

function swatch(role: string, name = role): Html {
  return html`
    <span
      class="name"><span class="swatch" style="--tone:var(--weir-${toneOfRole(
        role,
      )})"></span>${name}</span>
  `;
}
