/** Compression of an entry's payload, as MessageMetadata's fields `compression` and `uncompressed_size` say. */
// As one object: Node has zstd since 22.15 only, and a name that is not there would keep the module from loading.
import zlib from "node:zlib";
import { compress as compressSnappy, uncompress as decompressSnappy } from "snappyjs";
import { messageOf } from "../../base/mod.ts";
import { PulsarError } from "./errors.ts";
import { compressLz4Block, decompressLz4Block } from "./lz4_block.ts";
import { CompressionType } from "./pulsar_api.ts";

/** Names of the compressions, for options and flags. */
export type CompressionName = "none" | "lz4" | "zlib" | "zstd" | "snappy";

const NUMBERS: Readonly<Record<CompressionName, CompressionType>> = {
  none: CompressionType.NONE,
  lz4: CompressionType.LZ4,
  zlib: CompressionType.ZLIB,
  zstd: CompressionType.ZSTD,
  snappy: CompressionType.SNAPPY,
};

/**
 * The number of a compression on the wire.
 *
 * @throws {TypeError} for a name that is none
 */
export function compressionNumber(name: CompressionName): CompressionType {
  if (Object.hasOwn(NUMBERS, name)) return NUMBERS[name];
  throw new TypeError(
    `Cannot compress by "${name}": give one of ${Object.keys(NUMBERS).join(", ")}`,
  );
}

/** Compresses a payload; `NONE` gives the same array. */
export function compress(type: CompressionType, bytes: Uint8Array): Uint8Array {
  switch (type) {
    case CompressionType.NONE:
      return bytes;
    case CompressionType.LZ4:
      return compressLz4Block(bytes);
    case CompressionType.ZLIB:
      return zlib.deflateSync(bytes);
    case CompressionType.ZSTD:
      return zstd().zstdCompressSync(bytes);
    case CompressionType.SNAPPY:
      return compressSnappy(bytes);
  }
}

/**
 * Decompresses a payload; `NONE` gives the same array.
 *
 * @param type number from MessageMetadata
 * @param bytes the compressed payload
 * @param uncompressedSize from MessageMetadata; the content must have exactly this size
 * @param uncompressedSizeMax refuses more before any memory is taken
 * @throws {PulsarError} `decompression_failed`, or `unsupported_compression` for an unknown type
 */
export function decompress(
  type: number,
  bytes: Uint8Array,
  uncompressedSize: number,
  uncompressedSizeMax: number,
): Uint8Array {
  if (type === CompressionType.NONE) return bytes;
  if (!(uncompressedSize >= 0 && uncompressedSize <= uncompressedSizeMax)) {
    throw failed(`${uncompressedSize} bytes announced, at most ${uncompressedSizeMax} allowed`);
  }
  try {
    const content = decompressTyped(type, bytes, uncompressedSize);
    if (content.length === uncompressedSize) return content;
    throw failed(`it holds ${content.length} bytes, announced are ${uncompressedSize}`);
  } catch (error) {
    if (error instanceof PulsarError && error.code !== "malformed") throw error;
    throw failed(messageOf(error), error);
  }
}

function decompressTyped(type: number, bytes: Uint8Array, size: number): Uint8Array {
  switch (type) {
    case CompressionType.LZ4: {
      const content = new Uint8Array(size);
      decompressLz4Block(bytes, content);
      return content;
    }
    case CompressionType.ZLIB:
      return zlib.inflateSync(bytes, { maxOutputLength: Math.max(size, 1) });
    case CompressionType.ZSTD:
      return zstd().zstdDecompressSync(bytes, { maxOutputLength: Math.max(size, 1) });
    case CompressionType.SNAPPY:
      return decompressSnappy(bytes, size);
    default:
      throw new PulsarError(`Cannot decompress: type ${type} is not known`, {
        code: "unsupported_compression",
      });
  }
}

function zstd(): Pick<typeof zlib, "zstdCompressSync" | "zstdDecompressSync"> {
  if ("zstdCompressSync" in zlib) return zlib;
  throw new PulsarError("Cannot use zstd: this runtime does not have it", {
    code: "unsupported_compression",
    cure: "use Deno, Bun, or Node 22.15 or newer, or another compression",
  });
}

function failed(state: string, cause?: unknown): PulsarError {
  return new PulsarError(`Cannot decompress: ${state}`, { code: "decompression_failed", cause });
}
