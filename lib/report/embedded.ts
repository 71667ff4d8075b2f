import { gunzipSync, gzipSync } from "node:zlib";
import { messageOf } from "../base/mod.ts";
import { ReportError } from "./errors.ts";
import { type Html, trusted } from "./escape.ts";

/** A page that unpacks to more is not one of ours. */
const UNPACKED_BYTES_MAX = 512 * 1024 ** 2;

/**
 * Data that a page's script reads, as JSON in which nothing can end the element.
 *
 * @param id of the element
 */
export function jsonScript(id: string, value: unknown): Html {
  const text = JSON.stringify(value).replaceAll(
    /[<>&]/g,
    (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`,
  );
  return trusted(`<script type="application/json" id="${id}">${text}</script>`);
}

const RUN_ID = "weir-run";

/**
 * Data that a page carries for programs: JSON, packed with gzip and written as Base64, an eighth of its size.
 *
 * @param value anything that JSON can hold
 */
export function packedScript(value: unknown): Html {
  const packed = gzipSync(JSON.stringify(value), { level: 9 });
  const text = new Uint8Array(packed).toBase64();
  return trusted(`<script type="application/gzip" id="${RUN_ID}">${text}</script>`);
}

/**
 * The data that {@link packedScript} put into a page.
 *
 * @param page the text of a `report.html`
 * @throws {ReportError} `no_data` for a page without, e.g. of an older version; `damaged_data`
 */
export function packedIn(page: string): unknown {
  const found = new RegExp(`<script type="application/gzip" id="${RUN_ID}">([^<]*)</script>`)
    .exec(page);
  if (found === null) {
    throw new ReportError("Cannot read the report: it carries no run", {
      code: "no_data",
      cure: "name a report.html made by this version, or draw it again from its run folder",
    });
  }
  try {
    const packed = Uint8Array.fromBase64(found[1]!);
    const text = gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX }).toString();
    return JSON.parse(text);
  } catch (cause) {
    throw new ReportError(`Cannot read the report: its data are damaged: ${messageOf(cause)}`, {
      code: "damaged_data",
      cure: "take the file from where it was made once more",
      cause,
    });
  }
}
