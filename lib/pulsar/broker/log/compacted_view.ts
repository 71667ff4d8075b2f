import { readUint32, writeUint32 } from "../../../base/mod.ts";
import type { Crc32c } from "../../../base/mod.ts";
import type { EarlierEntries, EarlierReader } from "./compacting_reader.ts";
import type { LogReader } from "./log_reader.ts";
import type { LogShared } from "./log_shared.ts";
import type { Position } from "./position.ts";
import { comparePositions } from "./position.ts";
import { PartitionLog } from "./log.ts";

/** One mark for so many entries. */
const MARK_INTERVAL = 256;
/** Magic, checksum, ledger id, entry id: before the entry itself. */
const WRAPPER_BYTES = 22;
const scratch = new DataView(new ArrayBuffer(8));

/** Where an entry of the topic lies in the compacted log. */
type Mark = readonly [ledgerId: number, entryId: number, atLedgerId: number, atEntryId: number];

/** What is written down of a compacted log, beside the topic's. */
export interface CompactedState {
  /** Name of its folder in the topic's. */
  readonly folder: string;
  /** Everything up to here is compacted. */
  readonly horizon: readonly [ledgerId: number, entryId: number];
  readonly entryCount: number;
  readonly sizeBytes: number;
  /** The last message that was kept. */
  readonly last: readonly [ledgerId: number, entryId: number, batchIndex: number] | undefined;
  readonly marks: readonly Mark[];
}

/**
 * An entry with its place in the topic, as a body that any log keeps:
 *
 *     0       2          6               14             22
 *     | 0e 01 | CRC-32C  | ledger id f64 | entry id f64 | entry …
 */
function wrapEntry(position: Position, entry: Uint8Array, crc32c: Crc32c): Uint8Array {
  const body = new Uint8Array(WRAPPER_BYTES + entry.length);
  body[0] = 0x0e;
  body[1] = 0x01;
  const view = new DataView(body.buffer);
  view.setFloat64(6, position.ledgerId);
  view.setFloat64(14, position.entryId);
  body.set(entry, WRAPPER_BYTES);
  writeUint32(body, 2, crc32c(body, 6, body.length));
  return body;
}

function float64At(bytes: Uint8Array, at: number): number {
  scratch.setUint32(0, readUint32(bytes, at));
  scratch.setUint32(4, readUint32(bytes, at + 4));
  return scratch.getFloat64(0);
}

/** Writes a compacted log. */
export class CompactedWriter {
  readonly #marks: Mark[] = [];
  #entryCount = 0;
  #failure: unknown;

  private constructor(
    private readonly log: PartitionLog,
    private readonly folder: string,
    private readonly crc32c: Crc32c,
  ) {}

  /**
   * Begins a compacted log in a folder of the topic's.
   *
   * @throws {BrokerError} `disk_full`, `disk_error`
   */
  static async create(
    shared: LogShared,
    topicFolder: string,
    folder: string,
  ): Promise<CompactedWriter> {
    const log = await PartitionLog.open(shared, `${topicFolder}/${folder}`);
    return new CompactedWriter(log, folder, shared.crc32c);
  }

  /** @throws {BrokerError} `disk_full`, `disk_error` for this entry or one before it */
  add(position: Position, entry: Uint8Array, messageCount: number): void {
    const bytes = wrapEntry(position, entry, this.crc32c);
    const isMarked = this.#entryCount++ % MARK_INTERVAL === 0;
    // Nobody looks for a time in here.
    const publishTimeMs = 0;
    this.log.append({ bytes, start: 0, end: bytes.length, messageCount, publishTimeMs }, {
      appended: (ledgerId, entryId) => {
        if (!isMarked) return;
        this.#marks.push([position.ledgerId, position.entryId, ledgerId, entryId]);
      },
      appendFailed: (error) => this.#failure ??= error,
    });
    this.#assertStored();
  }

  /** Hands what was added to the disk. */
  flush(): void {
    this.log.flush();
    this.#assertStored();
  }

  #assertStored(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Ends the log.
   *
   * @throws {BrokerError} `disk_full`, `disk_error`
   */
  async finish(horizon: Position, last: CompactedState["last"]): Promise<CompactedState> {
    await this.log.settled();
    this.#assertStored();
    const { sizeBytes } = this.log;
    await this.log.close();
    return {
      folder: this.folder,
      horizon: [horizon.ledgerId, horizon.entryId],
      entryCount: this.#entryCount,
      sizeBytes,
      last,
      marks: this.#marks,
    };
  }

  /** Gives the log up. */
  async abandon(): Promise<void> {
    await this.log.close();
  }
}

/** What stands for the beginning of a topic's log when it is read compacted. */
export class CompactedView implements EarlierEntries {
  readonly horizon: Position;
  readonly #readers = new Set<CompactedReader>();

  private constructor(readonly state: CompactedState, readonly log: PartitionLog) {
    const [ledgerId, entryId] = state.horizon;
    this.horizon = { ledgerId, entryId };
  }

  /** @throws {BrokerError} `damaged`, `disk_error` */
  static async open(
    shared: LogShared,
    topicFolder: string,
    state: CompactedState,
  ): Promise<CompactedView> {
    const log = await PartitionLog.open(shared, `${topicFolder}/${state.folder}`);
    return new CompactedView(state, log);
  }

  get last(): EarlierEntries["last"] {
    const { last } = this.state;
    return last && { ledgerId: last[0], entryId: last[1], batchIndex: last[2] };
  }

  reader(): EarlierReader {
    const reader = new CompactedReader(this, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }

  /** The place in the compacted log from which on to look for an entry. */
  markBefore(position: Position): Position {
    const { marks } = this.state;
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [ledgerId, entryId] = marks[middle]!;
      if (comparePositions({ ledgerId, entryId }, position) <= 0) low = middle + 1;
      else high = middle;
    }
    const mark = marks[low - 1];
    if (mark === undefined) return this.log.beforeFirst;
    return { ledgerId: mark[2], entryId: mark[3] - 1 };
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) reader.close();
    await this.log.close();
  }
}

class CompactedReader implements EarlierReader {
  ledgerId = -1;
  entryId = -1;
  start = 0;
  readonly #reader: LogReader;
  #isPositioned = false;

  constructor(private readonly view: CompactedView, private readonly closed: () => void) {
    this.#reader = view.log.reader(view.log.beforeFirst);
  }

  get slab() {
    return this.#reader.slab;
  }

  get end(): number {
    return this.#reader.end;
  }

  get messageCount(): number {
    return this.#reader.messageCount;
  }

  loadFrom(position: Position): boolean {
    const isNext = this.#isPositioned && position.ledgerId === this.ledgerId &&
      position.entryId === this.entryId + 1;
    if (isNext) this.#reader.next();
    else this.#reader.seek(this.view.markBefore(position));
    this.#isPositioned = false;
    while (this.#reader.load()) {
      const { bytes } = this.slab;
      const at = this.#reader.start;
      this.ledgerId = float64At(bytes, at + 6);
      this.entryId = float64At(bytes, at + 14);
      this.start = at + WRAPPER_BYTES;
      this.#isPositioned = true;
      if (comparePositions(this, position) >= 0) return true;
      this.#reader.next();
    }
    this.#isPositioned = false;
    return false;
  }

  close(): void {
    this.#reader.close();
    this.closed();
  }
}
