import { type ByteField, hexOf } from "../base/mod.ts";
import type { Picture } from "./display.ts";
import { type Html, html, trusted } from "./escape.ts";
import { PALETTE, type Tone } from "./palette.ts";
import { alignRows } from "./text/mod.ts";

/** Bytes and what they mean. */
export interface BytesSpec {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** In order; what lies in none of them is drawn grey. */
  readonly fields: readonly ByteField[];
}

const ROW_BYTES = 16;
/** In the order in which groups are met. */
const TONES: readonly Tone[] = [
  "broker",
  "produce",
  "clickhouse",
  "aggregate",
  "runner",
  "void",
  "fault",
  "pass",
];
/** A field's neighbours are told apart by the strength of the tint. */
const TINTS = ["2b", "57"];
const TEXT_CHARACTERS_MAX = 44;

/** Works in every notebook: inline styles only, but for the outline of the field under the pointer, which may be missing. */
const STYLE = `.weir-bytes [data-field]:hover{outline:2px solid ${PALETTE.ink.light}}` +
  ".weir-bytes table{margin:0}.weir-bytes tr{background:none!important}";
const CELL = "padding:1px 7px;vertical-align:top;border:0;line-height:17px;text-align:";

interface Coloured extends ByteField {
  /** What has this colour. */
  readonly group: string;
  readonly color: string;
  readonly tint: string;
}

/**
 * Draws bytes as a grid of sixteen a row, each field in a colour of its layer (where there is but one, of its type), and beside it a table of
 * the fields with their values. The pointer over a byte names its field.
 *
 * @example
 * ```ts
 * import { bytesPicture } from "./bytes_picture.ts";
 * import assert from "node:assert/strict";
 * const picture = bytesPicture({
 *   title: "A record",
 *   bytes: new Uint8Array([6]),
 *   fields: [{ name: "n", layer: "AVRO", start: 0, end: 1, type: "int", text: "3" }],
 * });
 * assert.equal(picture["text/plain"], "A record (1 bytes)\nat  bytes  field   as  value\n0       1      n  int      3");
 * ```
 */
export function bytesPicture({ title, bytes, fields }: BytesSpec): Picture {
  const coloured = colouredFields(fields);
  const heading = `${title} (${bytes.length} bytes)`;
  const page = html`
    <div
      class="weir-bytes"
      style="color:${PALETTE.ink.light};background:${PALETTE.surface
        .light};padding:12px;font:13px system-ui,sans-serif;print-color-adjust:exact"
    >
      <style>
        ${trusted(STYLE)}
      </style>
      <div style="font-weight:600;font-size:15px;margin-bottom:6px">${heading}</div>
      <div style="margin-bottom:8px">${legend(coloured)}</div>
      <div style="display:flex;flex-wrap:wrap;gap:20px;align-items:flex-start">
        ${grid(bytes, coloured)}${table(coloured)}
      </div>
    </div>
  `;
  const rows = fields.map(({ name, type, text, start, end }) => [
    String(start),
    String(end - start),
    name,
    type,
    text,
  ]);
  const head = ["at", "bytes", "field", "as", "value"];
  return {
    "text/plain": `${heading}\n${alignRows([head, ...rows])}`,
    "text/html": String(page),
  };
}

function colouredFields(fields: readonly ByteField[]): Coloured[] {
  const isOneLayer = new Set(fields.map(({ layer }) => layer)).size <= 1;
  const groups = [...new Set(fields.map((field) => isOneLayer ? plainType(field) : field.layer))];
  let inGroup = 0;
  let previous = "";
  return fields.map((field) => {
    const group = isOneLayer ? plainType(field) : field.layer;
    inGroup = group === previous ? inGroup + 1 : 0;
    previous = group;
    const color = PALETTE[TONES[groups.indexOf(group) % TONES.length]!].light;
    return { ...field, group, color, tint: color + TINTS[inGroup % 2]! };
  });
}

/** What is written alike: `null or int`, `long (timestamp-millis)` and `LowCardinality(String)` are int, long and String. */
function plainType({ type }: ByteField): string {
  return type.replace(/^null or /, "").replace(/ \(.*\)$/, "")
    .replace(/^LowCardinality\((.*)\)$/, "$1").replace(/\(.*\)$/, "");
}

function legend(fields: readonly Coloured[]): Html[] {
  return [...new Set(fields.map(({ group }) => group))].map((group) => {
    const inside = fields.filter((field) => field.group === group);
    const count = inside.reduce((sum, { start, end }) => sum + end - start, 0);
    return html`<span style="margin-right:16px;white-space:nowrap">${
      swatch(inside[0]!.color)
    }${group}: ${count} bytes</span>`;
  });
}

function swatch(color: string): Html {
  return html`
    <span
      style="display:inline-block;width:11px;height:11px;margin-right:5px;background:${color}"></span>
  `;
}

function grid(bytes: Uint8Array, fields: readonly Coloured[]): Html {
  const rows: Html[] = [];
  for (let from = 0; from < bytes.length; from += ROW_BYTES) {
    const cells = Array.from(
      bytes.subarray(from, from + ROW_BYTES),
      (byte, i) => cell(byte, fields.find(({ start, end }) => start <= from + i && from + i < end)),
    );
    rows.push(html`
      <div
        style="white-space:nowrap;line-height:22px"><span style="display:inline-block;width:34px;color:${PALETTE
          .muted.light}">${from}</span>${cells}</div>
    `);
  }
  return html`
    <div style="font:12px ui-monospace,Menlo,Consolas,monospace" role="img"
      aria-label="The bytes in hexadecimal, by field; the table beside them says the same">${rows}</div>
  `;
}

function cell(byte: number, field: Coloured | undefined): Html {
  const background = field?.tint ?? PALETTE.line.light;
  const title = field === undefined ? "" : `${field.name} = ${field.text} (${field.type})`;
  return html`
    <span data-field="${field?.name ?? ""}" title="${title}"
      style="display:inline-block;width:22px;text-align:center;background:${background}">${hexOf(
        new Uint8Array([byte]),
      )}</span>
  `;
}

function table(fields: readonly Coloured[]): Html {
  const muted = `color:${PALETTE.muted.light};`;
  const mono = "font-family:ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere;";
  const rows = fields.map(({ name, type, text, start, end, color }) =>
    html`
      <tr>
        <td style="${CELL}right">${start}</td>
        <td style="${CELL}right">${end - start}</td>
        <td style="white-space:nowrap;${CELL}left">${swatch(color)}${name}</td>
        <td style="white-space:nowrap;${muted}${CELL}left">${type}</td>
        <td style="${mono}${CELL}left">${shortened(text)}</td>
      </tr>
    `
  );
  const heads = ["at", "bytes", "field", "as", "value"].map((head, i) =>
    html`<th scope="col" style="${CELL}${i < 2 ? "right" : "left"}">${head}</th>`
  );
  return html`
    <table style="border-collapse:collapse;font-size:12px;flex:1 1 420px;min-width:0">
      <thead>
        <tr>${heads}</tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
  `;
}

function shortened(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…`;
}
