import type { Clock, Random } from "../../lib/base/mod.ts";
import { seededRandom } from "../../lib/base/mod.ts";

/** Thrown out of whatever a process does at the instant it dies. */
export class Crash extends Error {
  override readonly name = "Crash";
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Turns of the microtask queue after each event: more than the longest chain of promises between two events. */
const TURNS = 60;

/**
 * A world of its own time: everything that waits waits here, events run one at a time in the order of their time, and all chance comes from
 * one seed. The same seed gives the same history.
 */
export class World {
  readonly random: Random;
  nowMs = 0;
  /** What must never be and was. */
  readonly violations: string[] = [];
  readonly #events: Event[] = [];
  #order = 0;

  constructor(readonly seed: number) {
    this.random = seededRandom(seed);
  }

  chance(probability: number): boolean {
    return this.random.float() < probability;
  }

  between(low: number, high: number): number {
    return low + this.random.float() * (high - low);
  }

  whole(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }

  /** Runs an action later. */
  after(delayMs: number, action: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.#order++, action };
    let at = this.#events.length;
    while (at > 0 && isBefore(this.#events[at - 1]!, event)) at--;
    this.#events.splice(at, 0, event);
  }

  violation(text: string): void {
    this.violations.push(`${text}, at ${this.nowMs.toFixed(1)} ms`);
  }

  /** Runs until nothing is left to do, `isDone` or the time is over. Returns whether it was done. */
  async run(isDone: () => boolean, untilMs: number): Promise<boolean> {
    for (;;) {
      for (let turn = 0; turn < TURNS; turn++) await undefined;
      if (isDone() || this.violations.length > 0) return true;
      const event = this.#events.pop();
      if (event === undefined || event.atMs > untilMs) return false;
      this.nowMs = event.atMs;
      event.action();
    }
  }
}

/** The queue's end is what comes next. */
function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** An operating-system process in the world: it may die or freeze at any instant. */
export class Process {
  alive = true;
  frozen = false;
  /** Chance to die at any one thing it does. */
  crashChance = 0;
  readonly #held: (() => void)[] = [];
  readonly onDeath: (() => void)[] = [];
  readonly onFreeze: (() => void)[] = [];

  constructor(readonly world: World, readonly name: string) {}

  /** Called at each thing that reaches outside the process. */
  step(): void {
    if (!this.alive) throw new Crash(this.name);
    if (this.crashChance > 0 && this.world.chance(this.crashChance)) {
      this.die();
      throw new Crash(this.name);
    }
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const listener of this.onDeath) listener();
  }

  freeze(): void {
    this.frozen = true;
    for (const listener of this.onFreeze) listener();
  }

  thaw(): void {
    this.frozen = false;
    while (!this.frozen && this.#held.length > 0) this.#held.shift()!();
  }

  /** Lets an answer reach the process: never if it is dead, later if it is frozen. */
  reach(action: () => void): void {
    if (!this.alive) return;
    if (this.frozen) this.#held.push(() => this.reach(action));
    else action();
  }

  /** Something outside that takes time and answers, or fails. */
  ask<T>(delayMs: number, answer: () => T): Promise<T> {
    this.step();
    return new Promise((resolve, reject) => {
      this.world.after(delayMs, () =>
        this.reach(() => {
          try {
            resolve(answer());
          } catch (error) {
            reject(error);
          }
        }));
    });
  }

  /** Time as the process sees it. */
  get clock(): Clock {
    return {
      wallMs: () => this.world.nowMs,
      monoUs: () => this.world.nowMs * 1000,
      sleep: (delayMs, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
          this.world.after(delayMs, () => this.reach(resolve));
        }),
      every: (intervalMs, action) => {
        let stopped = false;
        const again = () => {
          if (stopped || !this.alive) return;
          this.world.after(intervalMs, () =>
            this.reach(() => {
              if (stopped) return;
              action();
              again();
            }));
        };
        again();
        return () => {
          stopped = true;
        };
      },
    };
  }
}
