import { formatCount, messageOf, parseDurationMs, systemClock } from "../base/mod.ts";
import {
  chartPicture,
  LiveDisplay,
  type Picture,
  pngOf,
  runCharts,
  show,
  summaryText,
  systemsText,
  tableOf,
} from "../report/mod.ts";
import {
  askStatus,
  type ControlCommand,
  type ControlStatus,
  type FaultKind,
  type KillPoint,
  parseControlCommand,
  type RunFolder,
  sendCommand,
} from "../run/mod.ts";
import type { Manifest } from "../scenarios/mod.ts";
import { parseResult, type Result } from "../verdict/mod.ts";
import { NotebookError } from "./errors.ts";
import { RunDatabase } from "./run_database.ts";
import { readPicture } from "./run_picture.ts";

const REDRAW_MS = 1000;
const POLL_MS = 200;
/** A run that has not ended so long after its planned end will not. */
const ENDED_WITHIN_MS = 15 * 60_000;

/** The process that a fault strikes. `aggregate` is the first of several; `aggregate-2` is the second. */
export type FaultRole = "produce" | "broker" | "clickhouse" | "aggregate" | `aggregate-${number}`;

/** How a fault strikes. */
export interface InjectOptions {
  /** Of a kill of an aggregator: not at once, but when it comes to this place. */
  readonly at?: KillPoint;
  /** Of a freeze: how long, with its unit, e.g. `1.4s`. */
  readonly for?: string;
}

/** A run, as a notebook sees it: its folder. Any number of handles, in any number of kernels, may look at one run. */
export class RunHandle implements AsyncDisposable {
  readonly #folder: RunFolder;
  readonly #database: RunDatabase;
  #stopDrawing = () => {};
  #drawing: Promise<void> = Promise.resolve();

  constructor(folder: RunFolder) {
    this.#folder = folder;
    this.#database = new RunDatabase(folder);
  }

  get id(): string {
    return this.#folder.id;
  }

  /** The folder of the run. */
  get path(): string {
    return this.#folder.path;
  }

  /**
   * Draws a chart under this cell and returns at once; it goes on growing while later cells run, until the run ends.
   *
   * @param name `throughput`, `backlog`, `latency`, `cpu`, `memory` …
   */
  async chart(name = "throughput"): Promise<void> {
    const display = new LiveDisplay(`weir-${this.id}-${name}-${crypto.randomUUID().slice(0, 8)}`);
    await display.update(await this.#picture(name));
    this.#stopDrawing();
    const stop = systemClock.every(REDRAW_MS, () => {
      this.#drawing = this.#drawing.then(async () => {
        // Asked before drawing: the last picture must hold the last sample.
        const isOver = await this.#isOver();
        await display.update(await this.#picture(name));
        if (isOver) stop();
      }).catch(stop);
    });
    this.#stopDrawing = stop;
    // A kernel that is asked to end must not wait for a chart.
  }

  /**
   * Changes the rate from now on.
   *
   * @param messagesPerSec 0 pauses
   * @throws {RunError} `not_running`, or `refused` when nothing is sent any more
   */
  async rate(messagesPerSec: number): Promise<void> {
    await this.#perform({ command: "rate", messagesPerSec });
  }

  /** Sends nothing until {@link RunHandle.resume}; the end of the run stays where it was planned. */
  async pause(): Promise<void> {
    await this.#perform({ command: "pause" });
  }

  /** Goes on at the rate that held before the pause. */
  async resume(): Promise<void> {
    await this.#perform({ command: "resume" });
  }

  /** Ends the run: no more is sent, what was sent is drained and judged. Returns at once; {@link RunHandle.verdict} waits. */
  async stop(): Promise<void> {
    await this.#perform({ command: "stop" });
  }

  /** Puts a remark on the charts, where the run is now. */
  async note(text: string): Promise<void> {
    await this.#perform({ command: "note", text });
  }

