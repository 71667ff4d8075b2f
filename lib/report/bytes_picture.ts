import { type ByteField, hexOf } from "../base/mod.ts";
import type { Picture } from "./display.ts";
import { type Html, html, trusted } from "./escape.ts";
import { PALETTE, type Tone } from "./palette.ts";
import { alignRows } from "./tables.ts";

/** Bytes and what they mean. */
export interface BytesSpec {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** In order; what lies in none of them is drawn grey. */
  readonly fields: readonly ByteField[];
}

const ROW_BYTES = 16;
/** In the order in which layers are met. */
const TONES: readonly Tone[] = ["broker", "produce", "clickhouse", "aggregate", "runner", "void"];
/** A field's neighbours are told apart by the strength of the tint. */
const TINTS = ["2b", "57"];
const TEXT_CHARACTERS_MAX = 60;

/** Works in every notebook: inline styles only, but for the outline of the field under the pointer, which may be missing. */
const STYLE = `.weir-bytes [data-field]:hover{outline:2px solid ${PALETTE.ink.light}}` +
  ".weir-bytes td,.weir-bytes th{padding:1px 8px;text-align:left;vertical-align:top;border:0;background:none}";

interface Coloured extends ByteField {
  readonly color: string;
  readonly tint: string;
}

/**
 * Draws bytes as a grid of sixteen a row, each field in a colour of its layer, and beside it a table of the fields with their values. The
 * pointer over a byte names its field.
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
 * assert.equal(picture["text/plain"], "A record (1 bytes)\nat  bytes  field  as   value\n0       1      n  int      3");
 * ```
 */
export function bytesPicture({ title, bytes, fields }: BytesSpec): Picture {
  const coloured = colouredFields(fields);
  const heading = `${title} (${bytes.length} bytes)`;
  const page = html`
    <div
      class="weir-bytes"
      style="color:${PALETTE.ink.light};background:${PALETTE.surface
        .light};padding:12px;font:13px system-ui,sans-serif"
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
  const layers = layersOf(fields);
  let inLayer = 0;
  return fields.map((field, i) => {
    inLayer = i > 0 && fields[i - 1]!.layer === field.layer ? inLayer + 1 : 0;
    const color = PALETTE[TONES[layers.indexOf(field.layer) % TONES.length]!].light;
    return { ...field, color, tint: color + TINTS[inLayer % 2]! };
  });
}

function layersOf(fields: readonly ByteField[]): string[] {
  return [...new Set(fields.map(({ layer }) => layer))];
}

function legend(fields: readonly Coloured[]): Html[] {
  return layersOf(fields).map((layer) => {
    const inside = fields.filter((field) => field.layer === layer);
    const count = inside.reduce((sum, { start, end }) => sum + end - start, 0);
    return html`<span style="margin-right:16px;white-space:nowrap">${
      swatch(inside[0]!.color)
    }${layer}: ${count} bytes</span>`;
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
        style="white-space:nowrap;line-height:22px"><span style="display:inline-block;width:38px;color:${PALETTE
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
  const rows = fields.map(({ name, type, text, start, end, color }) =>
    html`
      <tr>
        <td style="text-align:right">${start}</td>
        <td style="text-align:right">${end - start}</td>
        <td style="white-space:nowrap">${swatch(color)}${name}</td>
        <td style="color:${PALETTE.muted.light}">${type}</td>
        <td style="font-family:ui-monospace,Menlo,Consolas,monospace">${shortened(text)}</td>
      </tr>
    `
  );
  return html`
    <table style="border-collapse:collapse;font-size:12px">
      <thead>
        <tr>
          <th scope="col">at</th>
          <th scope="col">bytes</th>
          <th scope="col">field</th>
          <th scope="col">as</th>
          <th scope="col">value</th>
        </tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
  `;
}

function shortened(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…`;
}
