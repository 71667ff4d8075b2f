import type { ByteField } from "../base/mod.ts";
import { rowFields } from "../sinks/mod.ts";
import type { TappedMessage } from "./message_tap.ts";
import type { RunHandle } from "./run_handle.ts";

/**
 * Waits for the end of a run and fetches the row that a message of it went into, as ClickHouse writes it in its own binary types.
 *
 * @throws {NotebookError} `not_ended`, or `query_failed` with ClickHouse's words
 * @throws {SinkError} `unreadable_row` when there is no such row, e.g. because the message came too late for its window
 *
 * @example
 * ```ts ignore
 * const message = await weir.tapMessage(run);
 * const row = await weir.rowOfMessage(run, message);
 * await weir.show(weir.bytesPicture({ title: "A row", ...row }));
 * ```
 */
export async function rowOfMessage(
  run: RunHandle,
  { record }: Pick<TappedMessage, "record">,
): Promise<{ readonly bytes: Uint8Array; readonly fields: readonly ByteField[] }> {
  await run.result();
  const bytes = await run.bytes(`
    SELECT * FROM sensor_1m
    WHERE run_id = '${run.id}' AND event_source_id = '${record.event_source_id}'
      AND ${record.sequence} BETWEEN min_sequence AND max_sequence
    ORDER BY window_start LIMIT 1 FORMAT RowBinaryWithNamesAndTypes`);
  const { row, fields } = rowFields(bytes);
  return { bytes: row, fields };
}
