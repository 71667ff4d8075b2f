import assert from "node:assert/strict";
import {
  resultOf,
  rolePids,
  runJob,
  scratch,
  startJob,
  survivors,
  untilAcknowledged,
} from "./_bench.ts";

const LONG = ["--json", "--time-scale=60", "--rate=1000", "--duration=10m"];

Deno.test("bench50k drains and judges on the first Ctrl-C, and leaves no process", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  await using job = startJob("bench", [...LONG, "--threshold=rate>=1%", `--out=${run}`]);
  await job.said(/^running/);
  await untilAcknowledged(run);
  const pids = Object.values(await rolePids(run));
  // As a terminal, npx and deno task pass one press on.
  for (let copy = 0; copy < 3; copy++) job.kill("SIGINT");
  const end = await job.end;
  assert.equal(end.code, 130);
  const result = resultOf(end);
  assert.notEqual(result.verdict, "FAIL", result.reasons.join("; "));
  assert.ok(result.messages.acked > 0);
  assert.equal(result.messages.acked, result.messages.sent);
  assert.deepEqual([result.messages.lost, result.rows.missing, result.rows.wrong], [0, 0, 0]);
  assert.equal(result.rows.found, result.rows.expected);
  assert.deepEqual(await survivors(pids), []);
});

Deno.test("bench50k remembers what a killed producer sent, also when it is stopped at once", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  await using job = startJob("bench", [...LONG, "--threshold=rate>=0%", `--out=${run}`]);
  await job.said(/^running/);
  await untilAcknowledged(run, 2_000);
  Deno.kill((await rolePids(run))["produce"]!, "SIGKILL");
  await job.said(/^produce died/);
  job.kill("SIGINT");
  const result = resultOf(await job.end);
  assert.notEqual(result.verdict, "FAIL", result.reasons.join("; "));
  assert.ok(result.rows.found > 0);
  assert.deepEqual([result.rows.found, result.findingCount], [result.rows.expected, 0]);
});

Deno.test("bench50k ends on Ctrl-C while it judges, and the run can be judged later", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  const long = ["--rate=100000", "--duration=8s", "--time-scale=60", `--out=${run}`, "--json"];
  await using job = startJob("bench", long);
  await job.said(/^verifying/);
  job.kill("SIGINT");
  const end = await job.end;
  assert.deepEqual([end.code, end.stdout], [130, ""], end.stderr);
  assert.match(end.stderr, /^ending: the run is complete, and not judged$/m);
  assert.match(end.stderr, /`deno task verify .*\/run` judges it$/m);
  assert.deepEqual(
    await Array.fromAsync(Deno.readDir(run), ({ name }) => name === "verdict.json")
      .then((found) => found.filter(Boolean)),
    [],
  );
  const judged = resultOf(await runJob("verify", [run, "--json"]));
  assert.notEqual(judged.verdict, "FAIL", judged.reasons.join("; "));
  assert.deepEqual([judged.messages.acked, judged.messages.lost], [800_000, 0]);
});

Deno.test("bench50k ends at once on Ctrl-C while it starts, and leaves nothing", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  await using job = startJob("bench", [...LONG, `--out=${run}`]);
  await job.said(/^starting/);
  job.kill("SIGINT");
  const end = await job.end;
  assert.deepEqual([end.code, end.stdout], [130, ""], end.stderr);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("the roles of a run end by themselves when its runner is killed, and the run can be judged", async () => {
  await using folder = await scratch();
  const run = `${folder.path}/run`;
  await using job = startJob("bench", [...LONG, `--out=${run}`]);
  await job.said(/^running/);
  await untilAcknowledged(run);
  const pids = Object.values(await rolePids(run));
  job.kill("SIGKILL");
  await job.end;
  assert.deepEqual(await survivors(pids), []);
  const judged = await runJob("verify", [run, "--json"]);
  assert.deepEqual([judged.code, resultOf(judged).verdict], [3, "VOID"]);
  assert.match(resultOf(judged).reasons[0]!, /^Could not verify: .*the run has not ended/);
});

Deno.test("bench50k refuses a run id whose rows are in the table, whatever else is empty", async () => {
  await using folder = await scratch();
  await using clickhouse = startJob("clickhouse", ["--port=0", `--data=${folder.path}/data`], {
    CLICKHOUSE_PASSWORD: "hunter2",
    WEIR_SUPERVISED: "",
  });
  const { url } = await clickhouse.ready as { url: string };
  const run = (name: string, password: string) =>
    runJob("bench", [
      "--json",
      "--rate=200",
      "--duration=1s",
      "--run-id=twice",
      `--clickhouse=${url.replace("//", `//default:${password}@`)}`,
      `--out=${folder.path}/${name}`,
    ]);
  const wrong = await run("a", "not-hunter2");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Authentication failed.*; check CLICKHOUSE_USER and CLICKHOUSE_PASSW/);
  assert.ok(!wrong.stderr.includes("hunter2"));
  assert.notEqual(resultOf(await run("b", "hunter2")).verdict, "FAIL");
  const files = await Promise.all(
    ["manifest.json", "verdict.json", "report.html"].map((name) =>
      Deno.readTextFile(`${folder.path}/b/${name}`)
    ),
  );
  assert.ok(files.every((text) => !text.includes("hunter2")));
  const again = await run("c", "hunter2");
  assert.equal(again.code, 2);
  assert.match(again.stderr, /holds \d+ rows of it already; give another --run-id/);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "b",
    "data",
  ]);
});

Deno.test("produce ends by itself when its runner and its broker are both gone", async () => {
  await using folder = await scratch();
  const data = `--data=${folder.path}/broker`;
  await using broker = startJob("broker", ["--port=0", "--admin-port=0", data]);
  const { url } = await broker.ready as { url: string };
  const flags = [`--pulsar=${url}`, `--ledger=${folder.path}/ledger`, "--rate=1000"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "jobs/produce.ts", "--duration=10m", ...flags],
    cwd: new URL("../..", import.meta.url),
    env: { WEIR_SUPERVISED: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.getReader();
  await output.read();
  broker.kill("SIGKILL");
  await broker.end;
  // As the kernel does it for a runner that is killed.
  await output.cancel();
  await child.stdin.close();
  assert.equal((await child.status).success, false);
});
