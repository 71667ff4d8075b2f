import type { Clock } from "../lib/base/mod.ts";
import { countInterrupts, type Interrupts } from "../lib/run/mod.ts";

/**
 * Counts the presses of Ctrl-C, and the requests to end from outside, that this process gets.
 *
 * @param say tells the person what the first one does
 * @param isJudging asked then: a run that is judged sends nothing any more
 */
export function listenForInterrupts(
  clock: Clock,
  say: (text: string) => void,
  isJudging: () => boolean,
): Interrupts {
  const interrupts = countInterrupts(clock);
  interrupts.stopping.addEventListener("abort", () => {
    say(
      isJudging()
        ? "ending: the run is complete, and not judged"
        : "stopping: no more is sent, what was sent is drained and judged; Ctrl-C again ends at once",
    );
  });
  Deno.addSignalListener("SIGINT", interrupts.take);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", interrupts.take);
  return interrupts;
}
