import type { Clock } from "../base/mod.ts";
import { RunError } from "./errors.ts";
import type { NumberedCommand, ReadyLine, Role, RoleLine } from "./protocol.ts";
import {
  describeExit,
  type RoleExit,
  type RoleProcess,
  type RoleSpec,
  startRole,
} from "./role_process.ts";

/** A role that died and was started again. Times are wall ms. */
export interface Restart {
  readonly role: Role;
  readonly name: string;
  /** When it died. */
  readonly atMs: number;
  readonly reason: string;
  /** From its death to its ready line. */
  readyAfterMs: number | null;
  /** From its death until it worked again: its own count of work moved on. */
  recoveryMs: number | null;
  /** The run went through before its work could be seen to go on: there was none left, or the end came first. */
  wasCutShort?: boolean;
}

/** What the supervisor tells. */
export interface SupervisorObserver {
  line(name: string, line: RoleLine): void;
  ready(name: string, ready: ReadyLine): void;
  restarting(restart: Restart): void;
  restarted(restart: Restart): void;
  /** A role ended for good; `error` when it should not have. */
  ended(name: string, error: RunError | undefined): void;
}

/** How roles are kept alive. */
export interface SupervisorOptions {
  readonly clock: Clock;
  readonly config: string;
  readonly logFolder: string;
  readonly observer: SupervisorObserver;
  /** Aborted, it kills a role that is not ready yet: it need not be waited for. */
  readonly signal?: AbortSignal;
}

const RESTARTS_PER_MINUTE_MAX = 3;
const READY_WITHIN_MS = 60_000;
const USAGE_EXIT_CODE = 2;
/** A role that cannot start because another one is away is started again after this, for as long as a start may take. */
const RETRY_PAUSE_MS = 500;

/** One role under supervision, whichever process it is at the moment. */
export interface SupervisedRole {
  readonly spec: RoleSpec;
  readonly ready: ReadyLine;
  readonly pid: number;
  /** Resolves when it ended for good and is not started again. */
  readonly ended: Promise<void>;
  /** Asks it to end, and ends it after `graceMs`. */
  stop(graceMs: number): Promise<void>;
  /** How often it may still die in this minute and be started again. */
  readonly restartsLeft: number;
  /** Tells the process of the moment something; its answer comes as a line. */
  tell(command: NumberedCommand): void;
  /** Sends a signal; a killed role is started again. */
  kill(signal: Deno.Signal): void;
  /** Ends it at once, for good. */
  abandon(): Promise<void>;
}

class RoleKeeper implements SupervisedRole {
  readonly #options: SupervisorOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly #restartsAtMs: number[] = [];
  #process: RoleProcess;
  #ready: ReadyLine | undefined;
  #stopping = false;

  constructor(readonly spec: RoleSpec, options: SupervisorOptions) {
    this.#options = options;
    this.#process = this.#start();
  }

  get ready(): ReadyLine {
    if (this.#ready === undefined) throw new TypeError(`${this.spec.name} is not ready`);
    return this.#ready;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  tell(command: NumberedCommand): void {
    this.#process.tell(command);
  }

  get restartsLeft(): number {
    return RESTARTS_PER_MINUTE_MAX - this.#recentRestarts(this.#options.clock.wallMs());
  }

  #recentRestarts(atMs: number): number {
    return this.#restartsAtMs.filter((at) => at > atMs - 60_000).length;
  }

  /** Waits for the first ready line, then watches. */
  async begin(): Promise<void> {
    try {
      await this.#becomeReady();
    } catch (error) {
      await this.#process.exited;
      this.#ended.resolve();
      throw error;
    }
    this.#watch();
  }

  async abandon(): Promise<void> {
    this.#stopping = true;
    this.#process.kill("SIGKILL");
    await this.#ended.promise;
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const process = this.#process;
    process.closeInput();
    const patience = new AbortController();
    const killing = this.#options.clock.sleep(graceMs, patience.signal)
      .then(() => this.#process.kill("SIGKILL"), () => {/* it ended in time */});
    await process.exited;
    await this.#ended.promise;
    patience.abort();
    await killing;
  }

  #start(): RoleProcess {
    const { config, logFolder, observer } = this.#options;
    return startRole(this.spec, {
      config,
      logPath: `${logFolder}/${this.spec.name}.log`,
      previous: this.#ready,
      onLine: (line) => observer.line(this.spec.name, line),
    });
  }

