import type { RowBatch, WindowRow } from "../../../lib/contract.ts";
import { seededRandom } from "../../../lib/base/mod.ts";
import { expectedColumns } from "../../../lib/sinks/mod.ts";

const WINDOW_START_MS = Date.parse("2026-11-21T14:30:00Z");

/** Any double but NaN and infinities: every bit pattern is as likely. */
function anyDouble(next: () => number): number {
  const words = new Uint32Array(2);
  const doubles = new Float64Array(words.buffer);
  do {
    words[0] = next() * 2 ** 32;
    words[1] = next() * 2 ** 32;
  } while (!Number.isFinite(doubles[0]!));
  return doubles[0]!;
}

function anyUint64(next: () => number): string {
  return (BigInt(Math.floor(next() * 2 ** 32)) << 32n | BigInt(Math.floor(next() * 2 ** 32)))
    .toString();
}

/** A batch as the pipeline makes them, with values that a slip would change. */
export function someBatch(
  { runId = "run-1", partition = 0, part = 0, rowCount = 10, seed = 1, windowIndex = 0 } = {},
): RowBatch {
  const random = seededRandom(seed);
  const next = () => random.float();
  const windowStartMs = WINDOW_START_MS + windowIndex * 60_000;
  const batchId = `${runId}:${partition}:${windowStartMs}:${part}`;
  const rows = Array.from({ length: rowCount }, (_, i) => {
    const row: Record<string, string | number> = {};
    for (const { name, type } of expectedColumns()) {
      row[name] = type === "UInt64" ? anyUint64(next) : type === "Float64" ? anyDouble(next) : "";
    }
    return {
      ...row,
      window_start: windowStartMs,
      window_end: windowStartMs + 60_000,
      event_source_id: `source-${part}-${String(i).padStart(6, "0")}-'\\"\n\n\u{1F600}`,
      first_event_time: windowStartMs + i,
      last_event_time: windowStartMs + 59_999,
      partition,
      run_id: runId,
      batch_id: batchId,
      emitted_at: windowStartMs + 65_432,
    } satisfies WindowRow;
  });
  return {
    batchId,
    partition,
    windowStartMs,
    windowEndMs: windowStartMs + 60_000,
    rows,
    contentHash: "0",
  };
}
