import type { Clock } from "../lib/base/mod.ts";
import { countInterrupts, type Interrupts } from "../lib/run/mod.ts";

/**
 * Counts the presses of Ctrl-C, and the requests to end from outside, that this process gets.
 *
 * @param say tells the person what the first one does
 */
export function listenForInterrupts(clock: Clock, say: (text: string) => void): Interrupts {
  const interrupts = countInterrupts(clock);
  interrupts.stopping.addEventListener("abort", () => {
    say(
      "stopping: no more is sent, what was sent is drained and judged; Ctrl-C again ends at once",
    );
  });
  Deno.addSignalListener("SIGINT", interrupts.take);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", interrupts.take);
  return interrupts;
}
