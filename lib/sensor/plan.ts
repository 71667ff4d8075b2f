/** What decides every byte of a run's messages, together with the schedule. */
export interface SensorPlan {
  /** Any integer; its low 32 bits count. */
  readonly seed: number;
  /** 1 to 1,000,000; 1,000 by default. */
  readonly sourceCount?: number;
  readonly partitionCount: number;
  /** Zipf exponent: 0 (the default) sends alike from all sources, 1 makes source r send 1/r as often as the first. */
  readonly skew?: number;
  /** Part of the messages, 0 to 1, that is planted behind closed windows. */
  readonly lateShare?: number;
  /** Part of the messages, 0 to 1, that repeats the previous message of its source. */
  readonly duplicateShare?: number;
  /** Where event time and intended send times begin, whole ms since 1970. */
  readonly startWallMs: number;
  /** Seconds of event time a second; 1 by default. */
  readonly timeScale?: number;
  /** Event time; 60,000 by default. */
  readonly windowMs?: number;
  /** Event time; 5,000 by default. Events stay within less than half of it unless they are planted late. */
  readonly outOfOrdernessMs?: number;
  /** Event time; 0 by default. */
  readonly allowedLatenessMs?: number;
}

/** The most sources that a plan may have: a draw has 32 bits, of which Zipf's table keeps what the count leaves. */
export const SOURCE_COUNT_MAX = 1_000_000;

/**
 * The plan with its defaults.
 *
 * @throws {RangeError} when a value is out of its range, with name, value and bound
 */
export function completePlan(plan: SensorPlan): Required<SensorPlan> {
  const complete: Required<SensorPlan> = {
    sourceCount: 1000,
    skew: 0,
    lateShare: 0,
    duplicateShare: 0,
    timeScale: 1,
    windowMs: 60_000,
    outOfOrdernessMs: 5_000,
    allowedLatenessMs: 0,
    ...plan,
  };
  requireInteger("seed", complete.seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  requireInteger("sourceCount", complete.sourceCount, 1, SOURCE_COUNT_MAX);
  requireInteger("partitionCount", complete.partitionCount, 1, 65_536);
  requireInteger("startWallMs", complete.startWallMs, 0, Number.MAX_SAFE_INTEGER / 1000);
  requireNumber("skew", complete.skew, 0, 10);
  requireNumber("lateShare", complete.lateShare, 0, 1);
  requireNumber("duplicateShare", complete.duplicateShare, 0, 1);
  requireNumber("timeScale", complete.timeScale, 0.001, 100_000);
  requireInteger("windowMs", complete.windowMs, 1, Number.MAX_SAFE_INTEGER);
  requireInteger("outOfOrdernessMs", complete.outOfOrdernessMs, 0, Number.MAX_SAFE_INTEGER);
  requireInteger("allowedLatenessMs", complete.allowedLatenessMs, 0, Number.MAX_SAFE_INTEGER);
  return complete;
}

function requireNumber(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) {
    throw new RangeError(
      `Cannot plan messages: ${name} is ${value}, expected ${least} to ${most}`,
    );
  }
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  requireNumber(name, value, least, most);
  if (!Number.isInteger(value)) {
    throw new RangeError(`Cannot plan messages: ${name} is ${value}, expected an integer`);
  }
}
