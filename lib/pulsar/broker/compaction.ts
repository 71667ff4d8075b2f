import { lineOf, messageOf } from "../../base/mod.ts";
import {
  CompactedView,
  CompactedWriter,
  CompactingReader,
  comparePositions,
  EARLIEST,
  isCompactedFolder,
  readDocument,
  removeLogFolder,
  writeDocument,
} from "./log/mod.ts";
import type {
  CompactedState,
  DocumentPlace,
  LogReader,
  PartitionLog,
  Position,
} from "./log/mod.ts";
import { keepOnly, keyedMessages, lastIndexIn } from "./compaction_pass.ts";
import type { KeyedMessage } from "./compaction_pass.ts";
import { BrokerError } from "./errors.ts";
import type { Subscription, TopicContext } from "./dispatch/mod.ts";

/** The subscription that keeps what is not compacted yet, by Pulsar's name. */
export const COMPACTION_SUBSCRIPTION = "__compaction";

const STATE = "compaction.json";
/** After so much work everybody else has a turn. */
const SLICE_BYTES = 1024 * 1024;

/** What compaction needs of its topic. */
export interface CompactionHost {
  readonly log: PartitionLog;
  readonly context: TopicContext;
  readonly isClosed: boolean;
  /** The subscription that keeps what is not compacted yet. */
  compactionSubscription(): Subscription;
  saveCursors(): Promise<void>;
}

/** How the last run went, by Pulsar's names. */
export interface CompactionStatus {
  readonly status: "NOT_RUN" | "RUNNING" | "SUCCESS" | "ERROR";
  readonly lastError: string;
}

/** Figures of the last run; times in ms, 0 for never. */
export interface CompactionFigures {
  readonly removedMessages: number;
  readonly succeededAtMs: number;
  readonly failedAtMs: number;
  readonly durationMs: number;
}

/** Where the message lies that counts for its key. */
interface Latest {
  readonly position: Position;
  readonly index: number;
  readonly uuid: string | undefined;
}

/**
 * Log compaction (https://pulsar.apache.org/docs/concepts-topic-compaction/): beside the log lies a shorter one that holds the last message
 * of each key. Two passes, as in Pulsar: the first finds the last of each key, the second copies it.
 */
export class Compaction {
  view: CompactedView | undefined;
  status: CompactionStatus = { status: "NOT_RUN", lastError: "" };
  figures: CompactionFigures = {
    removedMessages: 0,
    succeededAtMs: 0,
    failedAtMs: 0,
    durationMs: 0,
  };

  constructor(private readonly topic: CompactionHost) {}