  async #becomeReady(): Promise<void> {
    const { clock, signal } = this.#options;
    const patience = new AbortController();
    const process = this.#process;
    const late = clock.sleep(READY_WITHIN_MS, patience.signal).then(() => {
      process.kill("SIGKILL");
    }, () => {/* it was ready in time */});
    const giveUp = () => process.kill("SIGKILL");
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      this.#ready = await process.ready;
    } finally {
      signal?.removeEventListener("abort", giveUp);
      patience.abort();
      await late;
    }
    this.#options.observer.ready(this.spec.name, this.#ready);
  }

  async #watch(): Promise<void> {
    const { clock, observer } = this.#options;
    let restart: Restart | undefined;
    for (;;) {
      const exit = await this.#process.exited;
      const atMs = clock.wallMs();
      if (this.#stopping || exit.code === 0 && exit.signal === null) break;
      const isWaiting = restart !== undefined && exit.isRetryable &&
        atMs < restart.atMs + READY_WITHIN_MS;
      if (isWaiting) {
        await clock.sleep(RETRY_PAUSE_MS);
        if (this.#stopping) break;
      } else {
        const hopeless = this.#whyNotAgain(exit, atMs);
        if (hopeless !== undefined) {
          observer.ended(this.spec.name, hopeless);
          return this.#ended.resolve();
        }
        restart = this.#newRestart(exit, atMs);
        observer.restarting(restart);
      }
      if (await this.#startAgain(restart!)) restart = undefined;
    }
    observer.ended(this.spec.name, undefined);
    this.#ended.resolve();
  }

  #newRestart(exit: RoleExit, atMs: number): Restart {
    const { role, name } = this.spec;
    const reason = describeExit(exit);
    return { role, name, atMs, reason, readyAfterMs: null, recoveryMs: null };
  }

  /** @returns whether it became ready; if not, it has ended again */
  async #startAgain(restart: Restart): Promise<boolean> {
    this.#process = this.#start();
    try {
      await this.#becomeReady();
    } catch {
      // The loop sees how it ended.
      return false;
    }
    // A stop that came while it was dead must reach the new process too.
    if (this.#stopping) this.#process.closeInput();
    restart.readyAfterMs = this.#options.clock.wallMs() - restart.atMs;
    this.#options.observer.restarted(restart);
    return true;
  }

  #whyNotAgain(exit: RoleExit, atMs: number): RunError | undefined {
    const because = `${this.spec.name} ended with ${describeExit(exit)}` +
      (exit.lastWords === "" ? "" : ` (${exit.lastWords})`);
    if (exit.code === USAGE_EXIT_CODE && exit.signal === null && !exit.isRetryable) {
      return new RunError(`Cannot go on: ${because}`, {
        code: "role_failed",
        cause: exit,
      });
    }
    const recent = this.#recentRestarts(atMs);
    if (recent >= RESTARTS_PER_MINUTE_MAX) {
      return new RunError(
        `Cannot go on: ${because}, for the ${recent + 1}th time in a minute`,
        {
          code: "role_failed",
          cause: exit,
          cure: `see ${this.#options.logFolder}/${this.spec.name}.log`,
        },
      );
    }
    this.#restartsAtMs.push(atMs);
    return undefined;
  }
}

/**
 * Starts a role and keeps it alive: when it dies it is started again with the same arguments, port, data and identity, at most three times a minute.
 *
 * @throws {RunError} `role_not_ready` with its last words when it does not become ready the first time
 */
export async function superviseRole(
  spec: RoleSpec,
  options: SupervisorOptions,
): Promise<SupervisedRole> {
  const keeper = new RoleKeeper(spec, options);
  await keeper.begin();
  return keeper;
}
