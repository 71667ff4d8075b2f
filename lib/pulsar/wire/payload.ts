/**
 * What follows the command in SEND and MESSAGE ("Payload commands" in Pulsar's binary protocol specification,
 * https://pulsar.apache.org/docs/next/developing-binary-protocol/#payload-commands).
 *
 *     [0e 02][u32 size][BrokerEntryMetadata]                                 only in MESSAGE, and only where the broker is told to
 *     [0e 01][u32 CRC-32C][u32 metadata size][MessageMetadata][payload]
 *                         └──────────── checksum is of this ───────────┘
 *     [u32 metadata size][MessageMetadata][payload]                          without checksum: old clients
 */
import { type Crc32c, readUint32 } from "../../base/mod.ts";
import { malformed, PulsarError } from "./errors.ts";
import type { ProtoWriter } from "./proto_writer.ts";

const MAGIC_BROKER_ENTRY = 0x0e02;
const MAGIC_CHECKSUM = 0x0e01;

/** A payload section in place: offsets into `bytes`. */
export class PayloadSection {
  bytes: Uint8Array = new Uint8Array(0);
  /** BrokerEntryMetadata, empty where there is none. */
  brokerEntryStart = 0;
  brokerEntryEnd = 0;
  /** First byte of what a broker stores: everything after the broker's own metadata. */
  entryStart = 0;
  hasChecksum = false;
  checksum = 0;
  /** First byte that the checksum covers, the metadata size. */
  checkedStart = 0;
  metadataStart = 0;
  metadataEnd = 0;
  /** One past the payload's last byte; it begins at `metadataEnd`. */
  end = 0;

  /**
   * Reads the section in `bytes[start..end)`. The checksum is not compared: see `checksumMatches`.
   *
   * @throws {PulsarError} `malformed` with the offset
   */
  read(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.end = end;
    this.brokerEntryStart = this.brokerEntryEnd = start;
    let at = this.#readBrokerEntry(start);
    this.entryStart = at;
    this.hasChecksum = this.#magicAt(at) === MAGIC_CHECKSUM;
    if (this.hasChecksum) {
      if (end - at < 6) throw malformed("payload", "the frame ends in the checksum", at);
      this.checksum = readUint32(bytes, at + 2);
      at += 6;
    }
    this.checkedStart = at;
    if (end - at < 4) throw malformed("payload", "the frame ends in the metadata size", at);
    const metadataBytes = readUint32(bytes, at);
    if (metadataBytes > end - at - 4) {
      throw malformed("payload", `metadata of ${metadataBytes} bytes, ${end - at - 4} there`, at);
    }
    this.metadataStart = at + 4;
    this.metadataEnd = at + 4 + metadataBytes;
    return this;
  }

  /** Whether the checksum is right; true as well where there is none. */
  checksumMatches(crc32c: Crc32c): boolean {
    return !this.hasChecksum || crc32c(this.bytes, this.checkedStart, this.end) === this.checksum;
  }

  /** @throws {PulsarError} `checksum_mismatch` with both values */
  assertChecksum(crc32c: Crc32c): void {
    if (this.checksumMatches(crc32c)) return;
    const found = crc32c(this.bytes, this.checkedStart, this.end);
    throw new PulsarError(
      `Cannot read payload: its checksum is ${found.toString(16)}, announced as ${
        this.checksum.toString(16)
      }`,
      { code: "checksum_mismatch", retryable: true, offset: this.checkedStart },
    );
  }

  #readBrokerEntry(start: number): number {
    if (this.#magicAt(start) !== MAGIC_BROKER_ENTRY) return start;
    if (this.end - start < 6) {
      throw malformed("payload", "the frame ends in the broker entry", start);
    }
    const size = readUint32(this.bytes, start + 2);
    if (size > this.end - start - 6) {
      throw malformed(
        "payload",
        `broker entry of ${size} bytes, ${this.end - start - 6} there`,
        start,
      );
    }
    this.brokerEntryStart = start + 6;
    this.brokerEntryEnd = start + 6 + size;
    return this.brokerEntryEnd;
  }

  #magicAt(at: number): number {
    return this.end - at < 2 ? 0 : (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }
}

/**
 * Ends a payload section: the writer holds [MessageMetadata][payload], of which `payloadBytes` are payload;
 * metadata size, checksum and magic are written in front.
 */
export function closePayload(writer: ProtoWriter, payloadBytes: number, crc32c: Crc32c): void {
  writer.frame32(writer.length - payloadBytes);
  writer.frame32(crc32c(writer.bytes, writer.start, writer.end));
  writer.raw(MAGIC_CHECKSUM_BYTES);
}

const MAGIC_CHECKSUM_BYTES = new Uint8Array([0x0e, 0x01]);
