/** The embedded broker under fire: epochs of hostile sessions until enough frames were looked at. */
import { formatBytes, formatCount, seededRandom, systemClock } from "../../lib/base/mod.ts";
import { type Finding, playEpoch } from "./epoch.ts";
import { keep, shorten } from "./found_inputs.ts";
import type { Surroundings } from "./generate.ts";
import { allRecordings } from "../pulsar/recorded.ts";
import { makeSession } from "./session.ts";

const EPOCH_FRAMES = 20_000;
const SAY_EVERY_MS = 5_000;
/** More than this after an epoch's broker is gone, and something holds on to what hostile clients left. */
const RESIDENT_GROWTH_BYTES_MAX = 400 * 1024 * 1024;

/** What is to be done. */
export interface TargetOptions {
  readonly frameCount: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

function residentBytes(): number {
  return Deno.memoryUsage().rss;
}

/** Says how far it is, now and then. */
class Progress {
  frameCount = 0;
  sessionCount = 0;
  residentBytesMax = 0;
  readonly #startUs = systemClock.monoUs();
  #saidUs = this.#startUs;

  constructor(private readonly options: TargetOptions) {}

  add(frameCount: number): void {
    this.frameCount += frameCount;
    this.sessionCount++;
    if (systemClock.monoUs() - this.#saidUs < SAY_EVERY_MS * 1000) return;
    this.#saidUs = systemClock.monoUs();
    this.options.say(this.line());
  }

  line(): string {
    this.residentBytesMax = Math.max(this.residentBytesMax, residentBytes());
    const seconds = (systemClock.monoUs() - this.#startUs) / 1e6;
    return `broker: ${formatCount(this.frameCount)} of ${
      formatCount(this.options.frameCount)
    } frames in ${formatCount(this.sessionCount)} sessions, ${
      formatCount(Math.round(this.frameCount / seconds))
    }/s, at most ${formatBytes(this.residentBytesMax)} resident`;
  }
}

async function epoch(
  index: number,
  options: TargetOptions,
  progress: Progress,
): Promise<Finding | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "weir-fuzz-" });
  const recordings = allRecordings();
  const random = seededRandom(options.seed + index * 7919);
  const around: Surroundings = { random, positions: [], requestId: 1n };
  const goal = Math.min(progress.frameCount + EPOCH_FRAMES, options.frameCount);
  try {
    return await playEpoch({
      folder,
      around,
      next: () => progress.frameCount < goal ? makeSession(recordings, around) : undefined,
      progress: (frameCount) => progress.add(frameCount),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function report(finding: Finding, label: string, say: (line: string) => void): Promise<void> {
  say(`FOUND ${finding.fault}`);
  say(`after ${finding.sessions.length} sessions; shortening`);
  const short = await shorten(finding);
  if (short === undefined) {
    say("it does not happen again with the same sessions: its input is kept as it is");
  }
  const kept = keep(short ?? { ...finding, sessions: finding.sessions.slice(-200) }, label);
  say(`kept as ${kept}`);
}

/** Fires frames at brokers; gives how many findings there were. */
export async function fuzzBroker(options: TargetOptions): Promise<number> {
  const { say, frameCount, seed } = options;
  const progress = new Progress(options);
  const firstBytes = residentBytes();
  const kinds = new Set<string>();
  for (let index = 0; progress.frameCount < frameCount; index++) {
    const finding = await epoch(index, options, progress);
    if (finding === undefined) continue;
    // The same again is passed over: it would hide what else there is.
    const kind = finding.fault.replaceAll(/\d+/g, "0").slice(0, 80);
    if (!kinds.has(kind)) await report(finding, `seed${seed}_epoch${index}`, say);
    kinds.add(kind);
  }
  say(progress.line());
  const grownBytes = residentBytes() - firstBytes;
  if (grownBytes > RESIDENT_GROWTH_BYTES_MAX) {
    say(`FOUND memory: ${formatBytes(grownBytes)} more at the end than at the start`);
    return kinds.size + 1;
  }
  return kinds.size;
}
