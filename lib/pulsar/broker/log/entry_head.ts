import { utf8 } from "../../../base/mod.ts";
import { murmur3, PayloadSection, ProtoReader } from "../../wire/mod.ts";

const BYTES = 2;
const VARINT = 0;
const PRODUCER_NAME = 1;
const SEQUENCE_ID = 2;
const PARTITION_KEY = 6;
const PARTITION_KEY_IS_BASE64 = 17;
const ORDERING_KEY = 18;
const DELIVER_AT_TIME = 19;
const MARKER_TYPE = 20;
const UUID = 26;
const CHUNK_COUNT = 27;
const CHUNK_ID = 29;

const section = new PayloadSection();
const reader = new ProtoReader();

/** What a dispatcher of several consumers must know of an entry, read into the same object again and again. */
export class EntryHead {
  /** 0 where the entry is not delayed. */
  deliverAtMs = 0;
  /** Pulsar's internal marker: no message. */
  isMarker = false;
  /** −1 where the entry is no chunk of a larger message. */
  chunkId = -1;
  chunkCount = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Pairs of start and end, by what they hold; an end of 0 means there is none. */
  readonly #name = [0, 0];
  readonly #partitionKey = [0, 0];
  readonly #orderingKey = [0, 0];
  readonly #uuid = [0, 0];
  #sequenceId = 0;
  #isBase64 = false;

  /** Reads the entry in `bytes[start..end)`: a payload section. */
  read(bytes: Uint8Array, start: number, end: number): this {
    this.#bytes = bytes;
    this.deliverAtMs = this.chunkCount = this.#sequenceId = 0;
    this.chunkId = -1;
    this.isMarker = this.#isBase64 = false;
    this.#partitionKey[1] = this.#orderingKey[1] = this.#uuid[1] = 0;
    section.read(bytes, start, end);
    reader.reset(bytes, section.metadataStart, section.metadataEnd);
    for (let number = reader.nextField(); number !== 0; number = reader.nextField()) {
      if (reader.wireType === BYTES) this.#readBytes(number);
      else if (reader.wireType === VARINT) this.#readNumber(number);
      else reader.skip();
    }
    return this;
  }

  #readBytes(number: number): void {
    const length = reader.length();
    const start = reader.position;
    reader.position += length;
    const span = number === PRODUCER_NAME
      ? this.#name
      : number === PARTITION_KEY
      ? this.#partitionKey
      : number === ORDERING_KEY
      ? this.#orderingKey
      : number === UUID
      ? this.#uuid
      : undefined;
    if (span === undefined) return;
    span[0] = start;
    span[1] = start + length;
  }

  #readNumber(number: number): void {
    const value = reader.int64();
    if (number === SEQUENCE_ID) this.#sequenceId = value;
    else if (number === PARTITION_KEY_IS_BASE64) this.#isBase64 = value !== 0;
    else if (number === DELIVER_AT_TIME) this.deliverAtMs = value;
    else if (number === MARKER_TYPE) this.isMarker = true;
    else if (number === CHUNK_COUNT) this.chunkCount = value;
    else if (number === CHUNK_ID) this.chunkId = value;
  }

  /** Name of the message whose chunk this is, or undefined. */
  get chunkedUuid(): string | undefined {
    if (this.chunkId < 0 || this.#uuid[1] === 0) return undefined;
    return new TextDecoder().decode(this.#bytes.subarray(this.#uuid[0], this.#uuid[1]));
  }

  /**
   * Hash of what keeps messages together, as Pulsar 4 computes it (Commands.resolveStickyKey): the ordering key, else the partition key,
   * else the producer's name and the sequence id. Not reduced to a range yet.
   */
  keyHash(): number {
    const bytes = this.#bytes;
    const [orderingStart, orderingEnd] = this.#orderingKey;
    if (orderingEnd! > 0) return murmur3(bytes, orderingStart!, orderingEnd!);
    const [keyStart, keyEnd] = this.#partitionKey;
    if (keyEnd === 0) return murmur3(this.#fallbackKey());
    if (!this.#isBase64) return murmur3(bytes, keyStart!, keyEnd!);
    return murmur3(decodedKey(bytes.subarray(keyStart!, keyEnd!)));
  }

  #fallbackKey(): Uint8Array {
    const [start, end] = this.#name;
    const name = new TextDecoder().decode(this.#bytes.subarray(start, end));
    return utf8(`${name}-${this.#sequenceId}`);
  }
}

/** A key that says of itself that it is base64, and is not, counts as it stands. */
function decodedKey(key: Uint8Array): Uint8Array {
  try {
    return Uint8Array.fromBase64(new TextDecoder().decode(key));
  } catch {
    return key;
  }
}
