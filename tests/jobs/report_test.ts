import assert from "node:assert/strict";
import { LatencyHistogram } from "../../lib/latency/mod.ts";
import { fixtureReport, START_MS } from "../report/_fixture.ts";
import { syntheticRun } from "../report/_synthetic.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A run folder with what a report is drawn from. */
async function makeRun(durationSec = 8): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "weir-report-" });
  const { result, name } = fixtureReport({ durationSec });
  const { samples } = syntheticRun({ durationSec, startMs: START_MS });
  const histogram = new LatencyHistogram();
  histogram.record(1_234, 500);
  const files = {
    "manifest.json": {
      schemaVersion: 1,
      name,
      runId: result.runId,
      config: { ...result.configuration, load: {} },
      startedAtMs: START_MS,
      restarts: [],
      generator: { startWallMs: START_MS, lastReceiptWallMs: START_MS + durationSec * 1000 },
    },
    "verdict.json": result,
    "histograms.json": { publish: histogram.toJSON() },
  };
  for (const [file, value] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${file}`, JSON.stringify(value));
  }
  const lines = samples.map((sample) => JSON.stringify(sample) + "\n");
  await Deno.writeTextFile(`${path}/samples.jsonl`, lines.join(""));
  const note = { atMs: START_MS + 3000, by: "control", command: { command: "note" }, text: "<hi>" };
  await Deno.writeTextFile(
    `${path}/events.jsonl`,
    JSON.stringify({ ...note, refusal: null }) + "\n",
  );
  return path;
}

async function run(job: string, args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      `jobs/${job}.ts`,
      ...args,
    ],
    cwd: ROOT,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}

Deno.test("report --from draws the same page again from the page alone", async () => {
  const folder = await makeRun();
  const out = await Deno.makeTempDir();
  try {
    assert.equal((await run("report", [folder])).code, 0);
    await Deno.rename(`${folder}/report.html`, `${out}/report.html`);
    await Deno.remove(folder, { recursive: true });
    const again = await run("report", ["--from", `${out}/report.html`, "--out", `${out}/again`]);
    assert.deepEqual([again.error, again.code], ["", 0]);
    assert.equal(again.out.trim(), `${out}/again/report.html`);
    const page = await Deno.readTextFile(`${out}/report.html`);
    assert.equal(await Deno.readTextFile(again.out.trim()), page);
    assert.match(page, /all 9 samples/);
    assert.match(page, />&lt;hi&gt;</);
    const drawn = await Array.fromAsync(Deno.readDir(`${out}/again/charts`));
    assert.equal(drawn.length, 16);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("report of more samples than a page holds carries every n-th and draws from all", async () => {
  const folder = await makeRun(3_700);
  try {
    assert.equal((await run("report", [folder])).code, 0);
    const page = await Deno.readTextFile(`${folder}/report.html`);
    assert.match(page, /1,851 of 3,701 samples/);
    const again = await run("report", [
      "--from",
      `${folder}/report.html`,
      "--out",
      `${folder}/again`,
    ]);
    assert.equal(again.code, 0);
    assert.ok(await Deno.readTextFile(`${folder}/again/report.html`) === page);
    assert.ok(page.length < 8e6, `${page.length} bytes`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("report refuses what it cannot draw with one line and exit code 2", async () => {
  const cases = [
    [[], /takes either RUN or --from/],
    [["--from", "README.md"], /carries no run/],
    [["--from", "missing.html"], /Cannot read "missing\.html"/],
    [["a", "--from", "b.html"], /takes either RUN or --from/],
    [["a", "--out", "b"], /--out belongs to --from/],
  ] as const;
  for (const [args, message] of cases) {
    const { code, error } = await run("report", args);
    assert.equal(code, 2, args.join(" "));
    assert.match(error, message);
    assert.equal(error.trim().split("\n").length, 1);
  }
});

Deno.test("compare takes folders and reports, several a side, and gives figures as JSON", async () => {
  const [one, other] = [await makeRun(), await makeRun()];
  try {
    assert.equal((await run("report", [other])).code, 0);
    const page = `${other}/report.html`;
    const text = await run("compare", [one, page]);
    assert.deepEqual([text.error, text.code], ["", 0]);
    assert.match(text.out, /publish\.p99 .* 1\.00/);
    const json = await run("compare", [
      "--json",
      "--before",
      one,
      one,
      "--after",
      page,
      page,
      page,
    ]);
    assert.deepEqual(JSON.parse(json.out).runs, { before: 2, after: 3 });
  } finally {
    for (const path of [one, other]) await Deno.remove(path, { recursive: true });
  }
});

Deno.test("compare says by its exit code that something is worse, or that nothing is known", async () => {
  const [one, other] = [await makeRun(), await makeRun()];
  const change = async (path: string, change: Record<string, unknown>) => {
    const result = JSON.parse(await Deno.readTextFile(`${path}/verdict.json`));
    await Deno.writeTextFile(`${path}/verdict.json`, JSON.stringify({ ...result, ...change }));
  };
  const five = (flag: string, path: string) => [flag, ...Array.from({ length: 5 }, () => path)];
  try {
    await change(other, { rateMessagesPerSec: 20_000 });
    const worse = await run("compare", [...five("--before", one), ...five("--after", other)]);
    assert.equal(worse.code, 1);
    assert.match(worse.out, /rate .* worse$/m);
    const better = await run("compare", [...five("--before", other), ...five("--after", one)]);
    assert.equal(better.code, 0);
    await change(other, { verdict: "VOID" });
    assert.equal((await run("compare", [one, other])).code, 3);
    await change(other, { verdict: "PERHAPS" });
    const damaged = await run("compare", [one, other]);
    assert.equal(damaged.code, 2);
    assert.match(damaged.error, /Cannot read run .* verdict/);
    assert.equal((await run("compare", [one])).code, 2);
  } finally {
    for (const path of [one, other]) await Deno.remove(path, { recursive: true });
  }
});
