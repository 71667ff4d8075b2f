import { type Clock, formatCount, formatDurationMs, messageOf, systemDisk } from "../base/mod.ts";
import { backlogs, METRIC, ratesPerSec, type Sample, totals } from "../metrics/mod.ts";
import {
  appendEvent,
  type ControlActions,
  type ControlCommand,
  type ControlStatus,
  EVENTS_FILE,
  type InjectCommand,
  type RoleCommand,
  type RoleLine,
  RunError,
  type RunEvent,
  type RunFolder,
  type SupervisedRole,
} from "../run/mod.ts";
import type { TimedCommand } from "./timed_fault.ts";

/** What steering sees of a run, and may do to it. */
export interface SteeredRun {
  readonly clock: Clock;
  readonly folder: RunFolder;
  /** Roles by name, as they come and go. */
  readonly roles: ReadonlyMap<string, SupervisedRole>;
  /** Wall ms; null before the load begins. */
  loadBeganMs(): number | null;
  readonly plannedMs: number;
  phase(): string;
  restartCount(): number;
  publishUsP99(): number | null;
  /** Send no more, drain, judge. */
  stop(): void;
}

/** A role that is just started again is waited for. */
const ANSWER_WITHIN_MS = 20_000;
/** Told again after so long: the process that was told may have died. */
const ASK_AGAIN_MS = 2_000;

/** What was done, for a person; short, because it stands on the charts. */
function textOf(command: ControlCommand): string {
  switch (command.command) {
    case "rate":
      return `rate ${formatCount(command.messagesPerSec)}/s`;
    case "note":
      return command.text;
    case "inject": {
      const { kind, role, at, forMs } = command;
      const how = at ?? (forMs === undefined ? "" : `for ${formatDurationMs(forMs)}`);
      return `${kind} ${role} ${how}`.trim();
    }
    default:
      return command.command;
  }
}

function refused(command: ControlCommand, why: string): RunError {
  return new RunError(`Cannot ${textOf(command)}: ${why}`, { code: "refused" });
}

/** Does to a run what its control server and its scenario ask for, and keeps account of it in `events.jsonl`. */
export class Steering implements ControlActions, Disposable {
  readonly #run: SteeredRun;
  readonly #closing = new AbortController();
  readonly #answers = new Map<number, (refusal: string | null) => void>();
  readonly #frozen = new Set<string>();
  #lastId = 0;
  #isPaused = false;
  #samples: Sample[] = [];

  constructor(run: SteeredRun) {
    this.#run = run;
  }

  /** Keeps what the status is made of. */
  sampled(sample: Sample): void {
    this.#samples = [...this.#samples.slice(-1), sample];
  }

  status(): ControlStatus {
    const { clock, folder, roles, plannedMs } = this.#run;
    const samples = this.#samples;
    const beganMs = this.#run.loadBeganMs();
    return {
      runId: folder.id,
      phase: this.#run.phase(),
      targetRateMessagesPerSec: totals(samples, "produce", METRIC.targetRate).at(-1) ?? null,
      rateMessagesPerSec: ratesPerSec(samples, "produce", METRIC.messagesAcknowledged).at(-1) ??
        null,
      backlogMessages: backlogs(samples).at(-1) ?? null,
      publishUsP99: this.#run.publishUsP99(),
      isPaused: this.#isPaused,
      elapsedSec: beganMs === null ? 0 : (clock.wallMs() - beganMs) / 1000,
      plannedSec: plannedMs / 1000,
      roles: [...roles.keys()],
      restartCount: this.#run.restartCount(),
    };
  }

