import { type Clock, formatDurationMs } from "../base/mod.ts";
import type { LiveDisplay } from "../report/mod.ts";
import { NotebookError } from "./errors.ts";

/** A run that is about to start, as whoever waits for it sees it; each is asked again and again. */
export interface StartingRun<Folder> {
  readonly runId: string;
  /** Whether its runner is gone. */
  hasEnded(): boolean;
  /** What its runner said last; empty before it says anything. */
  words(): Promise<string>;
  /** Its folder, once messages are about to be sent. */
  started(): Promise<Folder | undefined>;
}

/** How it is waited for. */
export interface WaitOptions {
  readonly clock: Clock;
  /** Gets what a start is about that takes longer. */
  readonly display: Pick<LiveDisplay, "update">;
  readonly signal: AbortSignal;
}

/**
 * A runner that says nothing for so long will not start. It says that it downloads every few seconds, as often as the first run on a machine needs
 * for ClickHouse, and a part that does not come up ends it long before.
 */
const SILENT_MS_MAX = 5 * 60_000;
/** A start that takes longer says in its cell what it is about. */
const SAY_AFTER_MS = 3000;
const POLL_MS = 100;

/**
 * Waits until a run loads, or says why it does not.
 *
 * @throws {NotebookError} `not_started` with what its runner said last
 */
export async function untilStarted<Folder>(
  run: StartingRun<Folder>,
  { clock, display, signal }: WaitOptions,
): Promise<Folder> {
  const beganUs = clock.monoUs();
  const msSince = (us: number) => (clock.monoUs() - us) / 1000;
  let heardUs = beganUs;
  let words = "";
  let shown: string | undefined;
  const show = async (text: string) => {
    shown = text;
    await display.update({ "text/plain": `${run.runId}: ${text}` });
  };
  while (msSince(heardUs) < SILENT_MS_MAX) {
    await clock.sleep(POLL_MS, signal);
    // Asked first: what a runner wrote before it ended counts.
    const hasEnded = run.hasEnded();
    const folder = await run.started();
    if (folder !== undefined) {
      const took = formatDurationMs(Math.round(msSince(beganUs)));
      if (shown !== undefined) await show(`started after ${took}`);
      return folder;
    }
    const said = await run.words();
    if (said !== words) heardUs = clock.monoUs();
    words = said;
    if (hasEnded) throw notStarted(words || "it ended without a word");
    const isSlow = msSince(beganUs) >= SAY_AFTER_MS;
    if (isSlow && words !== "" && words !== shown) await show(words);
  }
  throw notStarted(`it has said nothing for ${formatDurationMs(SILENT_MS_MAX)}`);
}

function notStarted(why: string): NotebookError {
  return new NotebookError(`Cannot start the run: ${why}`, { code: "not_started" });
}
