import { type Clock, formatCount, formatDurationMs, type MonoUs } from "../../base/mod.ts";

/** Where a run stands. Figures that are not known yet are null. */
export interface ProgressState {
  /** In words, e.g. `running`, `draining`. */
  readonly phase: string;
  readonly elapsedSec: number;
  /** Planned length of the load. */
  readonly totalSec: number;
  readonly rateInPerSec: number | null;
  readonly rowsOut: number | null;
  readonly backlogMessages: number | null;
  readonly publishUsP99: number | null;
}

const BAR_COLUMNS_MIN = 8;
const BAR_COLUMNS_MAX = 30;

/**
 * The state as one line that fits: what matters least goes first where the terminal is narrow.
 *
 * @param columns width of the terminal
 *
 * @example
 * ```ts
 * import { progressBar } from "./progress.ts";
 * const state = { phase: "running", elapsedSec: 30, totalSec: 60, rateInPerSec: 50_000, rowsOut: 0, backlogMessages: 600, publishUsP99: 13_000 };
 * console.log(progressBar(state, 80));
 * ```
 */
export function progressBar(state: ProgressState, columns: number): string {
  const share = shareDone(state);
  const percent = `${String(Math.floor(share * 100)).padStart(3)}%`;
  // In order of weight: the last is the first to go.
  const parts = [
    inText(state),
    leftText(state),
    rowsText(state),
    p99Text(state),
    backlogText(state),
  ];
  const order = [0, 2, 4, 3, 1];
  for (let count = parts.length; count >= 0; count--) {
    const shown = order.filter((index) => index < count).map((index) => parts[index]!);
    const text = [percent, ...shown].join("  ");
    const barColumns = Math.min(BAR_COLUMNS_MAX, columns - text.length - 3);
    if (barColumns >= BAR_COLUMNS_MIN) return `${bar(share, barColumns)} ${text}`;
  }
  return percent.slice(0, Math.max(0, columns - 1));
}

/** The state as a line for a log: nothing is left out, nothing moves. */
export function progressLine(state: ProgressState): string {
  const clock = `${Math.floor(state.elapsedSec)}/${Math.round(state.totalSec)} s`;
  return [
    state.phase,
    clock,
    inText(state),
    rowsText(state),
    backlogText(state),
    p99Text(state),
    ...(isLeftKnown(state) ? [leftText(state)] : []),
  ].join("  ");
}

function shareDone({ elapsedSec, totalSec }: ProgressState): number {
  return totalSec > 0 ? Math.min(1, Math.max(0, elapsedSec / totalSec)) : 0;
}

function bar(share: number, columns: number): string {
  const inner = columns - 2;
  const filled = Math.round(share * inner);
  return `[${"#".repeat(filled)}${"-".repeat(inner - filled)}]`;
}

function inText({ rateInPerSec }: ProgressState): string {
  return `in ${known(rateInPerSec)}/s`;
}

function rowsText({ rowsOut }: ProgressState): string {
  return `rows ${known(rowsOut)}`;
}

function backlogText({ backlogMessages }: ProgressState): string {
  return `backlog ${known(backlogMessages)}`;
}

function p99Text({ publishUsP99 }: ProgressState): string {
  return `p99 ${publishUsP99 === null ? "–" : formatDurationMs(publishUsP99 / 1000)}`;
}

function isLeftKnown({ elapsedSec, totalSec }: ProgressState): boolean {
  return elapsedSec > 0 && elapsedSec < totalSec;
}

/** Time left, or what goes on before and after the load. */
function leftText(state: ProgressState): string {
  if (!isLeftKnown(state)) return state.phase;
  return `${formatDurationMs(Math.ceil(state.totalSec - state.elapsedSec) * 1000)} left`;
}

function known(count: number | null): string {
  return count === null ? "–" : formatCount(count);
}

/** Where the live line goes. */
export interface ProgressOptions {
  /** Takes text as it is, e.g. into standard error. */
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width of the terminal, asked each time: windows are resized. */
  readonly columns: () => number;
  readonly clock: Clock;
}

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\r\x1b[2K";
/** In a pipe, how often a line is worth a line of log. */
const LINE_INTERVAL_US = 5_000_000;

/**
 * The live line of a run: on a terminal one line that is drawn over, in a pipe a plain line every 5 s.
 *
 * Dispose of it on every way out: it hides the cursor. (cli-progress neither fits a line to a narrow terminal by weight
 * nor has plain lines for a pipe; what is left of it is the twenty lines below.)
 */
export class Progress implements Disposable {
  readonly #options: ProgressOptions;
  #line = "";
  #isCursorHidden = false;
  #printedAtUs: MonoUs | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Shows a new state. */
  update(state: ProgressState): void {
    const { write, isTerminal, columns, clock } = this.#options;
    if (isTerminal) {
      this.#line = progressBar(state, columns());
      write((this.#isCursorHidden ? "" : HIDE_CURSOR) + CLEAR_LINE + this.#line);
      this.#isCursorHidden = true;
      return;
    }
    const nowUs = clock.monoUs();
    if (this.#printedAtUs !== undefined && nowUs - this.#printedAtUs < LINE_INTERVAL_US) return;
    this.#printedAtUs = nowUs;
    write(progressLine(state) + "\n");
  }

  /** Writes a line that stays, above the live one. */
  say(text: string): void {
    const { write, isTerminal } = this.#options;
    write(isTerminal ? `${CLEAR_LINE}${text}\n${this.#line}` : `${text}\n`);
  }

  /** Removes the live line and gives the cursor back. */
  [Symbol.dispose](): void {
    if (!this.#isCursorHidden) return;
    this.#options.write(CLEAR_LINE + SHOW_CURSOR);
    this.#isCursorHidden = false;
    this.#line = "";
  }
}
