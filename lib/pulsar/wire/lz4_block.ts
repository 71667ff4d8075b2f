/**
 * LZ4 blocks without a frame around them (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), as Pulsar's Java and C++ clients write them.
 *
 *     ([token: literals << 4 | match − 4][more literal length]*[literals][u16 LE distance][more match length]*)*
 *     the last sequence ends after its literals; a nibble of 15 is continued by bytes until one is not 255
 *
 * Why our own reader: npm:lz4js, which compresses here and is the oracle in the tests, goes on counting past the end of its output, so that 20 KB
 * cost a second.
 */
import { compressBlock, compressBound } from "lz4js";
import { malformed } from "./errors.ts";

const MATCH_BYTES_MIN = 4;
const hashTable = new Uint32Array(65536);

/**
 * @param bytes an LZ4 block
 * @param target takes the content, which must fill it
 * @throws {PulsarError} `malformed` with the offset
 */
export function decompressLz4Block(bytes: Uint8Array, target: Uint8Array): void {
  const end = bytes.length;
  let at = 0;
  let out = 0;
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) literals += more = bytes[at++]!;
    }
    if (literals > end - at || literals > target.length - out) throw wrong(at);
    for (const stop = at + literals; at < stop;) target[out++] = bytes[at++]!;
    if (at === end) break;
    if (end - at < 2) throw wrong(at);
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let match = token & 15;
    if (match === 15) {
      let more = 255;
      while (more === 255 && at < end) match += more = bytes[at++]!;
    }
    match += MATCH_BYTES_MIN;
    if (distance === 0 || distance > out || match > target.length - out) throw wrong(at);
    // One byte after the other: a match may overlap what it writes, which is how LZ4 repeats.
    for (const stop = out + match; out < stop; out++) target[out] = target[out - distance]!;
  }
  if (out !== target.length) {
    throw malformed("LZ4 block", `it holds ${out} bytes, announced are ${target.length}`, at);
  }
}

function wrong(at: number) {
  return malformed("LZ4 block", "a sequence goes beyond the block or its content", at);
}

/** The LZ4 block of some bytes. */
export function compressLz4Block(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(compressBound(bytes.length));
  hashTable.fill(0);
  const size = compressBlock(bytes, target, 0, bytes.length, hashTable);
  // 0 says that nothing repeats: then the block is one run of literals.
  return size === 0 ? literalBlock(bytes) : target.slice(0, size);
}

function literalBlock(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const continuation = bytes.length < 15 ? 0 : Math.floor((bytes.length - 15) / 255) + 1;
  const block = new Uint8Array(1 + continuation + bytes.length);
  block[0] = Math.min(bytes.length, 15) << 4;
  if (continuation > 0) {
    block.fill(255, 1, continuation);
    block[continuation] = (bytes.length - 15) % 255;
  }
  block.set(bytes, 1 + continuation);
  return block;
}
