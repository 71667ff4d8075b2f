/**
 * docs/pulsar-compatibility.md from the result of a run.
 *
 * @module
 */
import { join } from "node:path";
import type { MatrixResult } from "./result.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");

/** The page. */
export const PAGE_FILE = join(ROOT, "docs", "pulsar-compatibility.md");
/** The last run of each column. */
export const RESULT_FILE = join(import.meta.dirname!, "result.jsonl");

/** The page of a result. */
export function renderPage(_result: MatrixResult): string {
  return "";
}
