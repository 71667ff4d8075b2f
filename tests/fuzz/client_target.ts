/** Our client under fire: many short lives with a broker that lies. */
import { formatBytes, formatCount, systemClock } from "../../lib/base/mod.ts";
import type { TargetOptions } from "./broker_target.ts";
import { playClient } from "./client_session.ts";
import { faultKind, Unhandled } from "./epoch.ts";
import { keepClient } from "./found_inputs.ts";
import { allRecordings } from "../pulsar/recorded.ts";

const SAY_EVERY_MS = 5_000;
/** More than this at the end, once it is warm, and something holds on to what was. */
const RESIDENT_GROWTH_BYTES_MAX = 400 * 1024 * 1024;
const WARM_SHARE = 0.1;

/** Lies to clients; gives how many kinds of fault there were. */
export async function fuzzClient(options: TargetOptions): Promise<number> {
  const { frameCount, seed, say } = options;
  const recorded = allRecordings().flat().filter(({ from }) => from === "broker");
  const startUs = systemClock.monoUs();
  const kinds = new Set<string>();
  let saidUs = startUs;
  let lies = 0;
  let warmBytes: number | undefined;
  const line = (lives: number) => {
    const seconds = (systemClock.monoUs() - startUs) / 1e6;
    const { rss } = Deno.memoryUsage();
    return `client: ${formatCount(lies)} of ${formatCount(frameCount)} lies in ${
      formatCount(lives)
    } lives, ${formatCount(Math.round(lies / seconds))}/s, ${formatBytes(rss)} resident`;
  };
  let lives = 0;
  for (; lies < frameCount; lives++) {
    const lifeSeed = seed + lives;
    using unhandled = new Unhandled();
    const outcome = await playClient(lifeSeed, recorded);
    lies += Math.max(1, outcome.lieCount);
    const fault = unhandled.first ?? outcome.fault;
    if (fault !== undefined && !kinds.has(faultKind(fault))) {
      kinds.add(faultKind(fault));
      say(`FOUND with seed ${lifeSeed}: ${fault}`);
      say(`kept as ${keepClient(fault, lifeSeed)}`);
    }
    if (warmBytes === undefined && lies > frameCount * WARM_SHARE) {
      warmBytes = Deno.memoryUsage().rss;
    }
    if (systemClock.monoUs() - saidUs < SAY_EVERY_MS * 1000) continue;
    saidUs = systemClock.monoUs();
    say(line(lives));
  }
  say(line(lives));
  const grownBytes = Deno.memoryUsage().rss - (warmBytes ?? 0);
  if (warmBytes === undefined || grownBytes <= RESIDENT_GROWTH_BYTES_MAX) return kinds.size;
  say(`FOUND memory: ${formatBytes(grownBytes)} more at the end than when it was warm`);
  return kinds.size + 1;
}
