import type { MessageBatch, Position, Source, SourceHandler } from "../../lib/contract.ts";
import { END_MARKER_PROPERTY } from "../../lib/contract.ts";
import type { TestMessage } from "./messages.ts";
import { encodeMessages } from "./messages.ts";
import type { Process, World } from "./world.ts";

/** One entry of a partition's log, readable from an instant on. */
export interface LogEntry {
  readonly atMs: number;
  readonly messages: readonly TestMessage[];
}

/** What may go wrong between broker and reader. */
export interface BrokerFaults {
  /** Chance per entry that the reader's connection drops, so that all that is not acknowledged comes again. */
  redelivers: number;
  /** Chance per acknowledgement that its answer is lost. */
  acknowledgementLost: number;
}

/** Entries in a ledger of the simulated log, so that positions cross ledgers. */
const LEDGER_ENTRIES = 7;

/** The position of an entry by its index. */
export function positionOf(index: number): Position {
  return { ledgerId: Math.floor(index / LEDGER_ENTRIES), entryId: index % LEDGER_ENTRIES };
}

function indexOf(position: Position): number {
  return position.ledgerId * LEDGER_ENTRIES + position.entryId;
}

/** A broker in the world: logs of partitions, a cursor each, and readers between which partitions move. */
export class SimBroker {
  /** Index of the last acknowledged entry; entries up to it are deleted. */
  readonly cursors: number[];
  readonly #readers: SimReader[] = [];
  /** Told before an acknowledgement takes effect: partition and index of the entry. */
  onAcknowledge: (partition: number, index: number) => void = () => {};
  faults: BrokerFaults;

  /** The logs end with their end markers. */
  constructor(
    readonly world: World,
    readonly logs: readonly (readonly LogEntry[])[],
    faults: BrokerFaults,
  ) {
    this.cursors = logs.map(() => -1);
    this.faults = faults;
  }

  /** Index of a partition's end marker. */
  endIndex(partition: number): number {
    return this.logs[partition]!.length;
  }

  get isDrained(): boolean {
    return this.cursors.every((cursor, partition) => cursor >= this.endIndex(partition));
  }

  source(process: Process): Source {
    const reader = new SimReader(this, process);
    return {
      partitionCount: this.logs.length,
      systemName: "simulated broker",
      run: (handler, signal) => reader.run(handler, signal),
      acknowledge: (partition, position) => this.#acknowledge(process, partition, position),
      isIdle: (partition) => process.ask(2, () => reader.isIdle(partition)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  attach(reader: SimReader): void {
    if (!this.#readers.includes(reader)) this.#readers.push(reader);
    this.balance();
  }

  detach(reader: SimReader): void {
    const at = this.#readers.indexOf(reader);
    if (at >= 0) this.#readers.splice(at, 1);
    this.balance();
  }

  /** Gives each partition to one reader; a reader that is frozen learns of it when it wakes. */
  balance(): void {
    for (let partition = 0; partition < this.logs.length; partition++) {
      const owner = this.#readers[partition % this.#readers.length];
      for (const reader of this.#readers) if (reader !== owner) reader.lose(partition);
      owner?.gain(partition);
    }
  }

  #acknowledge(process: Process, partition: number, position: Position): Promise<void> {
    const lost = this.world.chance(this.faults.acknowledgementLost);
    process.step();
    const index = indexOf(position);
    this.onAcknowledge(partition, index);
    this.cursors[partition] = Math.max(this.cursors[partition]!, index);
    return process.ask(this.world.between(0.2, 5), () => {
      if (lost) throw new Error("connection reset");
    });
  }
}

/** One consumer: it lives in a process and reads the partitions that the broker gives it. */
class SimReader {
  readonly #broker: SimBroker;
  readonly #process: Process;
  #handler: SourceHandler | undefined;
  #fail: (error: unknown) => void = () => {};
  /** By partition: the tenure under which it is read; each gain begins a new one. */
  readonly #tenures = new Map<number, number>();
  readonly #next = new Map<number, number>();
  #tenure = 0;

  constructor(broker: SimBroker, process: Process) {
    this.#broker = broker;
    this.#process = process;
  }

  run(handler: SourceHandler, signal: AbortSignal): Promise<void> {
    this.#handler = handler;
    return new Promise((resolve, reject) => {
      this.#fail = (error) => {
        this.#broker.detach(this);
        reject(error);
      };
      signal.addEventListener("abort", () => {
        this.#broker.detach(this);
        resolve();
      }, { once: true });
      // The broker notices a dead or silent connection only after a while.
      this.#process.onDeath.push(() =>
        this.#broker.world.after(50, () => this.#broker.detach(this))
      );
      this.#process.onFreeze.push(() => this.#watch());
      this.#broker.attach(this);
    });
  }

  gain(partition: number): void {
    if (this.#tenures.has(partition)) return;
    const tenure = ++this.#tenure;
    this.#tenures.set(partition, tenure);
    this.#process.reach(() => {
      this.#read(partition, tenure).catch((error) => {
        if (this.#process.alive) this.#fail(error);
      });
    });
  }

