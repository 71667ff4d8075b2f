import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { METRIC, timelineOf } from "../../lib/metrics/mod.ts";
import { type ChartData, packedIn, reportHtml, type RunReport } from "../../lib/report/mod.ts";
import { type Result, resultSchema } from "../../lib/verdict/mod.ts";
import { fixtureReport } from "./_fixture.ts";
import { assertAbsent } from "./_snapshot.ts";

const SHORT = fixtureReport({ durationSec: 20, killAtSec: 10 });

function pageOf(change: Partial<Result>, report: RunReport = SHORT): string {
  return reportHtml({ ...report, result: { ...report.result, ...change } });
}

/** The text of a page as a reader sees it, drawings left out. */
function textOf(page: string): string {
  return page.replaceAll(/<(style|svg|script)[\s\S]*?<\/\1>/g, " ").replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");
}

/** The part from one heading to the next. */
function sectionOf(page: string, heading: string): string {
  const text = page.split(/<h2[^>]*>/).find((part) => part.startsWith(heading));
  assert.ok(text !== undefined, `no section ${heading}`);
  return textOf(text);
}

/** The same report with every string of the result, deeply, and of the picture, made hostile. */
function poisoned(text: string): RunReport {
  const poison = (value: unknown): unknown => {
    if (typeof value === "string") return text;
    if (Array.isArray(value)) return value.map(poison);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, poison(inner)]));
  };
  const { result } = fixtureReport({ durationSec: 20, killAtSec: 10 }, {
    plants: ["x"],
    findings: [FINDING],
    findingCount: 1,
  });
  return {
    ...SHORT,
    name: text,
    result: {
      ...(poison(result) as Result),
      verdict: "FAIL",
      findings: [{ ...FINDING, text, source: text }],
      configuration: { [text]: { [text]: text } },
      environment: { [text]: [text] },
    },
    picture: {
      ...SHORT.picture,
      marks: [{ atSec: 1, label: text, kind: "note" }],
      distributions: SHORT.picture.distributions.map((one) => ({ ...one, name: text })),
      timeline: {
        ...SHORT.picture.timeline,
        roles: { [text]: SHORT.picture.timeline.roles["produce"]! },
      },
    },
  };
}

const FINDING: Result["findings"][number] = {
  kind: "lost",
  text: "sensor-0007 sequence 12 is in no window",
  messageCount: 1,
  source: "sensor-0007",
  sequences: [12],
  partition: 2,
  windowStartMs: 0,
  column: null,
  expected: null,
  found: null,
};

Deno.test("fixtureReport() is a result as the schema says", () => {
  assert.equal(resultSchema.safeParse(SHORT.result).error, undefined);
});

Deno.test("reportHtml() begins with the verdict, why, and the figure beside the systems it was measured on", () => {
  const text = textOf(reportHtml(SHORT));
  const places = [
    "PASS",
    "49,987 messages/s on embedded broker 0.1.0 and embedded ClickHouse 26.7.3 (chDB)",
    "0 lost, 0 duplicated",
    "publish p99",
  ]
    .map((part) => text.indexOf(part, 40));
  assert.ok(
    places.every((place, i) => place > 0 && (i === 0 || place > places[i - 1]!)),
    places.join(" "),
  );
  assertAbsent(text, /Pulsar/);
});

Deno.test("reportHtml() has every part that a reader looks for", () => {
  const page = reportHtml(SHORT);
  for (
    const heading of [
      "Charts",
      "Latency",
      "Integrity",
      "Restarts",
      "Inserts and checkpoints",
      "CPU and memory",
      "Thresholds",
      "Configuration",
      "Environment",
    ]
  ) sectionOf(page, heading);
  assert.match(sectionOf(page, "Environment"), /AMD EPYC 7B13.*1afdbf6c2d3e\+.*seed/);
  assert.match(sectionOf(page, "Configuration"), /window\.outOfOrdernessMs 5000/);
  assert.match(sectionOf(page, "Restarts"), /broker 10 s 1.12 s 2.64 s killed by SIGKILL/);
  assert.match(sectionOf(page, "CPU and memory"), /9,390 ns of CPU per message/);
});

/** Scripts of a page that a browser would run: all but data. */
function programsOf(page: string): string[] {
  return [...page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)]
    .filter(([, attributes]) => !attributes!.includes("type="))
    .map(([, , text]) => text!);
}

