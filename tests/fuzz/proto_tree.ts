/** Protobuf's wire format as a tree that can be bent and written again, right or wrong; knows no message. */

/** A field of any message. */
export interface ProtoNode {
  number: number;
  wireType: number;
  /** Of a varint, or of what is fixed in size. */
  value: bigint;
  /** Of wire type 2. */
  bytes: Uint8Array;
  /** Length as it is announced; undefined for the true one. */
  announced: number | undefined;
}

interface Varint {
  readonly value: bigint;
  readonly end: number;
}

function readVarint(bytes: Uint8Array, start: number): Varint | undefined {
  let value = 0n;
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    value |= BigInt(bytes[at]! & 0x7f) << BigInt(7 * (at - start));
    if (bytes[at]! < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function readFixed(bytes: Uint8Array, start: number, size: number): Varint | undefined {
  if (bytes.length - start < size) return undefined;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[start + i]!);
  return { value, end: start + size };
}

/** The fields of a message, or undefined where these bytes are none. */
export function parseTree(bytes: Uint8Array): ProtoNode[] | undefined {
  const nodes: ProtoNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    if (tag === undefined || tag.value < 8n || tag.value > 0xffffffffn) return undefined;
    const wireType = Number(tag.value & 7n);
    const node = { number: Number(tag.value >> 3n), wireType, value: 0n, bytes: new Uint8Array() };
    const value = wireType === 1
      ? readFixed(bytes, tag.end, 8)
      : wireType === 5
      ? readFixed(bytes, tag.end, 4)
      : readVarint(bytes, tag.end);
    if (value === undefined || wireType === 3 || wireType === 4 || wireType > 5) return undefined;
    at = value.end;
    if (wireType !== 2) nodes.push({ ...node, value: value.value, announced: undefined });
    else {
      const end = at + Number(value.value);
      if (end > bytes.length) return undefined;
      nodes.push({ ...node, bytes: bytes.slice(at, end), announced: undefined });
      at = end;
    }
  }
  return nodes;
}

function putVarint(out: number[], value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}

/** The bytes of these fields, with whatever lies they hold. */
export function writeTree(nodes: readonly ProtoNode[]): Uint8Array {
  const out: number[] = [];
  for (const { number, wireType, value, bytes, announced } of nodes) {
    putVarint(out, (BigInt(number) << 3n) | BigInt(wireType));
    if (wireType === 2) {
      putVarint(out, BigInt(announced ?? bytes.length));
      for (const byte of bytes) out.push(byte);
    } else if (wireType === 1 || wireType === 5) {
      for (let i = 0; i < (wireType === 1 ? 8 : 4); i++) {
        out.push(Number((value >> BigInt(8 * i)) & 0xffn));
      }
    } else putVarint(out, value);
  }
  return new Uint8Array(out);
}