  lose(partition: number): void {
    if (!this.#tenures.delete(partition)) return;
    this.#process.reach(() => {
      Promise.resolve(this.#handler?.deactivated(partition)).catch((error) => this.#fail(error));
    });
  }

  isIdle(partition: number): boolean {
    const { world, logs } = this.#broker;
    const log = logs[partition]!;
    const next = this.#next.get(partition) ?? 0;
    return this.#tenures.has(partition) && next < log.length && log[next]!.atMs > world.nowMs;
  }

  /** A reader that stays frozen beyond the keep-alive loses its connection, and finds out when it wakes. */
  #watch(): void {
    const { world } = this.#broker;
    world.after(300, () => {
      if (!this.#process.frozen || !this.#process.alive) return;
      this.#broker.detach(this);
      for (const partition of [...this.#tenures.keys()]) this.lose(partition);
      this.#process.reach(() => this.#broker.attach(this));
    });
  }

  async #read(partition: number, tenure: number): Promise<void> {
    const { world, logs, cursors } = this.#broker;
    const isMine = () => this.#tenures.get(partition) === tenure && this.#process.alive;
    const position = await this.#handler!.activated(partition);
    if (!isMine()) return;
    let next = position === undefined ? 0 : indexOf(position) + 1;
    if (next <= cursors[partition]!) {
      world.violation(
        `partition ${partition} goes on at entry ${next}, but the broker was told to delete up to ${
          cursors[partition]
        }`,
      );
      return;
    }
    if (world.chance(0.3)) next = cursors[partition]! + 1;
    const log = logs[partition]!;
    while (isMine() && next <= log.length) {
      this.#next.set(partition, next);
      const readyMs = log[next]?.atMs ?? log.at(-1)?.atMs ?? 0;
      const waitMs = Math.max(0, readyMs - world.nowMs) + world.between(0, 3);
      await this.#process.ask(waitMs, () => {});
      if (!isMine()) return;
      await this.#handOver(partition, next);
      next++;
      this.#next.set(partition, next);
      if (world.chance(this.#broker.faults.redelivers)) next = cursors[partition]! + 1;
    }
  }

  async #handOver(partition: number, index: number): Promise<void> {
    const entry = this.#broker.logs[partition]![index];
    const { bytes, bounds } = encodeMessages(entry?.messages ?? []);
    const batch: MessageBatch = {
      partition,
      position: positionOf(index),
      messageCount: entry?.messages.length ?? 0,
      bytes,
      bounds,
      publishTimeMs: entry?.atMs ?? 0,
      properties: entry === undefined ? { [END_MARKER_PROPERTY]: "1" } : {},
    };
    await this.#handler!.batch(batch);
    // The bytes are the source's again: whoever kept a view of them reads rubbish.
    bytes.fill(0xdb);
  }
}
