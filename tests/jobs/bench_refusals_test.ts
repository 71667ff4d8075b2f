import assert from "node:assert/strict";
import { runJob, scratch, startJob } from "./_bench.ts";

const SMALL = ["--rate=100", "--duration=1s"];

/** Flags, and the one line that they get. */
const REFUSED: [string[], RegExp][] = [
  [["--frob=1"], /unknown flag --frob; see --help/],
  [["--rate=abc"], /--rate "abc": expected a whole number/],
  [["--rate=0"], /--rate "0": expected at least 1/],
  [["--duration=500ms"], /--duration "500ms": expected at least 1s/],
  [["--seed=99999999999999999999"], /--seed ".*": expected at most 4294967295/],
  [["--window=1500.5ms"], /--window "1500.5ms": expected whole milliseconds/],
  [["--topic=a//b"], /--topic "a\/\/b": not a topic name; give a name such as orders/],
  [["--threshold=foo<1"], /--threshold "foo<1": "foo" is not measured, expected rate, publish/],
  [["--pulsar=kafka://h:1"], /--pulsar ".*": unknown URL scheme; expected pulsar:\/\/host:port/],
  [["--pulsar=pulsar://u:geheim@h:1"], /--pulsar "pulsar:\/\/\*\*\*@h:1": a URL holds no password/],
  [["--plant=drop:a:1", "--plant=drop:b:1"], /one fault a run can be planted; give --plant once/],
  [["--duration=10000h"], /free, about .* needed; free some space/],
];

/** Refused once somebody was asked. */
const UNREACHABLE: [string[], RegExp][] = [
  [["--pulsar=pulsar://127.0.0.1:1"], /Cannot connect to pulsar:.*: Connection refused.*; start a/],
  [["--clickhouse=http://127.0.0.1:1"], /Cannot use ClickHouse at .*ECONNREFUSED.*; check that Cl/],
  [
    ["--pulsar=pulsar+ssl://127.0.0.1:1", "--pulsar-tls-ca=/nothing"],
    /Cannot read the authorities to trust from "\/nothing": .*; give a PEM file/,
  ],
  [
    ["--client=native", "--fault=cut produce at 500ms"],
    /Cannot do "cut produce .*connections of npm:pulsar-client cannot be cut; cut the broker's/,
  ],
];

async function assertRefused(flags: readonly string[], expected: RegExp): Promise<void> {
  await using folder = await scratch();
  const end = await runJob("bench", [...SMALL, `--out=${folder.path}/run`, ...flags]);
  assert.deepEqual([end.code, end.stdout], [2, ""], end.stderr);
  const lines = end.stderr.split("\n").filter((line) => !line.startsWith("starting"));
  assert.equal(lines.length, 1, end.stderr);
  assert.match(lines[0]!, expected);
  assert.deepEqual([...Deno.readDirSync(folder.path)], [], "nothing is written");
}

Deno.test("bench50k refuses bad input with one line, exit code 2 and no folder", async () => {
  for (const [flags, expected] of [...REFUSED, ...UNREACHABLE]) {
    await assertRefused(flags, expected);
  }
});

Deno.test("bench50k refuses a folder that it may not write or that exists", async () => {
  await using folder = await scratch();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const cases: [string, RegExp][] = [
    [folder.path, /folder ".*" exists; give another --out or --run-id/],
    [`${folder.path}/file/run`, /Cannot write to ".*\/file\/run": .*; give --out a folder that/],
    ["/proc/weir/run", /Cannot write to "\/proc\/weir\/run": .*; give --out a folder that/],
  ];
  for (const [out, expected] of cases) {
    const end = await runJob("bench", [...SMALL, `--out=${out}`]);
    assert.equal(end.code, 2);
    assert.match(end.stderr, expected);
  }
});

Deno.test("bench50k is refused by a broker for its token, its admin URL or a schema, in one line", async () => {
  await using folder = await scratch();
  const [token, other] = [`${folder.path}/token`, `${folder.path}/other`];
  await Deno.writeTextFile(token, "the-right-token");
  await Deno.writeTextFile(other, "the-wrong-token");
  const data = `--data=${folder.path}/broker`;
  const ports = ["--port=0", "--admin-port=0"];
  await using broker = startJob("broker", [...ports, data, `--token-file=${token}`]);
  const { url, adminUrl } = await broker.ready as { url: string; adminUrl: string };
  const at = [`--pulsar=${url}`, `--pulsar-admin=${adminUrl}`];
  await assertRefused(at, /the broker says .*; check the token/);
  await assertRefused([...at, `--pulsar-token-file=${other}`], /the broker says .*; check the tok/);
  const mine = [...at, `--pulsar-token-file=${token}`];
  await assertRefused(
    [...mine, "--pulsar-admin=http://127.0.0.1:9"],
    /http:\/\/127\.0\.0\.1:9 cannot be reached \(.*\); check the admin URL/,
  );
  await assertRefused(
    [...mine, `--pulsar=${adminUrl.replace("http", "pulsar")}`],
    /an HTTP server answers; give the broker.s binary port/,
  );
  const headers = {
    "authorization": "Bearer the-right-token",
    "content-type": "application/json",
  };
  const fields = [{ name: "a", type: "string" }];
  const schema = JSON.stringify({ type: "record", name: "Other", fields });
  const body = JSON.stringify({ type: "AVRO", schema, properties: {} });
  const path = "/admin/v2/schemas/public/default/theirs/schema";
  const answer = await fetch(adminUrl + path, { method: "POST", headers, body });
  assert.ok(answer.ok, await answer.text());
  await assertRefused([...mine, "--topic=theirs"], /schema compatibility.*; use another topic, or/);
});

Deno.test("verify refuses what is no run, in one line", async () => {
  await using folder = await scratch();
  const manifest = `${folder.path}/manifest.json`;
  const cases: [string | undefined, RegExp][] = [
    [undefined, /Cannot open run ".*": no manifest\.json there; name a folder under runs/],
    ['{"a":1', /Cannot read run ".*": manifest\.json is no JSON/],
    ['{"a":1}', /Cannot read run ".*": manifest\.json is not the manifest of a run/],
  ];
  for (const [text, expected] of cases) {
    if (text !== undefined) await Deno.writeTextFile(manifest, text);
    const end = await runJob("verify", [folder.path]);
    assert.deepEqual([end.code, end.stderr.split("\n").length], [2, 1], end.stderr);
    assert.match(end.stderr, expected);
  }
  assert.match((await runJob("verify", [])).stderr, /lacks RUN; see --help/);
});

Deno.test("run refuses what is no scenario, a line each that names the file", async () => {
  await using folder = await scratch();
  const file = `${folder.path}/x.ts`;
  const missing = await runJob("run", [`${folder.path}/nope.ts`]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /^run: Cannot read scenario .*nope\.ts"; give a TypeScript file$/);
  await Deno.writeTextFile(file, "export const scenario = { rate: 5 };");
  const nameless = await runJob("run", [file]);
  assert.equal(nameless.code, 2);
  assert.match(
    nameless.stderr,
    /^run: Cannot read ".*x\.ts": `name` is missing; scenarios\/spike\.ts is one that runs$/,
  );
});

Deno.test("every job explains itself with --help", async () => {
  for (const job of ["bench", "produce", "aggregate", "broker", "clickhouse", "verify", "report"]) {
    const { code, stdout, stderr } = await runJob(job, ["--help"]);
    assert.deepEqual([code, stderr], [0, ""], job);
    assert.match(stdout, /\nUsage: deno task \w+.* \[flags\]\n/);
    assert.ok(stdout.split("\n").every((line) => line.length <= 110), job);
  }
});
