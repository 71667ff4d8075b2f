import assert from "node:assert/strict";
import { type ClickHouseJob, spawnJob, startJob } from "../sinks/clickhouse/_server.ts";
import { untilTrue } from "../until_true.ts";

/** Runs the job until it ends by itself. */
async function failing(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawnJob(args, environment);
  const { code, stdout, stderr } = await child.output();
  await child.stdin.close().catch(() => {});
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function scratch(): Promise<string> {
  return await Deno.makeTempDir({ prefix: "weir-test-job-" });
}

async function answers(job: ClickHouseJob): Promise<boolean> {
  try {
    await (await fetch(`${job.ready.url}/ping`)).text();
    return true;
  } catch {
    return false;
  }
}

Deno.test("clickhouse says on one line that it is ready, and ends with its input", async () => {
  const job = await startJob();
  assert.deepEqual({ ...job.ready, url: "", port: 0, pid: 0, version: "", metricsUrl: "" }, {
    role: "clickhouse",
    ready: true,
    pid: 0,
    port: 0,
    url: "",
    version: "",
    metricsUrl: "",
  });
  assert.equal(job.ready.pid, job.child.pid);
  assert.equal(job.ready["metricsUrl"], `${job.ready.url}/metrics`);
  await job[Symbol.asyncDispose]();
  assert.deepEqual({ ...await job.child.status }, { success: true, code: 0, signal: null });
  assert.equal(await job.stderr, "");
});

Deno.test("clickhouse ends cleanly on SIGTERM with a query under way, and leaves SIGINT to its runner", async () => {
  await using job = await startJob();
  const slow = job.ask("SELECT sleepEachRow(0.05) FROM (SELECT * FROM numbers(10000))", {
    max_block_size: "1",
  });
  job.child.kill("SIGINT");
  await untilTrue("the query is under way", async () => {
    const metrics = await (await fetch(`${job.ready.url}/metrics`)).text();
    return metrics.includes("weir_clickhouse_running 1\n");
  });
  job.child.kill("SIGTERM");
  assert.deepEqual({ ...await job.child.status }, { success: true, code: 0, signal: null });
  const response = await slow;
  assert.equal(response.headers.get("x-clickhouse-exception-code"), "394", await response.text());
});

Deno.test("clickhouse started by a person ends on SIGINT, and keeps the password that it made for its owner", async () => {
  const dataDir = await scratch();
  const child = spawnJob(["--port=0", `--data=${dataDir}`], {
    WEIR_SUPERVISED: "",
    CLICKHOUSE_PASSWORD: "",
  });
  await child.stdin.close();
  const reader = child.stdout.getReader();
  const ready = JSON.parse(new TextDecoder().decode((await reader.read()).value));
  assert.ok(await answers({ ready } as ClickHouseJob));
  child.kill("SIGINT");
  assert.equal((await child.status).code, 0);
  await reader.cancel();
  const stderr = await new Response(child.stderr).text();
  assert.match(stderr, /^user default, password in .*\.password .*\ncurl -u "default:/);
  const file = await Deno.stat(`${dataDir}.password`);
  assert.equal(file.mode! & 0o777, 0o600);
  assert.match(await Deno.readTextFile(`${dataDir}.password`), /^[0-9a-f-]{36}$/);
  await Deno.remove(`${dataDir}.password`);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("clickhouse says that its data folder is in use, and leaves the user of it alone", async () => {
  await using job = await startJob();
  const { code, stdout, stderr } = await failing(["--port=0", `--data=${job.dataDir}`]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.equal(
    stderr,
    `clickhouse: Cannot open data folder "${job.dataDir}": another process is using it; end that process, or give another folder with --data\n`,
  );
  assert.equal(await job.text("SELECT 1"), "1\n");
});

Deno.test("clickhouse says that its port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dataDir = await scratch();
  const { port } = listener.addr;
  const { code, stderr } = await failing([`--port=${port}`, `--data=${dataDir}`]);
  assert.equal(code, 2);
  assert.equal(
    stderr,
    `clickhouse: Cannot listen on 127.0.0.1:${port}: the port is taken; give another one with --port, or --port 0 for any free one\n`,
  );
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("clickhouse says what is wrong with its flags and files", async () => {
  const cases: [string[], RegExp][] = [
    [["--prot=1"], /^clickhouse: unknown flag --prot; did you mean --port\?\n$/],
    [["--port=x"], /^clickhouse: --port "x": expected a whole number\n$/],
    [["--memory=1KiB"], /^clickhouse: --memory "1KiB": expected at least 256MiB\n$/],
    [
      ["--password-file=/nowhere/at/all", "--port=0"],
      /^clickhouse: Cannot read the password: .*; give a file with --password-file\n$/,
    ],
    [
      ["--data=/dev/null/x", "--port=0"],
      /^clickhouse: Cannot write to data folder "\/dev\/null\/x": .*; give a folder of your own with --data\n$/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await failing(args);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, expected);
  }
});