  #place(): DocumentPlace {
    const { disk, crc32c, durability } = this.topic.context.shared;
    return { disk, crc32c, durability, folder: this.topic.log.folder, name: STATE };
  }

  /** Opens what an earlier run made, and clears away what one left that did not end. */
  async open(): Promise<void> {
    const { shared } = this.topic.context;
    const state = readDocument<CompactedState>(this.#place());
    const { folder } = this.topic.log;
    for (const name of shared.disk.list(folder)) {
      if (isCompactedFolder(name) && name !== state?.folder) this.#removeFolder(name);
    }
    if (state === undefined) return;
    this.view = await CompactedView.open(shared, folder, state);
    this.status = { status: "SUCCESS", lastError: "" };
  }

  #removeFolder(name: string): void {
    const { disk } = this.topic.context.shared;
    removeLogFolder(disk, `${this.topic.log.folder}/${name}`);
  }

  /**
   * Compacts everything that there is now.
   *
   * @throws {BrokerError} `conflict` while it runs already, `damaged`, `disk_full`, `disk_error`, `closed`
   */
  async run(): Promise<void> {
    if (this.status.status === "RUNNING") {
      throw new BrokerError("Compaction already in progress", { code: "conflict" });
    }
    this.status = { status: "RUNNING", lastError: "" };
    const { clock, report } = this.topic.context;
    const startedUs = clock.monoUs();
    try {
      await this.#compact();
      this.status = { status: "SUCCESS", lastError: "" };
      const durationMs = Math.round((clock.monoUs() - startedUs) / 1000);
      this.figures = { ...this.figures, succeededAtMs: Math.floor(clock.wallMs()), durationMs };
    } catch (error) {
      this.status = { status: "ERROR", lastError: messageOf(error) };
      this.figures = { ...this.figures, failedAtMs: Math.floor(clock.wallMs()) };
      report(`compaction: ${lineOf(error)}`);
      throw error;
    }
  }

  async #compact(): Promise<void> {
    const { log } = this.topic;
    const subscription = this.topic.compactionSubscription();
    await log.settled();
    const horizon = log.last;
    if (horizon === undefined) return;
    if (this.view !== undefined && comparePositions(horizon, this.view.horizon) <= 0) return;
    const latest = await this.#findLatest(horizon);
    await this.#replace(await this.#copy(horizon, latest));
    subscription.ackCumulative(horizon);
    await this.topic.saveCursors();
  }

  /** Every entry up to the horizon, those that are compacted already from there; `pause` comes before others have a turn. */
  async #each(
    horizon: Position,
    visit: (reader: LogReader) => void,
    pause: () => void = () => {},
  ): Promise<void> {
    const { log, context } = this.topic;
    const reader = new CompactingReader(log, () => this.view);
    reader.seek(EARLIEST);
    let bytes = 0;
    try {
      while (reader.load() && comparePositions(reader, horizon) <= 0) {
        visit(reader);
        bytes += reader.end - reader.start;
        reader.next();
        if (bytes < SLICE_BYTES) continue;
        bytes = 0;
        pause();
        await context.clock.sleep(0);
        if (!this.topic.isClosed) continue;
        throw new BrokerError("Cannot compact: the topic is closed", { code: "closed" });
      }
    } finally {
      reader.close();
    }
  }

  async #findLatest(horizon: Position): Promise<Map<string, Latest>> {
    const latest = new Map<string, Latest>();
    let removedMessages = 0;
    await this.#each(horizon, (reader) => {
      const { ledgerId, entryId } = reader;
      const messages = this.#keyed(reader);
      for (const { key, index, isEmpty, uuid } of messages) {
        const before = latest.get(key);
        if (before !== undefined && (uuid === undefined || before.uuid !== uuid)) removedMessages++;
        if (isEmpty) latest.delete(key);
        else latest.set(key, { position: { ledgerId, entryId }, index, uuid });
      }
    });
    this.figures = { ...this.figures, removedMessages };
    return latest;
  }

  /** An entry that cannot be read has no keys here, and is left out, as in Pulsar. */
  #keyed({ slab, start, end, ledgerId, entryId }: LogReader): KeyedMessage[] {
    try {
      return keyedMessages(slab.bytes, start, end);
    } catch (error) {
      const { report } = this.topic.context;
      report(`compaction leaves out entry ${ledgerId}:${entryId}: ${lineOf(error)}`);
      return [];
    }
  }

  async #copy(horizon: Position, latest: ReadonlyMap<string, Latest>): Promise<CompactedState> {
    const { context, log } = this.topic;
    const { shared } = context;
    const folder = `compacted-${shared.ledgerIds.next()}`;
    const writer = await CompactedWriter.create(shared, log.folder, folder);
    let last: CompactedState["last"];
    try {
      await this.#each(horizon, (reader) => {
        if (this.#keyed(reader).length === 0) return;
        const { ledgerId, entryId, slab, start, end, messageCount } = reader;
        const position = { ledgerId, entryId };
        const keeps = ({ key, index, uuid }: KeyedMessage) => {
          const wanted = latest.get(key);
          if (wanted === undefined) return false;
          if (uuid !== undefined) return wanted.uuid === uuid;
          return wanted.index === index && comparePositions(wanted.position, position) === 0;
        };
        const entry = keepOnly(slab.bytes.slice(start, end), keeps, shared.crc32c);
        if (entry === undefined) return;
        last = [ledgerId, entryId, lastIndexIn(entry, 0, entry.length)];
        writer.add(position, entry, messageCount);
      }, () => writer.flush());
      return await writer.finish(horizon, last);
    } catch (error) {
      await writer.abandon();
      this.#removeFolder(folder);
      throw error;
    }
  }

  /** From now on the new view is read; the files of the old one go. */
  async #replace(state: CompactedState): Promise<void> {
    const { context, log } = this.topic;
    const view = await CompactedView.open(context.shared, log.folder, state);
    await writeDocument(this.#place(), state);
    const before = this.view;
    this.view = view;
    if (before === undefined) return;
    await before.close();
    this.#removeFolder(before.state.folder);
  }

  async close(): Promise<void> {
    await this.view?.close();
  }
}