Deno.test("reportHtml() needs nothing beside itself and runs nothing but the one script that its policy names", () => {
  const page = reportHtml(SHORT);
  assertAbsent(page, /<script[^>]* src|<link|<img|<iframe|@import|url\(http|<[^>]*\son\w+=/i);
  const addresses = [...page.matchAll(/<[^>]*\s(?:href|src)="([^"]*)"/g)].map(([, to]) => to!);
  assert.ok(addresses.every((address) => address.startsWith("#")), addresses.join(" "));
  assert.match(page, /default-src 'none'/);
  const [program, ...more] = programsOf(page);
  assert.equal(more.length, 0);
  const hash = createHash("sha256").update(program!).digest("base64");
  assert.ok(page.includes(`script-src 'sha256-${hash}'`));
});

Deno.test("reportHtml() keeps its script below 20 kB, without comments", () => {
  const [program] = programsOf(reportHtml(SHORT));
  assert.ok(program!.length < 20_000, `${program!.length} bytes`);
  assertAbsent(program!, /^\s*\/\//m);
});

Deno.test("reportHtml() lets no text of a run become markup", () => {
  // The first characters decide where it lands in an attribute or a text, so each order is tried.
  for (
    const text of [
      `"><svg onload=alert(1)><b>`,
      `' onfocus='x--></title></style><script>alert(1)</script>`,
    ]
  ) {
    const report = poisoned(text);
    const page = reportHtml({ ...report, archive: { data: report, text } });
    // A quote ends nothing inside an element that holds data.
    const markup = page.replaceAll(/<script type="application[^<]*<\/script>/g, "");
    assertAbsent(
      markup,
      /<svg onload|<b>|<\/style><script|-->|onfocus='x|alert\(1\)<\/script/i,
      text,
    );
    assert.equal(page.match(/<script/g)!.length, 3);
    assert.deepEqual((packedIn(page) as RunReport).name, text);
  }
});

Deno.test("reportHtml() hands the figures of its charts to its script", () => {
  const page = reportHtml(SHORT);
  const [, json] = page.match(/<script type="application\/json" id="weir-charts">([^<]*)</)!;
  const charts = JSON.parse(json!) as (ChartData & { readonly id: string })[];
  const cpu = charts.find(({ id }) => id === "cpu")!;
  assert.deepEqual(cpu.lines.map(({ name, panel }) => `${name} ${panel}`), [
    "produce 0",
    "broker 1",
    "aggregate 2",
    "clickhouse 3",
    "runner 4",
  ]);
  const { ackedPerSec } = SHORT.picture.timeline;
  const acked = charts[0]!.lines.find(({ name }) => name === "acknowledged")!;
  assert.deepEqual(
    acked.points.filter((_, i) => i % 2 === 0),
    ackedPerSec.map(([atSec]) => atSec),
  );
  assert.deepEqual(
    acked.points.filter((_, i) => i % 2 === 1).map((value) => value && Math.round(value)),
    ackedPerSec.map(([, value]) => value && Math.round(value)),
  );
});

Deno.test("reportHtml() names the parts of each drawing that its script moves", () => {
  const page = reportHtml(SHORT);
  const [figure = ""] = page.split(/(?=<figure)/).filter((part) =>
    part.includes('data-chart="latency"')
  );
  for (const part of ["s0", "s1", "s2", "s3", "x0", "m"]) {
    assert.match(figure, new RegExp(`data-part="${part}"`), part);
  }
  assertAbsent(page, /\(--weir-[a-z]+\|/);
});

Deno.test("reportHtml() lists what happened in full, where a chart cuts it", () => {
  const label = "raised the batch size from 1000 to 5000 messages, as the second exercise says";
  const page = reportHtml({
    ...SHORT,
    picture: { ...SHORT.picture, marks: [{ atSec: 3, label, kind: "note" }] },
  });
  assert.match(sectionOf(page, "What happened"), new RegExp(`3 s ${label} note –`));
  assert.match(page, />raised the batch size from 1000 to…</);
});

Deno.test("reportHtml() says loudly that protections were off and that the loop was closed", () => {
  const text = textOf(pageOf({ unsafe: ["no-token"], loop: "closed" }));
  const figures = text.indexOf("publish p99");
  for (const said of ["made with a protection switched off", "no-token", "Closed loop"]) {
    assert.ok(text.indexOf(said) > 0 && text.indexOf(said) < figures, said);
  }
  assertAbsent(textOf(pageOf({})), /switched off|Closed loop|warm-up/);
  assert.match(
    sectionOf(pageOf({ warmUpSec: 5 }), "Latency"),
    /first 5 s/,
  );
});

Deno.test("reportHtml() shows VOID in place of the figures it cannot stand behind", () => {
  const page = pageOf({ verdict: "VOID", reasons: ["The generator was late for want of CPU"] });
  const text = textOf(page);
  assert.match(
    text,
    /VOID No headline figure: measured on embedded broker.*The generator was late/,
  );
  assertAbsent(text, /49,987 messages\/s on/);
  const tiles = textOf(page.match(/<ul class="tiles"[\s\S]*?<\/ul>/)![0]);
  assert.equal(tiles.match(/VOID/g)?.length, 5);
  assertAbsent(tiles, /49,987|MiB|ms/);
});

Deno.test("reportHtml() marks planted faults loudly, before any figure", () => {
  const page = pageOf({ plants: ["drop:sensor-0007:12"] });
  const text = textOf(page);
  assert.ok(text.indexOf("This run carries planted faults") < text.indexOf("publish p99"));
  assert.match(text, /drop:sensor-0007:12/);
  assertAbsent(textOf(reportHtml(SHORT)), /planted faults/);
});

Deno.test("reportHtml() names findings and says how many are not shown", () => {
  const integrity = sectionOf(
    pageOf({ verdict: "FAIL", findings: [FINDING], findingCount: 31 }),
    "Integrity",
  );
  assert.match(integrity, /lost 1 sensor-0007 sequence 12 is in no window/);
  assert.match(integrity, /first 1 of 31/);
});

Deno.test("reportHtml() says not measured for systems that weir did not start, never 0", () => {
  const roles = { produce: 1, broker: null, aggregate: 1, clickhouse: null, runner: 1 };
  const resources = sectionOf(pageOf({ cpuSeconds: roles, rssBytesMax: roles }), "CPU and memory");
  assert.match(resources, /broker not measured not measured not measured/);
});

Deno.test("reportHtml() shows a missed threshold as missed", () => {
  const thresholds = sectionOf(
    pageOf({
      thresholds: [{
        text: "windowVisible.p99<1s",
        met: false,
        actual: "1.8 s",
        actualValue: 1.8e6,
        byDefault: false,
      }],
    }),
    "Thresholds",
  );
  assert.match(thresholds, /windowVisible.p99&lt;1s 1.8 s missed/);
});

Deno.test("reportHtml() of a run that measured nothing says no data in every chart", () => {
  const none = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, count: 0 };
  const page = reportHtml({
    ...SHORT,
    picture: { timeline: timelineOf([]), marks: [], distributions: [] },
    result: {
      ...SHORT.result,
      verdict: "VOID",
      rateMessagesPerSec: null,
      durationSec: 0,
      latencyUs: { publish: none, delivery: none, windowVisible: none, windowEndToVisible: none },
      cpuNsPerMessage: null,
      configuration: {},
      environment: {},
    },
  });
  const charts = page.match(/<svg /g)!.length;
  assert.equal(page.match(/>no data: /g)!.length, charts);
  assertAbsent(textOf(page), /NaN|Infinity|undefined|\[object/);
});

Deno.test("reportHtml() draws a run of one sample", () => {
  assertAbsent(reportHtml(fixtureReport({ durationSec: 0 })), /NaN|Infinity/);
});

Deno.test("reportHtml() of ten thousand samples stays below 1 MB", () => {
  const samples = Array.from({ length: 10_000 }, (_, i) => ({
    atMs: i * 1000,
    roles: {
      produce: {
        values: {
          [METRIC.messagesAcknowledged]: 50_000 * i + (i * 7919) % 500,
          [METRIC.processCpu]: i / 4,
        },
        buckets: {},
      },
    },
  }));
  const page = reportHtml({
    ...SHORT,
    picture: { ...SHORT.picture, timeline: timelineOf(samples) },
  });
  assert.ok(page.length < 1e6, `${page.length} bytes`);
  assert.match(page, />150 min</);
});

Deno.test("reportHtml() has unique ids, headed tables and named drawings", () => {
  const page = reportHtml(SHORT);
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, labels] of page.matchAll(/aria-labelledby="([^"]*)"/g)) {
    for (const id of labels!.split(" ")) assert.ok(ids.includes(id), id);
  }
  const tables = page.match(/<table>[\s\S]*?<\/table>/g)!;
  for (const table of tables) assert.match(table, /<caption[\s\S]*<th scope="row">/);
  assert.equal(page.match(/<h1/g)!.length, 1);
  assert.equal(
    page.match(/<svg /g)!.length,
    page.match(/<svg [^>]*role="img" aria-labelledby/g)!.length,
  );
});
