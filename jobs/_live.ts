import type { Clock } from "../lib/base/mod.ts";
import { backlogs, METRIC, ratesPerSec, roleOf, type Sample } from "../lib/metrics/mod.ts";
import { Progress, type ProgressState, summaryText, wantsColor } from "../lib/report/text/mod.ts";
import type { BenchConfig, BenchObserver, BenchPhase } from "../lib/scenarios/mod.ts";
import type { Result } from "../lib/verdict/mod.ts";

/** What a person at a terminal, or a log, sees of a run. */
export interface LiveObserver extends BenchObserver {
  /** Whether everything is sent, and judged now. */
  readonly isVerifying: boolean;
  /** Gives the terminal back; safe to call more than once. */
  end(): void;
  /** The end of it: verdict, figures, where the report lies. */
  summary(result: Result, options: { reportPath: string; startedAtMs: number }): void;
}

const PHASE_TEXT: Readonly<Record<BenchPhase, string>> = {
  starting: "starting broker, ClickHouse, aggregators and producer",
  loading: "running",
  draining: "draining",
  verifying: "verifying every message and row",
};

/** The state from the samples so far; rates over the last two. */
function stateOf(
  samples: readonly Sample[],
  phase: BenchPhase,
  loadBeganMs: number,
  totalSec: number,
  publishUsP99: number | null,
): ProgressState {
  const last = samples.at(-1)!;
  const rows = Object.entries(last.roles).filter(([name]) => roleOf(name) === "aggregate")
    .map(([, { values }]) => values[METRIC.rowsInserted] ?? 0);
  return {
    phase: PHASE_TEXT[phase],
    elapsedSec: Math.min(totalSec, (last.atMs - loadBeganMs) / 1000),
    totalSec,
    rateInPerSec: ratesPerSec(samples, "produce", METRIC.messagesAcknowledged).at(-1) ?? null,
    rowsOut: rows.reduce((sum, count) => sum + count, 0),
    backlogMessages: backlogs(samples).at(-1) ?? null,
    publishUsP99,
  };
}

/** Shows a run on standard error, so that standard output stays for `--json`. */
export function liveObserver(config: BenchConfig, clock: Clock): LiveObserver {
  const encoder = new TextEncoder();
  const isTerminal = Deno.stderr.isTerminal();
  const progress = new Progress({
    write: (text) => Deno.stderr.writeSync(encoder.encode(text)),
    isTerminal,
    // A terminal that does not know its size says 0.
    columns: () => isTerminal && Deno.consoleSize().columns || 80,
    clock,
  });
  const totalSec = config.load.durationMs / 1000;
  let samples: Sample[] = [];
  let phase: BenchPhase = "starting";
  let loadBeganMs = clock.wallMs();
  return {
    phase(next) {
      phase = next;
      if (next === "loading") loadBeganMs = clock.wallMs();
      if (next === "starting" || next === "verifying") progress.say(PHASE_TEXT[next]);
    },
    sample(sample, { publishUsP99 }) {
      // Two are enough for a rate; the counters themselves hold the rest.
      samples = [...samples.slice(-1), sample];
      progress.update(stateOf(samples, phase, loadBeganMs, totalSec, publishUsP99));
    },
    remark: (text) => progress.say(text),
    get isVerifying() {
      return phase === "verifying";
    },
    end: () => progress[Symbol.dispose](),
    summary(result, { reportPath, startedAtMs }) {
      const color = wantsColor(isTerminal, Deno.env.get("NO_COLOR"));
      console.error("\n" + summaryText(result, { color, reportPath, startedAtMs }));
    },
  };
}
