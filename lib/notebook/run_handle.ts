import { formatCount, messageOf, parseDurationMs, systemClock } from "../base/mod.ts";
import type { LatencyHistogram } from "../latency/mod.ts";
import { type Picture, show, summaryText, systemsText, tableOf } from "../report/mod.ts";
import {
  askStatus,
  type ControlCommand,
  type ControlStatus,
  type FaultKind,
  type HistogramJson,
  type KillPoint,
  Latencies,
  parseControlCommand,
  type RunFolder,
  sendCommand,
} from "../run/mod.ts";
import { type FaultRole, readManifest } from "../scenarios/mod.ts";
import type { Result } from "../verdict/mod.ts";
import { NotebookError } from "./errors.ts";
import { interruptible } from "./interruptible.ts";
import { hasDied, isOver } from "./liveness.ts";
import { type ChartName, LiveChart } from "./live_chart.ts";
import { RunDatabase } from "./run_database.ts";
import { ROOT } from "./root.ts";
import { readResult } from "./run_picture.ts";

const POLL_MS = 200;
/** A run that has not ended so long after its planned end will not. */
const ENDED_WITHIN_MS = 15 * 60_000;

/** The latencies of a run. */
export type LatencyName =
  | "publish"
  | "service"
  | "delivery"
  | "windowVisible"
  | "windowEndToVisible"
  | "insert"
  | "checkpoint";

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
  readonly #charts = new Set<LiveChart>();

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
   * Draws a chart under this cell and returns at once; it goes on growing while later cells run, until the run ends. Under it stand a slider for the
   * rate, and buttons that pause, stop and break.
   *
   * @param name `overview` is rate in and out, backlog and latency
   * @param options.controls whether slider and buttons stand under it; they do while the run goes on
   */
  async chart(
    name: ChartName = "overview",
    { controls = true }: { readonly controls?: boolean } = {},
  ): Promise<void> {
    await interruptible(() => this.#beginChart(name, controls));
  }

  /**
   * As {@link RunHandle.chart}, but keeps the cell busy while it grows. Stop ends the cell, not the run.
   *
   * @param duration how long to watch, e.g. `30s`; to the run's end unless told
   */
  async watch(duration?: string, name: ChartName = "overview"): Promise<void> {
    const watchMs = duration === undefined ? ENDED_WITHIN_MS : parseDurationMs(duration);
    const enough = new AbortController();
    try {
      await interruptible(async (signal) => {
        const chart = await this.#beginChart(name, true);
        const either = AbortSignal.any([signal, enough.signal]);
        const slept = systemClock.sleep(watchMs, either);
        slept.catch(() => {/* the run was over before */});
        await Promise.race([chart.complete, slept]);
      });
    } catch (error) {
      // Whoever presses Stop has seen enough; the chart goes on growing all the same.
      if (!(error instanceof NotebookError && error.code === "stopped")) throw error;
    } finally {
      enough.abort();
    }
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
   * Waits for the end of the run. Stop ends the waiting, not the run.
   *
   * @throws {NotebookError} `not_ended` when it never comes, `stopped` by Stop
   */
  async result(): Promise<Result> {
    const isOver = await interruptible(async (signal) => {
      const came = await this.#untilOver(signal);
      if (came) await Promise.all([...this.#charts].map((chart) => chart.complete));
      return came;
    });
    if (isOver) return await readResult(this.#folder);
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

  /**
   * What a query over the run's ClickHouse gives in the format that it names, e.g. `… FORMAT RowBinaryWithNamesAndTypes`.
   *
   * @throws {NotebookError} `query_failed` with ClickHouse's words
   */
  async bytes(sql: string): Promise<Uint8Array> {
    try {
      return await this.#database.bytes(sql);
    } catch (cause) {
      throw new NotebookError(`Cannot query run ${this.id}: ${messageOf(cause)}`, {
        code: "query_failed",
        cause,
      });
    }
  }

  /**
   * Latencies of the run, without those of its warm-up; waits for its end.
   *
   * @param name `publish` ends with the receipt, `service` begins with the actual send, `delivery` ends with the aggregation
   */
  async latency(name: LatencyName): Promise<LatencyHistogram> {
    await this.result();
    const text = await Deno.readTextFile(this.#folder.file("histograms.json"));
    return Latencies.fromJSON(JSON.parse(text) as Record<string, HistogramJson>).of(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#charts].map((chart) => chart.stop()));
    await this.#database[Symbol.asyncDispose]();
  }

  async #perform(command: ControlCommand): Promise<void> {
    // Checked here first: a mistake in a cell is told without a run.
    const done = await sendCommand(this.#folder, parseControlCommand(command));
    await show({ "text/plain": `${this.id}: ${done}` });
  }

  async #beginChart(name: ChartName, withControls: boolean): Promise<LiveChart> {
    const chart = new LiveChart(this.#folder, name);
    await chart.begin(
      withControls,
      async () => await this.#isOver() || await hasDied(this.#folder),
    );
    this.#charts.add(chart);
    return chart;
  }

  /** @returns whether it came: a run is waited for as long as it is planned, and a while longer */
  async #untilOver(signal: AbortSignal): Promise<boolean> {
    const { config, startedAtMs } = await readManifest(this.#folder);
    const untilMs = startedAtMs + config.load.durationMs + ENDED_WITHIN_MS;
    for (;;) {
      const isDead = await hasDied(this.#folder);
      // Asked in this order: a run that has just ended is not dead.
      if (await this.#isOver()) return true;
      if (isDead || systemClock.wallMs() > untilMs) return false;
      await systemClock.sleep(POLL_MS, signal);
    }
  }

  async #isOver(): Promise<boolean> {
    return await isOver(this.#folder);
  }
}

/** A folder as the project's own file browser names it: short, and nobody's home shows on a projector. */
function inProject(path: string): string {
  return path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length + 1) : path;
}

function verdictPicture(result: Result): Picture {
  const { messages, rows } = result;
  const table = tableOf([
    { what: "verdict", value: result.verdict },
    ...result.reasons.map((reason) => ({ what: "why", value: reason })),
    ...result.unsafe.map((what) => ({ what: "UNSAFE", value: `switched off: ${what}` })),
    ...result.plants.map((plant) => ({ what: "planted", value: plant })),
    ...(result.loop === "closed" ? [{ what: "loop", value: "closed" }] : []),
    { what: "measured on", value: systemsText(result) },
    { what: "acknowledged", value: `${formatCount(messages.acked)} messages` },
    { what: "lost / doubled", value: `${messages.lost} / ${messages.duplicated}` },
    { what: "rows expected / found", value: `${rows.expected} / ${rows.found}` },
    { what: "report", value: `${inProject(result.runDir)}/report.html` },
  ]);
  return { ...table, "text/plain": summaryText(result) };
}
