import { readManifest } from "../scenarios/mod.ts";
import type { RunHandle } from "./run_handle.ts";
import { openRunFolder } from "../run/mod.ts";
import { NotebookError } from "./errors.ts";

/** When the rows of one partition came. */
export interface RowDelays {
  readonly partition: number;
  readonly messages: number;
  readonly windows: number;
  /** From the end of a window to its rows, wall-clock seconds. */
  readonly delaySecMean: number;
  readonly delaySecMax: number;
}

/**
 * How long after the end of a window its rows were made, partition by partition; waits for the end of the run. Left out are windows that only the
 * end of the run closed.
 *
 * @throws {NotebookError} `not_ended`, or `query_failed` with ClickHouse's words
 */
export async function rowDelays(run: RunHandle): Promise<RowDelays[]> {
  await run.result();
  const { config, generator } = await readManifest(await openRunFolder(run.path));
  if (generator === null) {
    throw new NotebookError("Cannot tell when windows ended: the producer left no report", {
      code: "not_ended",
    });
  }
  const startMs = generator.startWallMs;
  const { timeScale, durationMs } = config.load;
  const { outOfOrdernessMs, allowedLatenessMs } = config.window;
  const closesMs = `toUnixTimestamp64Milli(window_end) + ${outOfOrdernessMs + allowedLatenessMs}`;
  const rows = await run.rows(`
    SELECT partition, sum(messages) AS messages, count() AS windows,
      avg(delay_sec) AS delaySecMean, max(delay_sec) AS delaySecMax
    FROM (
      SELECT partition, window_end, sum(message_count) AS messages,
        (toUnixTimestamp64Milli(max(emitted_at)) - ${startMs}
          - (toUnixTimestamp64Milli(window_end) - ${startMs}) / ${timeScale}) / 1000 AS delay_sec
      FROM sensor_1m
      WHERE run_id = '${run.id}' AND ${closesMs} < ${startMs + durationMs * timeScale}
      GROUP BY partition, window_end
    )
    GROUP BY partition ORDER BY partition`);
  return rows.map((row) => ({
    partition: Number(row["partition"]),
    messages: Number(row["messages"]),
    windows: Number(row["windows"]),
    delaySecMean: Number(row["delaySecMean"]),
    delaySecMax: Number(row["delaySecMax"]),
  }));
}
