import type { Clock } from "../base/mod.ts";

/** What a person at a terminal asks for with Ctrl-C. */
export interface Interrupts {
  /** The first one: an end with everything brought to its place. */
  readonly stopping: AbortSignal;
  /** The second one: an end at once. */
  readonly abandoning: AbortSignal;
  /** Takes one signal. */
  take(): void;
}

/**
 * One Ctrl-C reaches a process several times: from the terminal, and from each of npx and `deno task`, which pass it on. What comes within this time
 * of the signal before is the same press; three came within 30 ms on a loaded machine.
 */
const SAME_PRESS_MS = 400;

/**
 * Counts presses of Ctrl-C.
 *
 * @param clock tells copies of one press from the next
 */
export function countInterrupts(clock: Clock): Interrupts {
  const stopping = new AbortController();
  const abandoning = new AbortController();
  let lastUs = -Infinity;
  const take = () => {
    const nowUs = clock.monoUs();
    const isCopy = nowUs - lastUs < SAME_PRESS_MS * 1000;
    lastUs = nowUs;
    if (isCopy) return;
    if (stopping.signal.aborted) abandoning.abort();
    else stopping.abort();
  };
  return { stopping: stopping.signal, abandoning: abandoning.signal, take };
}
