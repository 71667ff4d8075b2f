/**
 * Rows in ClickHouse's own binary types (https://clickhouse.com/docs/interfaces/formats/RowBinaryWithNamesAndTypes).
 *
 *     [varint: columns][names: (varint length, text)*][types: (varint length, text)*][values of row 1][values of row 2]…
 */
import { type ByteField, textOf } from "../../base/mod.ts";
import { SinkError } from "./errors.ts";

const LAYER = "ClickHouse row";

/**
 * Where each column of one row lies in its bytes, and what it says.
 *
 * @param bytes what a query of one row gives as RowBinaryWithNamesAndTypes
 * @returns the bytes of the row without names and types, and its fields: in order, without gaps
 * @throws {SinkError} `unreadable_row` when it is not one whole row of known types
 */
export function rowFields(
  bytes: Uint8Array,
): { readonly row: Uint8Array; readonly fields: readonly ByteField[] } {
  const reader = new RowReader(bytes);
  const columnCount = reader.varint();
  const names = Array.from({ length: columnCount }, () => reader.text());
  const types = Array.from({ length: columnCount }, () => reader.text());
  const row = bytes.subarray(reader.position);
  const origin = reader.position;
  const fields = names.map((name, i): ByteField => {
    const start = reader.position - origin;
    const type = types[i]!;
    const text = reader.value(type);
    return { name, layer: LAYER, start, end: reader.position - origin, type, text };
  });
  if (reader.position !== bytes.length) {
    throw unreadable(`${bytes.length - reader.position} bytes after one row`);
  }
  return { row, fields };
}

function unreadable(why: string): SinkError {
  return new SinkError(`Cannot read row: ${why}`, { code: "unreadable_row", retryable: false });
}

class RowReader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 35; factor *= 128) {
      const byte = this.#view.getUint8(this.#pass(1));
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw unreadable("a length of more than 5 bytes");
  }

  text(): string {
    const length = this.varint();
    const start = this.#pass(length);
    return textOf(this.#bytes.subarray(start, start + length));
  }

  value(type: string): string {
    const plain = type.replace(/^LowCardinality\((.*)\)$/, "$1");
    switch (plain) {
      case "String":
        return JSON.stringify(this.text());
      case "UInt32":
        return String(this.#view.getUint32(this.#pass(4), true));
      case "UInt64":
        return String(this.#view.getBigUint64(this.#pass(8), true));
      case "Float64":
        return String(this.#view.getFloat64(this.#pass(8), true));
      case "DateTime64(3, 'UTC')":
        return new Date(Number(this.#view.getBigInt64(this.#pass(8), true))).toISOString();
      default:
        throw unreadable(`type ${type} is not one of the table's`);
    }
  }

  #pass(count: number): number {
    const at = this.position;
    if (count > this.#bytes.length - at) throw unreadable(`it ends at byte ${this.#bytes.length}`);
    this.position = at + count;
    return at;
  }
}
