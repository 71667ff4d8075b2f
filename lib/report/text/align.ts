/** The width that every terminal has. */
export const COLUMNS = 80;

/**
 * Rows of text, aligned: the first column at the left, the others at the right.
 *
 * @param rows the first may be the heads; short rows are filled
 * @param indent spaces before each line
 *
 * @example
 * ```ts
 * import { alignRows } from "./align.ts";
 * import assert from "node:assert/strict";
 * assert.equal(alignRows([["name", "n"], ["a", "100"]]), "name    n\na     100");
 * ```
 */
export function alignRows(rows: readonly (readonly string[])[], indent = 0): string {
  const columnCount = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columnCount },
    (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    " ".repeat(indent) +
    widths.map((width, column) => {
      const text = row[column] ?? "";
      return column === 0 ? text.padEnd(width) : text.padStart(width);
    }).join("  ").trimEnd()
  ).join("\n");
}

/**
 * Breaks text at spaces; a word that is longer than a line stands alone and sticks out.
 *
 * @param width columns
 */
export function wrapText(text: string, width = COLUMNS): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > width && line !== "") lines.push(line);
    line = longer.length > width && line !== "" ? word : longer;
  }
  return [...lines, line];
}
