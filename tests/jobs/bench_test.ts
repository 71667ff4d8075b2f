import assert from "node:assert/strict";
import type { Result } from "../../lib/verdict/mod.ts";
import {
  resultOf,
  rolePids,
  runJob,
  scratch,
  startJob,
  survivors,
  untilAcknowledged,
} from "./_bench.ts";

/** A window closes every second; on a busy machine the generator may be late, which voids the run and touches no row. */
const QUICK = ["--json", "--time-scale=60", "--rate=5000", "--duration=3s"];

/** What must hold however busy the machine is. */
function assertWhole(result: Result): void {
  const { messages, rows } = result;
  assert.notEqual(result.verdict, "FAIL", result.reasons.join("; "));
  assert.deepEqual([messages.lost, messages.duplicated, messages.indeterminate], [0, 0, 0]);
  assert.deepEqual([rows.missing, rows.extra, rows.wrong, result.findingCount], [0, 0, 0, 0]);
  assert.equal(rows.found, rows.expected);
  assert.ok(rows.found > 0);
  assert.equal(
    messages.aggregated + messages.late + (messages.plantedDuplicates ?? 0),
    messages.acked,
  );
}

Deno.test("bench50k carries a load through, judges it, and can be judged and damaged again", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  const flags = ["--late-share=0.01", "--duplicate-share=0.01", "--skew=0.5", "--compression=lz4"];
  await using job = startJob("bench", [...QUICK, ...flags, "--partitions=3", `--out=${run}`]);
  await job.said(/^running/);
  const pids = Object.values(await rolePids(run));
  assert.equal(pids.length, 4);
  const end = await job.end;
  const result = resultOf(end);
  assertWhole(result);
  assert.equal(end.code, { PASS: 0, FAIL: 1, VOID: 3 }[result.verdict]);
  assert.deepEqual([result.messages.sent, result.messages.acked], [15_000, 15_000]);
  assert.ok(result.messages.late > 0 && result.latencyUs.windowVisible.count > 0);
  assert.deepEqual([result.plants, result.restarts, result.runDir], [[], [], run]);
  assert.match(end.stderr, /report {2}.*report\.html/);
  assert.ok((await Deno.stat(`${run}/report.html`)).size > 10_000);
  assert.deepEqual(await survivors([job.pid, ...pids]), []);

  const again = resultOf(await runJob("verify", [run, "--json"]));
  assert.deepEqual(again, result);
  const rows = (await Deno.readTextFile(`${run}/rows.jsonl`)).trim().split("\n");
  await Deno.writeTextFile(`${run}/rows.jsonl`, rows.slice(1).join("\n") + "\n");
  const damaged = await runJob("verify", [run, "--json"]);
  assert.equal(damaged.code, 1);
  assert.deepEqual([resultOf(damaged).verdict, resultOf(damaged).rows.missing], ["FAIL", 1]);
  const { event_source_id: source } = JSON.parse(rows[0]!);
  assert.ok(resultOf(damaged).reasons[0]!.includes(source), resultOf(damaged).reasons[0]);
  await Deno.writeTextFile(`${run}/rows.jsonl`, rows.join("\n") + "\n");

  const ledger = (await Deno.readTextFile(`${run}/ledger/produce.jsonl`)).split(/(?<=\n)/);
  const judged = async (lines: readonly string[]) => {
    await Deno.writeTextFile(`${run}/ledger/produce.jsonl`, lines.join(""));
    const { code, ...end } = await runJob("verify", [run, "--json"]);
    return `${code} ${resultOf({ code, ...end }).reasons[0]}`;
  };
  assert.match(
    await judged(ledger.toSpliced(3, 1)),
    /^3 Could not verify: .*line 4 does not follow/,
  );
  assert.match(await judged(ledger.slice(0, -1)), /^3 Could not verify: the ledger has .* bytes/);
  assert.ok((await judged(ledger)).endsWith(` ${result.reasons[0]}`));
});

Deno.test("bench50k takes every setting from the environment, and shows no secret", async () => {
  await using folder = await scratch();
  const out = `${folder.path}/run`;
  const end = await runJob("bench", [], {
    WEIR_JSON: "true",
    WEIR_RATE: "200",
    WEIR_DURATION: "1s",
    WEIR_SOURCES: "7",
    WEIR_PARTITIONS: "1",
    WEIR_OUT: out,
    WEIR_RUN_ID: "from-environment",
    PULSAR_URL: "embedded",
    CLICKHOUSE_URL: "embedded",
    CLICKHOUSE_PASSWORD: "do-not-show-me",
  });
  const result = resultOf(end);
  assertWhole(result);
  assert.equal(result.runId, "from-environment");
  assert.equal(result.messages.sent, 200);
  const { load, partitionCount } = result.configuration as {
    load: { sourceCount: number };
    partitionCount: number;
  };
  assert.deepEqual([load.sourceCount, partitionCount], [7, 1]);
  const own = (await Deno.readTextFile(`${out}/clickhouse.password`)).trim();
  for (const name of ["manifest.json", "verdict.json", "report.html", "roles.json"]) {
    const text = await Deno.readTextFile(`${out}/${name}`);
    assert.ok(!text.includes("do-not-show-me") && !text.includes(own), name);
  }
  assert.ok(!(end.stdout + end.stderr).includes(own));
});

Deno.test("bench50k finds and names a planted fault, everywhere that a person looks", async () => {
  await using folder = await scratch();
  const out = `${folder.path}/run`;
  const plant = "drop:sensor-00007:2";
  const flags = ["--json", "--rate=1000", "--duration=1s", "--sources=20", `--out=${out}`];
  const end = await runJob("bench", [...flags, `--plant=${plant}`]);
  const result = resultOf(end);
  assert.deepEqual([end.code, result.verdict, result.plants], [1, "FAIL", [plant]]);
  assert.match(result.reasons[0]!, /^1 message lost: message 2 of sensor-00007 is lost/);
  assert.ok(end.stderr.includes(plant));
  assert.ok((await Deno.readTextFile(`${out}/report.html`)).includes(plant));
});

Deno.test("bench50k goes on when its aggregator is killed, and says how long it was away", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  await using job = startJob("bench", [...QUICK, "--threshold=rate>=1%", `--out=${run}`]);
  await job.said(/^running/);
  await untilAcknowledged(run, 5_000);
  Deno.kill((await rolePids(run))["aggregate-1"]!, "SIGKILL");
  const result = resultOf(await job.end);
  assertWhole(result);
  assert.equal(result.messages.acked, 15_000);
  assert.equal(result.restarts.length, 1);
  const [restart] = result.restarts;
  assert.deepEqual([restart!.role, restart!.reason], ["aggregate", "signal SIGKILL"]);
  assert.ok(restart!.recoveryMs! > 0);
});
