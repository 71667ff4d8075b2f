import type { Clock } from "../base/mod.ts";
import { messageOf, systemDisk } from "../base/mod.ts";
import { ledgerPath } from "../load/mod.ts";
import { METRIC, MetricRegistry, registerProcess, type Sample } from "../metrics/mod.ts";
import {
  appendDeath,
  appendRoleNote,
  EVENTS_FILE,
  type IntervalLine,
  Latencies,
  type NoteLine,
  NOTES_FILE,
  type ReadyLine,
  type Restart,
  type Role,
  type RoleExit,
  type RoleLine,
  type RoleSpec,
  RunError,
  Sampler,
  serveControl,
  type SupervisedRole,
  superviseRole,
  writeJson,
} from "../run/mod.ts";
import type { Result } from "../verdict/mod.ts";
import {
  aggregateSpec,
  brokerSpec,
  clickhouseSpec,
  type Endpoints,
  produceSpec,
  type RoleContext,
} from "./bench_roles.ts";
import { isEmbedded } from "./config.ts";
import { judgeRun } from "./judge_run.ts";
import type { EarlyEnd, Environment, GeneratorReport, Manifest } from "./manifest.ts";
import { awaitRecovery, RECOVERY_WITHIN_MS } from "./recovery.ts";
import { LEAD_TIME_MS } from "./produce.ts";
import { reserveDisk } from "./reserve.ts";
import { RunLatencies } from "./run_latencies.ts";
import { Steering } from "./steering.ts";
import { parseTimedCommand } from "./timed_fault.ts";
import { deleteTopic, exportRows, prepareSystems, probeSystems } from "./systems.ts";

/** Where a run stands. */
export type BenchPhase = "starting" | "loading" | "draining" | "verifying";

/** What is told while a run goes on. */
export interface BenchObserver {
  phase(phase: BenchPhase): void;
  sample(sample: Sample, latest: { readonly publishUsP99: number | null }): void;
  /** Something a person should know: a restart, an early end. */
  remark(text: string): void;
}

/** What a run needs. */
export interface BenchOptions extends RoleContext {
  readonly clock: Clock;
  readonly environment: Environment;
  readonly observer: BenchObserver;
  /** The first Ctrl-C: send no more, drain, judge. One that comes while the run is judged ends that: `verify` does it later. */
  readonly stopping: AbortSignal;
  /** The second one: end every process at once; the run is not judged. */
  readonly abandoning: AbortSignal;
}

/** Without any progress for so long, the aggregators are not waited for. */
const DRAIN_STALL_MS = 90_000;
/** A role that is asked to end gets this long. */
const STOP_GRACE_MS = 15_000;
const PRODUCE_STOP_GRACE_MS = 45_000;

