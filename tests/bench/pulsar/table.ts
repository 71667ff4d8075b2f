/** The rows side by side, for people. */
import { formatBytes, formatCount } from "../../../lib/base/mod.ts";
import type { MemoryTrend, MissingRow, Row } from "./measure.ts";

const HEAD = [
  "broker",
  "client",
  "",
  "messages/s",
  "broker ns",
  "producer ns",
  "consumer ns",
  "broker RSS",
];

function nanoseconds(value: number | undefined): string {
  return value === undefined ? "" : Math.round(value).toLocaleString("en");
}

function cellsOf(row: Row): string[] {
  return [
    row.broker,
    row.client,
    row.direction,
    formatCount(Math.round(row.messagesPerSec)),
    nanoseconds(row.brokerNs),
    nanoseconds(row.producerNs),
    nanoseconds(row.consumerNs),
    formatBytes(row.brokerResidentBytes),
  ];
}

/** A table with columns as wide as they must be; numbers stand to the right. */
export function renderTable(rows: readonly Row[], missing: readonly MissingRow[]): string {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const lines = cells.map((line) =>
    line.map((cell, i) => i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
      .trimEnd()
  );
  const absent = missing.map(({ broker, client, why }) => `${broker} × ${client}: missing, ${why}`);
  return [lines[0]!, "-".repeat(lines[0]!.length), ...lines.slice(1), ...absent].join("\n");
}

/** What the issue asks for, CPU time a message in ns: told beside the figures, judged by nobody but the reader. */
const TARGETS =
  "targets on a quiet machine: producer 200 ns, consumer 150 ns, receive() 2,000 ns, embedded broker in+out 200 ns";

/** The sentence about targets. */
export function renderTargets(referenceNs: number): string {
  return `${TARGETS}; one step of the reference loop took ${referenceNs.toFixed(2)} ns`;
}

/** How memory went, a line a process. */
export function renderMemory(broker: string, trends: readonly MemoryTrend[]): string {
  return trends.map(({ process, firstBytes, lastBytes, bytesMax, slopeBytesPerMinute }) =>
    `memory, ${broker}, ${process}: ${formatBytes(firstBytes)} at first, ${
      formatBytes(lastBytes)
    } at last, at most ${formatBytes(bytesMax)}, second half ${
      slopeBytesPerMinute < 0 ? "-" : "+"
    }${formatBytes(Math.abs(Math.round(slopeBytesPerMinute)))} a minute`
  ).join("\n");
}
