import { formatMeasure, type MeasureComparison } from "../verdict/mod.ts";
import { type Picture, tableOf } from "./display.ts";
import { html, trusted } from "./escape.ts";
import {
  comparedText,
  type Comparison,
  conclusionNote,
  ratioRangeText,
  ratioText,
} from "./text/mod.ts";

/** A ratio and how far it can be trusted, as one cell. */
function ratioCell(compared: MeasureComparison): string {
  const range = ratioRangeText(compared);
  return range === "" ? ratioText(compared.ratio) : `${ratioText(compared.ratio)} (${range})`;
}

/** A comparison as a table for a notebook, with what else is different, and what may be said of it; in the words that the terminal has. */
export function comparisonTable(comparison: Comparison): Picture {
  const table = tableOf(
    comparison.measures.map((one) => ({
      measure: one.name,
      before: formatMeasure(one.before.median, one.unit),
      after: formatMeasure(one.after.median, one.unit),
      "after ÷ before": ratioCell(one),
      conclusion: one.conclusion,
    })),
  );
  const notes = [comparedText(comparison), ...comparison.remarks, conclusionNote(comparison)];
  const page = html`${trusted(table["text/html"]!)}${notes.map((note) => html`<p>${note}</p>`)}`;
  return {
    "text/plain": [table["text/plain"], ...notes].join("\n"),
    "text/html": String(page),
  };
}