/** One run of bench50k. */
class BenchRun {
  readonly #options: BenchOptions;
  readonly #roles = new Map<string, SupervisedRole>();
  readonly #latencies: RunLatencies;
  readonly #restarts: Restart[] = [];
  readonly #recoveries: Promise<void>[] = [];
  /** Aborted when nothing moves any more by which a recovery could show. */
  readonly #workDone = new AbortController();
  readonly #starting = new Set<Promise<SupervisedRole>>();
  /** Aborted, it keeps the run from starting: nothing was sent yet. */
  readonly #notStarting = new AbortController();
  readonly #drained = new Set<number>();
  readonly #drainedAll = Promise.withResolvers<void>();
  readonly #produced = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<EarlyEnd>();
  readonly #startedAtMs: number;
  readonly #stopAsked = new AbortController();
  readonly #steering: Steering;
  #phase: BenchPhase = "starting";
  #publishUsP99: number | null = null;
  #earlyEnd: EarlyEnd | null = null;
  #generator: GeneratorReport | null = null;
  #systems = { broker: "unknown", clickhouse: "unknown" };
  #measured: { fromMs: number | null; toMs: number | null } = { fromMs: null, toMs: null };
  #rowsExported: true | string = "the run has not ended";
  #topicIsOurs = false;
  #lastProgressMs = 0;
  #lastProgress = -1;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.wallMs();
    this.#latencies = new RunLatencies(options.config.warmUpMs);
    const { clock, folder, config } = options;
    this.#steering = new Steering({
      clock,
      folder,
      roles: this.#roles,
      loadBeganMs: () => this.#measured.fromMs,
      plannedMs: config.load.durationMs,
      phase: () => this.#phase,
      restartCount: () => this.#restarts.length,
      publishUsP99: () => this.#publishUsP99,
      stop: () => this.#stopAsked.abort(),
    });
  }

  #enter(phase: BenchPhase): void {
    this.#phase = phase;
    this.#options.observer.phase(phase);
  }

  async run(): Promise<Result> {
    const { folder, abandoning, stopping } = this.#options;
    abandoning.addEventListener("abort", () => void this.#abandon(), { once: true });
    stopping.addEventListener("abort", () => this.#stopStarting(), { once: true });
    let endpoints: Endpoints | undefined;
    const reserve = await reserveDisk(folder);
    try {
      endpoints = await this.#startSystems();
      await this.#writeManifest();
      await this.#load(endpoints);
      await this.#stopFlow(endpoints);
      await reserve.release();
      this.#rowsExported = abandoning.aborted
        ? "the run was ended at once"
        : await this.#export(endpoints);
    } finally {
      // Where one part failed to start, the others may be about to.
      this.#notStarting.abort();
      await Promise.allSettled(this.#starting);
      await this.#stopFlow(endpoints);
      await this.#stop(() => true);
      await reserve.release();
      await writeJson(folder.file("histograms.json"), this.#latencies.measured.toJSON());
      await writeJson(folder.file("warm_up_histograms.json"), this.#latencies.warmUp.toJSON());
      await this.#writeManifest(this.#options.clock.wallMs());
    }
    abandoning.throwIfAborted();
    this.#enter("verifying");
    const unsaved = (error: unknown) => {
      this.#options.observer.remark(`verdict.json was not written: ${messageOf(error)}`);
    };
    // A Ctrl-C that ended the load asked for this judgement: the next one does not want it.
    const unwanted = stopping.aborted ? abandoning : AbortSignal.any([stopping, abandoning]);
    return await judgeRun(folder, unsaved, unwanted);
  }

  async #startSystems(): Promise<Endpoints> {
    const { pulsar, clickhouse } = this.#options.config;
    await Promise.race([probeSystems(this.#options), this.#untilNotStarting()]);
    this.#enter("starting");
    const [broker, engine] = await Promise.all([
      isEmbedded(pulsar.serviceUrl) ? this.#start(brokerSpec(this.#options)) : undefined,
      isEmbedded(clickhouse.url) ? this.#start(clickhouseSpec(this.#options)) : undefined,
    ]);
    const endpoints = {
      pulsarUrl: broker?.ready.url ?? pulsar.serviceUrl,
      pulsarAdminUrl: broker?.ready.adminUrl ?? pulsar.adminUrl,
      clickhouseUrl: engine?.ready.url ?? clickhouse.url,
    };
    const { topicIsOurs, ...systems } = await prepareSystems(this.#options, endpoints);
    this.#systems = systems;
    this.#topicIsOurs = topicIsOurs;
    return endpoints;
  }

  /** Rejects when the run is ended before it sends anything. */
  #untilNotStarting(): Promise<never> {
    const { signal } = this.#notStarting;
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  #stopStarting(): void {
    if (this.#phase !== "starting") return;
    this.#notStarting.abort(
      new RunError("Cannot start the run: it was interrupted", { code: "interrupted" }),
    );
  }

  /** Load, then drain. Returns when everything is stored, or when there is no hope of it. */
  async #load(endpoints: Endpoints): Promise<void> {
    const { config, folder, stopping } = this.#options;
    await using _control = await serveControl(folder, this.#steering);
    using _steering = this.#steering;
    const aggregates = Array.from({ length: config.aggregatorCount }, (_, i) => i + 1);
    await Promise.all(
      aggregates.map((number) => this.#start(aggregateSpec(this.#options, endpoints, number))),
    );
    const produceRole = await this.#start(produceSpec(this.#options, endpoints));
    this.#enter("loading");
    const beganMs = this.#options.clock.wallMs();
    this.#measured.fromMs = beganMs;
    this.#latencies.begin(beganMs + LEAD_TIME_MS);
    this.#steering.startTimed(config.faults.map(parseTimedCommand), beganMs + LEAD_TIME_MS);
    await using sampler = this.#sampler();
    await sampler.sample();
    const stop = () => {
      this.#earlyEnd ??= { kind: "interrupted", message: "interrupted by a person", code: null };
      void produceRole.stop(PRODUCE_STOP_GRACE_MS);
    };
    const asked = AbortSignal.any([stopping, this.#stopAsked.signal]);
    if (asked.aborted) stop();
    asked.addEventListener("abort", stop, { once: true });
    const failed = await Promise.race([
      this.#produced.promise,
      produceRole.ended,
      this.#failed.promise,
    ]);
    this.#enter("draining");
    this.#earlyEnd = failed ?? await this.#drain() ?? this.#earlyEnd;
    await sampler.sample();
    this.#measured.toMs = this.#options.clock.wallMs();
    this.#workDone.abort();
    await Promise.all(this.#recoveries);
    this.#excuseRestarts(this.#measured.toMs);
  }

  async #drain(): Promise<EarlyEnd | undefined> {
    const { clock } = this.#options;
    this.#lastProgressMs = clock.wallMs();
    const stalled = Promise.withResolvers<EarlyEnd>();
    const stopWatching = clock.every(500, () => {
      if (clock.wallMs() - this.#lastProgressMs < DRAIN_STALL_MS) return;
      const missing = this.#options.config.partitionCount - this.#drained.size;
      stalled.resolve({
        kind: "not_drained",
        message: `${missing} partitions were not drained, and nothing moved for ${
          DRAIN_STALL_MS / 1000
        } s`,
        code: null,
      });
    });
    const early = await Promise.race([
      this.#drainedAll.promise.then(() => undefined),
      this.#failed.promise,
      stalled.promise,
    ]);
    stopWatching();
    return early;
  }

  async #export(endpoints: Endpoints): Promise<true | string> {
    try {
      await exportRows(this.#options, endpoints);
      return true;
    } catch (error) {
      this.#options.observer.remark(`rows could not be exported: ${messageOf(error)}`);
      return messageOf(error);
    }
  }

  async #start(spec: RoleSpec): Promise<SupervisedRole> {
    const { clock, folder, root } = this.#options;
    this.#notStarting.signal.throwIfAborted();
    const starting = superviseRole(spec, {
      clock,
      signal: this.#notStarting.signal,
      config: `${root}/deno.json`,
      logFolder: folder.file("logs"),
      observer: {
        line: (name, line) => this.#take(name, line),
        ready: () => {},
        restarting: (restart) => this.#onRestarting(restart),
        restarted: (restart) => this.#onRestarted(restart),
        ended: (name, error) => this.#onEnded(name, error),
      },
    }).then((role) => {
      this.#roles.set(spec.name, role);
      return role;
    });
    this.#starting.add(starting);
    const role = await starting;
    await this.#writeRoles();
    return role;
  }

  /** The process whose count of work shows that a role works again: for the broker that is the producer. */
  #readyOf(restart: Restart): ReadyLine | undefined {
    const name = restart.role === "broker" ? "produce" : restart.name;
    return this.#roles.get(name)?.ready;
  }

  #onRestarting(restart: Restart): void {
    this.#restarts.push(restart);
    this.#noteDeath(restart);
    this.#options.observer.remark(`${restart.name} died (${restart.reason}), starting it again`);
  }

  #onRestarted(restart: Restart): void {
    const { clock } = this.#options;
    const { signal } = this.#workDone;
    this.#noteDeath(restart);
    const recovery = awaitRecovery(restart, () => this.#readyOf(restart), { clock, signal });
    this.#recoveries.push(recovery.then(() => this.#noteDeath(restart)));
    void this.#writeRoles();
  }

  /** At once, for charts that are watched: the manifest tells it at the end. */
  #noteDeath(restart: Restart): void {
    const { clock, folder, observer } = this.#options;
    try {
      appendDeath(systemDisk, folder.file(EVENTS_FILE), clock.wallMs(), restart);
    } catch (error) {
      observer.remark(`the death was not written: ${messageOf(error)}`);
    }
  }

  /** Whose work had no time to go on before the run went through did not fail to come back. */
  #excuseRestarts(endedMs: number): void {
    if (this.#earlyEnd !== null && this.#earlyEnd.kind !== "interrupted") return;
    for (const restart of this.#restarts) {
      const isRecent = endedMs - restart.atMs < RECOVERY_WITHIN_MS;
      if (restart.recoveryMs === null && isRecent) restart.wasCutShort = true;
    }
  }

  #onEnded(name: string, error: RunError | undefined): void {
    if (error === undefined) return;
    const exit = error.cause as RoleExit | undefined;
    this.#options.observer.remark(error.message);
    this.#failed.resolve({
      kind: "role_failed",
      message: error.message,
      code: exit?.failureCode ?? null,
    });
    this.#roles.delete(name);
  }

  #take(name: string, line: RoleLine): void {
    if ("ready" in line) return;
    switch (line.event) {
      case "interval":
        return this.#takeInterval(line);
      case "drained":
        this.#drained.add(line.partition);
        if (this.#drained.size === this.#options.config.partitionCount) this.#drainedAll.resolve();
        return;
      case "finished":
        return this.#produced.resolve();
      case "note":
        return this.#note(name, line);
      case "answer":
      case "kill-me":
        return this.#steering.take(name, line);
      case "failure":
        return;
    }
  }

  #note(name: string, { kind, data }: NoteLine): void {
    if (kind === "generator") this.#generator = data as GeneratorReport;
    const { clock, folder } = this.#options;
    const note = { atMs: clock.wallMs(), name, kind, data };
    appendRoleNote(systemDisk, folder.file(NOTES_FILE), note);
  }

  #takeInterval(line: IntervalLine): void {
    const { histograms } = line;
    this.#latencies.add(line);
    const publish = histograms["publish"];
    if (publish === undefined) return;
    const interval = Latencies.fromJSON({ publish });
    this.#publishUsP99 = interval.of("publish").percentileUs(99);
  }

  #sampler(): Sampler {
    const { clock, folder, observer } = this.#options;
    const own = new MetricRegistry();
    registerProcess(own, clock);
    return new Sampler({
      clock,
      path: folder.file("samples.jsonl"),
      targets: () =>
        [...this.#roles].map(([name, role]) => ({ name, metricsUrl: role.ready.metricsUrl })),
      ownMetrics: () => own.expose(),
      failed: (error) =>
        this.#failed.resolve({
          kind: "role_failed",
          message: `Cannot keep the figures of the run: ${messageOf(error)}`,
          code: "write_failed",
        }),
      sampled: (sample) => {
        this.#watchProgress(sample);
        this.#steering.sampled(sample);
        observer.sample(sample, { publishUsP99: this.#publishUsP99 });
      },
    });
  }

  #watchProgress(sample: Sample): void {
    let progress = this.#drained.size;
    for (const { values } of Object.values(sample.roles)) {
      progress += (values[METRIC.messagesAggregated] ?? 0) + (values[METRIC.rowsInserted] ?? 0);
    }
    if (progress === this.#lastProgress) return;
    this.#lastProgress = progress;
    this.#lastProgressMs = this.#options.clock.wallMs();
  }

  async #abandon(): Promise<void> {
    this.#stopStarting();
    await Promise.all([...this.#roles.values()].map((role) => role.abandon()));
    this.#failed.resolve({ kind: "interrupted", message: "ended at once by a person", code: null });
  }

  async #stop(isWanted: (role: Role) => boolean): Promise<void> {
    const roles = [...this.#roles.values()].filter(({ spec }) => isWanted(spec.role));
    await Promise.all(roles.map((role) => role.stop(STOP_GRACE_MS)));
    for (const { spec } of roles) this.#roles.delete(spec.name);
  }

  /** Ends what moves messages, the producer first, so that nothing is sent into the void. ClickHouse stays, to be asked for the rows. */
  async #stopFlow(endpoints: Endpoints | undefined): Promise<void> {
    const { config, folder } = this.#options;
    await this.#stop((role) => role === "produce");
    await this.#stop((role) => role === "aggregate");
    // The embedded broker goes as a whole; a Pulsar lives on, without what was made there.
    const mustDelete = this.#topicIsOurs && !config.keep && !isEmbedded(config.pulsar.serviceUrl);
    if (endpoints !== undefined && mustDelete) {
      try {
        await deleteTopic(this.#options, endpoints);
        this.#topicIsOurs = false;
      } catch (error) {
        this.#options.observer.remark(`the topic was not deleted: ${messageOf(error)}`);
      }
    }
    await this.#stop((role) => role === "broker");
    // Its log is large, and everything in it will be judged; ClickHouse's data are a few MB and stay, for queries about the run.
    if (config.keep) return;
    await Deno.remove(folder.file("broker"), { recursive: true }).catch(() => {
      // A broker of somebody else's left no folder here.
    });
  }

  /** Who runs where: for a person who wants to look at a role, or to kill it. */
  async #writeRoles(): Promise<void> {
    const roles = Object.fromEntries([...this.#roles].map(([name, role]) => [name, role.ready]));
    try {
      await writeJson(this.#options.folder.file("roles.json"), roles);
    } catch (error) {
      // A full disk: the run ends by what cannot do without one, and says so.
      this.#options.observer.remark(`roles.json was not written: ${messageOf(error)}`);
    }
  }

  async #writeManifest(endedAtMs: number | null = null): Promise<void> {
    const { config, environment, folder } = this.#options;
    const ledger = await Deno.stat(ledgerPath(folder.file("ledger"), "produce"))
      .catch(() => undefined);
    const manifest: Manifest = {
      schemaVersion: 1,
      name: config.name,
      runId: config.runId,
      config,
      environment,
      systems: this.#systems,
      runnerPid: Deno.pid,
      startedAtMs: this.#startedAtMs,
      endedAtMs,
      measuredFromMs: this.#measured.fromMs,
      measuredToMs: this.#measured.toMs,
      restarts: this.#restarts,
      earlyEnd: this.#earlyEnd,
      generator: this.#generator,
      drainedPartitions: [...this.#drained].sort((a, b) => a - b),
      ...(endedAtMs === null ? {} : { ledgerBytes: ledger?.size ?? null }),
      rowsExported: this.#rowsExported,
    };
    await writeJson(folder.file("manifest.json"), manifest);
  }
}

/**
 * Runs bench50k: starts what is embedded, loads, drains, exports, stops everything, and judges from the run's folder.
 *
 * @throws what keeps a run from starting; once it loads, faults are in the result
 */
export function runBench(options: BenchOptions): Promise<Result> {
  return new BenchRun(options).run();
}