  /**
   * Breaks something. A killed process is started again, and how long it took until its work went on is in the report.
   *
   * @param kind `kill` ends a process at once, `freeze` stops it for a while, `cut` breaks its connections
   * @param role which process
   *
   * @example
   * ```ts ignore
   * await run.inject("kill", "aggregate");
   * await run.inject("kill", "aggregate", { at: "after-insert" });
   * await run.inject("freeze", "broker", { for: "1.4s" });
   * ```
   */
  async inject(kind: FaultKind, role: FaultRole, options: InjectOptions = {}): Promise<void> {
    const { at, for: text } = options;
    await this.#perform({
      command: "inject",
      kind,
      role,
      ...(at === undefined ? {} : { at }),
      ...(text === undefined ? {} : { forMs: parseDurationMs(text) }),
    });
  }

  /** How the run stands now. */
  status(): Promise<ControlStatus> {
    return askStatus(this.#folder);
  }

  /** Waits for the end of the run and shows its verdict. */
  async verdict(): Promise<void> {
    await show(verdictPicture(await this.result()));
  }

  /**
   * Waits for the end of the run.
   *
   * @throws {NotebookError} `not_ended` when it never comes
   */
  async result(): Promise<Result> {
    for (let waitedMs = 0; waitedMs < ENDED_WITHIN_MS; waitedMs += POLL_MS) {
      if (await this.#isOver()) {
        await this.#drawing;
        return parseResult(JSON.parse(await Deno.readTextFile(this.#folder.file("verdict.json"))));
      }
      await systemClock.sleep(POLL_MS);
    }
    throw new NotebookError(`Cannot show the verdict: run ${this.id} has not ended`, {
      code: "not_ended",
      cure: `see ${this.#folder.file("logs/runner.log")}`,
    });
  }

  /** Shows what a query over the run's ClickHouse gives; also when the run is over. The rows are in table `sensor_1m`. */
  async query(sql: string): Promise<void> {
    await show(tableOf(await this.rows(sql)));
  }

  /**
   * The rows that a query over the run's ClickHouse gives.
   *
   * @throws {NotebookError} `query_failed` with ClickHouse's words
   */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    try {
      return await this.#database.rows(sql);
    } catch (cause) {
      throw new NotebookError(`Cannot query run ${this.id}: ${messageOf(cause)}`, {
        code: "query_failed",
        cause,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopDrawing();
    await this.#drawing;
    await this.#database[Symbol.asyncDispose]();
  }

  async #perform(command: ControlCommand): Promise<void> {
    // Checked here first: a mistake in a cell is told without a run.
    const done = await sendCommand(this.#folder, parseControlCommand(command));
    await show({ "text/plain": `${this.id}: ${done}` });
  }

  async #isOver(): Promise<boolean> {
    return await Deno.stat(this.#folder.file("report.html")).then(() => true, () => false);
  }

  async #picture(name: string): Promise<Picture> {
    const charts = runCharts(await readPicture(this.#folder));
    const chart = charts.find(({ id }) => id === name);
    if (chart === undefined) {
      const names = charts.map(({ id }) => id).join(", ");
      throw new RangeError(`Cannot draw ${JSON.stringify(name)}: expected ${names}`);
    }
    const manifest: Manifest = JSON.parse(
      await Deno.readTextFile(this.#folder.file("manifest.json")),
    );
    const subtitle = systemsText(manifest);
    const svg = chart.draw({ theme: "light", withTitle: true, subtitle });
    const png = await pngOf(svg) as Uint8Array<ArrayBuffer>;
    return chartPicture(svg, `${chart.title}: ${chart.description}`, png);
  }
}

function verdictPicture(result: Result): Picture {
  const { messages, rows } = result;
  const table = tableOf([
    { what: "verdict", value: result.verdict },
    ...result.reasons.map((reason) => ({ what: "why", value: reason })),
    { what: "measured on", value: systemsText(result) },
    { what: "acknowledged", value: `${formatCount(messages.acked)} messages` },
    { what: "lost / doubled", value: `${messages.lost} / ${messages.duplicated}` },
    { what: "rows expected / found", value: `${rows.expected} / ${rows.found}` },
    { what: "report", value: `${result.runDir}/report.html` },
  ]);
  return { ...table, "text/plain": summaryText(result) };
}
