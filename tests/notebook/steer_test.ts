/** Real runs, short ones: what is done to them while they go on, and that their verdict stays exact. */
import assert from "node:assert/strict";
import { systemClock, systemDisk } from "../../lib/base/mod.ts";
import { readLedger } from "../../lib/load/mod.ts";
import { readPicture } from "../../lib/notebook/run_picture.ts";
import { listRuns } from "../../lib/notebook/runs.ts";
import { attach, start } from "../../lib/notebook/start.ts";
import { askStatus, openRunFolder, type ReadyLine } from "../../lib/run/mod.ts";
import type { Scenario } from "../../lib/scenarios/mod.ts";

const QUICK = { partitions: 2, sources: 50, timeScale: 60, seed: 7 } as const;

async function withRuns(test: (runsFolder: string) => Promise<void>): Promise<void> {
  const runsFolder = await Deno.makeTempDir();
  try {
    await test(runsFolder);
  } finally {
    await Deno.remove(runsFolder, { recursive: true });
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 50) {
    if (await condition()) return;
    await systemClock.sleep(50);
  }
  assert.fail(`${what} did not come in time`);
}

async function pidsOf(path: string): Promise<number[]> {
  const roles: Record<string, ReadyLine> = JSON.parse(
    await Deno.readTextFile(`${path}/roles.json`),
  );
  const { pid } = JSON.parse(await Deno.readTextFile(`${path}/control.json`));
  return [pid, ...Object.values(roles).map((role) => role.pid)];
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

Deno.test("a run is steered from cells, is broken, recovers, and its verdict stays exact", () =>
  withRuns(async (runsFolder) => {
    // Two roles are killed in eight seconds: how much of the rate is left depends on the machine.
    const thresholds = ["rate>=1%"];
    const load = { ...QUICK, rate: 500, duration: "8s", thresholds };
    const run = await start("bench50k", { ...load, runsFolder });
    const [listed] = await listRuns(runsFolder);
    assert.deepEqual([listed?.id, listed?.state], [run.id, "running"]);
    const pids = await pidsOf(run.path);
    await run.rate(2000);
    await until("the new rate", async () => (await run.status()).targetRateMessagesPerSec === 2000);
    await run.inject("kill", "aggregate", { at: "after-insert" });
    await until("the kill", async () => (await run.status()).restartCount === 1);
    // A chart that is watched shows it now, not when the run has ended.
    const folder = await openRunFolder(run.path);
    const { marks } = await readPicture(folder);
    assert.ok(marks.some(({ label }) => label === "aggregate-1 killed"), JSON.stringify(marks));
    await run.pause();
    // As after a kernel restart: another handle, which knows nothing but the id.
    const again = await attach(run.path);
    await until("the pause", async () => (await again.status()).targetRateMessagesPerSec === 0);
    await again.resume();
    await again.note("going on");
    await again.inject("kill", "produce");
    await again.inject("cut", "aggregate");
    const result = await again.result();
    // VOID is what a machine deserves that does other things meanwhile; the data are whole all the same.
    assert.notEqual(result.verdict, "FAIL", result.reasons.join("; "));
    const { messages, rows } = result;
    assert.deepEqual([messages.lost, messages.duplicated, rows.missing, rows.extra], [0, 0, 0, 0]);
    assert.equal(messages.acked, messages.aggregated);
    assert.deepEqual(result.restarts.map(({ name }) => name).sort(), ["aggregate-1", "produce"]);
    assert.ok(result.restarts.every(({ recoveryMs }) => recoveryMs !== null));
    assert.deepEqual(result.events.map(({ text }) => text), [
      "rate 2,000/s",
      "kill aggregate after-insert",
      "pause",
      "resume",
      "going on",
      "kill produce",
      "cut aggregate",
    ]);
    // The ledger repeats the schedule: more than 500/s would have sent, and the changes survived the producer's death.
    const ledger = readLedger(systemDisk, `${run.path}/ledger/produce.jsonl`);
    assert.equal(ledger.schedule.toJSON().segments.length, 4);
    assert.equal(ledger.schedule.messageCount, messages.acked);
    assert.ok(messages.acked > 500 * 8);
    assert.equal((await listRuns(runsFolder))[0]!.state, "ended");
    await assert.rejects(run.rate(5), { code: "not_running" });
    await until("the end of all processes", () => Promise.resolve(!pids.some(isAlive)));
  }));

Deno.test("a protection switched off doubles rows, the verdict proves it, and the report says it", () =>
  withRuns(async (runsFolder) => {
    const scenario: Scenario = {
      ...QUICK,
      name: "unsafe",
      stages: [{ ramp: [0, 500], for: "1s" }, { constant: 500, for: "3s" }],
      faults: [{ at: "1500ms", kill: "aggregate", when: "after-insert" }],
      unsafe: ["no-token"],
      warmUp: "1s",
      loop: "closed",
    };
    const run = await start(scenario, { runsFolder });
    const result = await run.result();
    assert.equal(result.verdict, "FAIL");
    assert.ok(result.messages.duplicated > 0 && result.rows.extra > 0);
    assert.equal(result.messages.lost, 0);
    assert.ok(result.findings.every(({ kind }) => kind === "doubled_row"));
    assert.match(result.reasons[0]!, /messages doubled: the row of sensor-\d+ is doubled/);
    assert.deepEqual([result.unsafe, result.loop, result.warmUpSec], [["no-token"], "closed", 1]);
    assert.deepEqual(result.events.map(({ by }) => by), ["scenario"]);
    const page = await Deno.readTextFile(`${run.path}/report.html`);
    assert.match(page, /protection switched off/);
    // Latencies of the warm-up are kept apart: neither part holds all messages.
    const { count } = result.latencyUs.publish;
    assert.ok(count > 0 && count < result.messages.acked, `${count} of ${result.messages.acked}`);
  }));

Deno.test("a run that nobody looks at, paused, ends by itself and leaves no process", () =>
  withRuns(async (runsFolder) => {
    const run = await start("bench50k", { ...QUICK, rate: 200, duration: "2s", runsFolder });
    const pids = await pidsOf(run.path);
    await run.pause();
    const folder = await openRunFolder(run.path);
    await until("the end of the run", () => askStatus(folder).then(() => false, () => true));
    await until("the end of all processes", () => Promise.resolve(!pids.some(isAlive)));
  }));

Deno.test("a kill just before the end is not told as a role that did not come back", () =>
  withRuns(async (runsFolder) => {
    const load = { ...QUICK, rate: 200, duration: "60s", thresholds: ["rate>=1%"] };
    const run = await start("bench50k", { ...load, runsFolder });
    await until("messages", async () => ((await run.status()).rateMessagesPerSec ?? 0) > 0);
    await run.inject("kill", "clickhouse");
    await run.stop();
    const { verdict, restarts, messages } = await run.result();
    assert.notEqual(verdict, "FAIL");
    assert.deepEqual([messages.lost, messages.duplicated], [0, 0]);
    for (const { recoveryMs, wasCutShort } of restarts) {
      assert.ok(recoveryMs !== null || wasCutShort === true);
    }
  }));

Deno.test("a run whose runner is killed is listed as dead, and is not waited for", () =>
  withRuns(async (runsFolder) => {
    const run = await start("bench50k", { ...QUICK, rate: 200, duration: "60s", runsFolder });
    const pids = await pidsOf(run.path);
    Deno.kill(pids[0]!, "SIGKILL");
    await assert.rejects(run.result(), { code: "not_ended" });
    assert.equal((await listRuns(runsFolder))[0]!.state, "died");
    // Their input closed with the runner: the roles end by themselves.
    await until("the end of all processes", () => Promise.resolve(!pids.some(isAlive)));
  }));

Deno.test("start() tells every mistake before anything is started", () =>
  withRuns(async (runsFolder) => {
    const options = { rate: -1, duration: "soon", runsFolder };
    await assert.rejects(start("bench50k", options), /rate: [^]*duration: /);
    // @ts-expect-error no such scenario
    await assert.rejects(start("bench5k"), /expected "bench50k" or a scenario/);
    const nothing = { ...QUICK, rate: 1, duration: "1s", pulsar: "pulsar://127.0.0.1:1" };
    await assert.rejects(start("bench50k", { ...nothing, runsFolder }), {
      code: "not_started",
    });
    assert.deepEqual([...Deno.readDirSync(runsFolder)].map(({ name }) => name), []);
  }));