  async perform(command: ControlCommand, by: RunEvent["by"] = "control"): Promise<string> {
    const atMs = this.#run.clock.wallMs();
    const note = (refusal: string | null) => {
      const untilMs = command.command === "inject" && command.forMs !== undefined
        ? { untilMs: atMs + command.forMs }
        : {};
      const event: RunEvent = { atMs, ...untilMs, by, command, text: textOf(command), refusal };
      appendEvent(systemDisk, this.#run.folder.file(EVENTS_FILE), event);
    };
    try {
      await this.#do(command);
    } catch (error) {
      note(messageOf(error));
      throw error;
    }
    note(null);
    return textOf(command);
  }

  /**
   * Does what a scenario has planned, each at its time; what is refused then is in the events.
   *
   * @param beganMs wall ms from which the times count
   */
  startTimed(planned: readonly TimedCommand[], beganMs: number): void {
    const { clock } = this.#run;
    for (const { atMs, command } of planned) {
      const delayMs = Math.max(0, beganMs + atMs - clock.wallMs());
      void clock.sleep(delayMs, this.#closing.signal)
        .then(() => this.perform(command, "scenario"))
        .catch(() => {/* the run is over, or the event says why not */});
    }
  }

  /** Takes what a role says in answer. */
  take(name: string, line: RoleLine): void {
    if ("ready" in line) return;
    if (line.event === "answer") this.#answers.get(line.id)?.(line.refusal);
    else if (line.event === "kill-me") this.#run.roles.get(name)?.kill("SIGKILL");
  }

  /** Lets what is frozen go on and answers whoever still waits. */
  [Symbol.dispose](): void {
    this.#closing.abort(new RunError("Cannot go on: the run ends", { code: "refused" }));
  }

  async #do(command: ControlCommand): Promise<void> {
    const phase = this.#run.phase();
    switch (command.command) {
      case "note":
        return;
      case "stop":
        return this.#run.stop();
      case "inject":
        return await this.#inject(command);
      case "rate":
      case "pause":
      case "resume":
        if (phase !== "loading" && phase !== "starting") {
          throw refused(command, `nothing is sent any more, the run is ${phase}`);
        }
        await this.#ask(command, "produce", command);
        this.#isPaused = command.command === "pause" ||
          command.command === "rate" && command.messagesPerSec === 0;
    }
  }

  async #inject(command: InjectCommand): Promise<void> {
    const role = this.#roleOf(command);
    const { name } = role.spec;
    switch (command.kind) {
      case "cut":
        return await this.#cut(command, role);
      case "freeze":
        return this.#freeze(command, role);
      case "kill":
        if (role.restartsLeft <= 0) {
          const why = `${name} died too often in this minute, once more would end the run`;
          throw refused(command, why);
        }
        if (command.at === undefined) return role.kill("SIGKILL");
        return await this.#ask(command, name, { command: "kill-at", at: command.at });
    }
  }

  #roleOf(command: InjectCommand): SupervisedRole {
    const { roles } = this.#run;
    const role = roles.get(command.role) ??
      [...roles.values()].find(({ spec }) => spec.role === command.role);
    if (role !== undefined) return role;
    const known = [...roles.keys()].join(", ");
    throw refused(command, `this run has no such process of its own, only ${known}`);
  }

  /** All connections to the broker, weir's own or not, are those of producer and aggregators. */
  async #cut(command: InjectCommand, { spec }: SupervisedRole): Promise<void> {
    if (spec.role === "clickhouse") {
      throw refused(command, "its connections last for one request; freeze or kill it");
    }
    const isAtEnd = (one: SupervisedRole) =>
      one.spec.role === "produce" || one.spec.role === "aggregate";
    const names = spec.role === "broker"
      ? [...this.#run.roles.values()].filter(isAtEnd).map((one) => one.spec.name)
      : [spec.name];
    await Promise.all(names.map((name) => this.#ask(command, name, { command: "cut" })));
  }

  #freeze(command: InjectCommand, role: SupervisedRole): void {
    const { name } = role.spec;
    if (Deno.build.os === "windows") throw refused(command, "Windows cannot stop a process");
    if (this.#frozen.has(name)) throw refused(command, `${name} is frozen already`);
    this.#frozen.add(name);
    role.kill("SIGSTOP");
    const thaw = () => {
      this.#frozen.delete(name);
      role.kill("SIGCONT");
    };
    void this.#run.clock.sleep(command.forMs!, this.#closing.signal).then(thaw, thaw);
  }

  /** Tells a role until it answers: it may be dead at the moment, and what its successor is told twice it does twice without harm. */
  async #ask(command: ControlCommand, name: string, told: RoleCommand): Promise<void> {
    const { clock, roles } = this.#run;
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<string | null>();
    this.#answers.set(id, answered.resolve);
    try {
      for (let waitedMs = 0; waitedMs < ANSWER_WITHIN_MS; waitedMs += ASK_AGAIN_MS) {
        roles.get(name)?.tell({ ...told, id });
        const patience = new AbortController();
        const signal = AbortSignal.any([patience.signal, this.#closing.signal]);
        const late = clock.sleep(ASK_AGAIN_MS, signal).then(() => undefined);
        late.catch(() => {/* answered in time */});
        const refusal = await Promise.race([answered.promise, late]);
        patience.abort();
        if (refusal === null) return;
        if (refusal !== undefined) throw refused(command, refusal);
      }
    } finally {
      this.#answers.delete(id);
    }
    throw refused(command, `${name} does not answer`);
  }
}
