import process from "node:process";
import type { Clock } from "../base/mod.ts";
import { METRIC } from "./names.ts";
import type { MetricRegistry } from "./registry.ts";

/** CPU seconds of this process since it began: user and system, all threads, native libraries included. */
export function processCpuSec(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Resident memory of this process in bytes. */
export function processRssBytes(): number {
  return Deno.memoryUsage().rss;
}

/**
 * Registers CPU, memory and start of this process under the names that every Prometheus client uses.
 *
 * @param registry where
 * @param clock tells the start
 */
export function registerProcess(registry: MetricRegistry, clock: Clock): void {
  const startSec = clock.wallMs() / 1000;
  registry.counter(
    { name: METRIC.processCpu, help: "CPU time, user and system, in seconds." },
    processCpuSec,
  );
  registry.gauge({ name: METRIC.processRss, help: "Resident memory in bytes." }, processRssBytes);
  registry.gauge(
    { name: METRIC.processStart, help: "When the process began, seconds since 1970." },
    () => startSec,
  );
}

/** How often the event loop is asked: often enough to see a hold-up of a tick, rare enough to cost nothing. */
const PROBE_INTERVAL_MS = 20;

/**
 * Measures how long the event loop is held up: how much later than asked a timer fires.
 *
 * @param clock the clock to measure on
 * @returns the longest delay since it was last asked, and a way to stop
 */
export function measureEventLoop(clock: Clock): EventLoopProbe {
  let dueUs = clock.monoUs() + PROBE_INTERVAL_MS * 1000;
  let maxUs = 0;
  const stop = clock.every(PROBE_INTERVAL_MS, () => {
    const nowUs = clock.monoUs();
    maxUs = Math.max(maxUs, nowUs - dueUs);
    dueUs = nowUs + PROBE_INTERVAL_MS * 1000;
  });
  return {
    takeMaxUs() {
      // A loop that is held up now has not fired its timer yet.
      const takenUs = Math.max(maxUs, clock.monoUs() - dueUs, 0);
      maxUs = 0;
      return takenUs;
    },
    stop,
  };
}

/** What {@link measureEventLoop} returns. */
export interface EventLoopProbe {
  /** The longest delay since the call before, in µs. */
  takeMaxUs(): number;
  stop(): void;
}
