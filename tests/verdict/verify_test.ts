import assert from "node:assert/strict";
import fc from "fast-check";
import type { FoundRow } from "../../lib/verdict/found_rows.ts";
import type { Finding } from "../../lib/verdict/result.ts";
import { type Verification, verify } from "../../lib/verdict/verify.ts";
import {
  type Contribution,
  rowsOf,
  type Scene,
  scene,
  type SceneOptions,
  sizeOf,
  verifyOptions,
} from "./_scene.ts";

const SEED = 20_260_903;
const RUNS = { seed: SEED, numRuns: 60 };

const scenes: fc.Arbitrary<SceneOptions> = fc.record({
  seed: fc.nat(),
  messageCount: fc.integer({ min: 20, max: 1_200 }),
  sourceCount: fc.integer({ min: 1, max: 6 }),
  partitionCount: fc.integer({ min: 1, max: 3 }),
  lateShare: fc.constantFrom(0, 0.05),
  duplicateShare: fc.constantFrom(0, 0.1),
  allowedLatenessMs: fc.constantFrom(0, 500),
});

/** Any scene with one of its messages that went into a row, and a number to draw more with. */
const faults = fc.tuple(scenes, fc.nat(), fc.nat()).map(([options, pick, draw]) => {
  const made = scene(options);
  const good = made.contributions();
  const inRows = good.filter(({ table }) => table === "rows");
  return { scene: made, good, victim: inRows[pick % inRows.length]!, draw };
});

function assertClean(found: Verification): void {
  assert.deepEqual(found.findings, []);
  assert.equal(found.findingCount, 0);
  assert.equal(found.balanced, true);
  assert.equal(found.unplannedLateCount, 0);
  const { missing, extra, wrong, expected } = found.rows;
  assert.deepEqual({ missing, extra, wrong }, { missing: 0, extra: 0, wrong: 0 });
  assert.equal(found.rows.found, expected);
  const { lost, duplicated } = found.messages;
  assert.deepEqual({ lost, duplicated }, { lost: 0, duplicated: 0 });
}

function names({ source, sequences }: Finding, victim: Contribution): boolean {
  return source === victim.sourceName && sequences.includes(victim.message.sequence);
}

function theOnly(found: Verification): Finding {
  assert.equal(found.findingCount, 1, JSON.stringify(found.findings));
  return found.findings[0]!;
}

Deno.test("verify() finds nothing where nothing is wrong", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (options) => {
      const made = scene(options);
      const found = await verify(verifyOptions(made, made.contributions()));
      assertClean(found);
      const { acked, sent, aggregated, late, plantedDuplicates } = found.messages;
      assert.equal(acked, made.messages.length);
      assert.equal(sent, acked);
      assert.equal(aggregated + late + plantedDuplicates, acked);
    }),
    RUNS,
  );
});

Deno.test("verify() finds nothing whatever the order of the rows", async () => {
  const made = scene({ seed: 5, messageCount: 900, lateShare: 0.05 });
  const reversed = (rows: FoundRow[]) => rows.reverse();
  assertClean(await verify(verifyOptions(made, made.contributions(), reversed)));
});

Deno.test("verify() names a message that was dropped", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, victim }) => {
      const found = await verify(verifyOptions(scene, good.filter((one) => one !== victim)));
      const finding = theOnly(found);
      assert.ok(["lost", "missing_row"].includes(finding.kind), finding.text);
      assert.ok(names(finding, victim), finding.text);
      assert.equal(found.messages.lost, 1);
      assert.equal(found.messages.duplicated, 0);
      assert.equal(found.balanced, false);
    }),
    RUNS,
  );
});

Deno.test("verify() names a message that was doubled", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, victim }) => {
      const found = await verify(verifyOptions(scene, [...good, victim]));
      const finding = theOnly(found);
      assert.equal(finding.kind, "doubled");
      assert.ok(names(finding, victim), finding.text);
      assert.equal(found.messages.duplicated, 1);
      assert.equal(found.messages.lost, 0);
      assert.equal(found.rows.wrong, 1);
    }),
    RUNS,
  );
});

Deno.test("verify() names a loss that a duplicate hides in the counts", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, victim, draw }) => {
      const others = good.filter((one) =>
        one !== victim && one.table === "rows" && one.sourceName === victim.sourceName &&
        one.windowStartMs === victim.windowStartMs && one.partition === victim.partition
      );
      fc.pre(others.length > 0);
      const other = others[draw % others.length]!;
      const bad = [...good.filter((one) => one !== victim), other];
      const found = await verify(verifyOptions(scene, bad));
      assert.equal(found.messages.aggregated, good.filter((one) => one.table === "rows").length);
      assert.ok(found.findings.some((one) => one.kind === "lost" && names(one, victim)));
      assert.ok(found.findings.some((one) => one.kind === "doubled" && names(one, other)));
      assert.equal(found.findingCount, 2);
      assert.deepEqual([found.messages.lost, found.messages.duplicated], [1, 1]);
    }),
    RUNS,
  );
});

Deno.test("verify() names a message that went into another window", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, victim, draw }) => {
      const windowStartMs = victim.windowStartMs + 1_000 * (draw % 2 === 0 ? 1 : -1);
      const moved = { ...victim, windowStartMs };
      const bad = good.map((one) => one === victim ? moved : one);
      const found = await verify(verifyOptions(scene, bad));
      const finding = theOnly(found);
      assert.equal(finding.kind, "moved", finding.text);
      assert.ok(names(finding, victim), finding.text);
      assert.deepEqual([found.messages.lost, found.messages.duplicated], [0, 0]);
      assert.equal(found.balanced, true);
    }),
    RUNS,
  );
});

Deno.test("verify() names a message that went to another source", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, victim, draw }) => {
      const others = scene.plan.sourceNames.filter((name) => name !== victim.sourceName);
      fc.pre(others.length > 0);
      const moved = { ...victim, sourceName: others[draw % others.length]! };
      const found = await verify(
        verifyOptions(scene, good.map((one) => one === victim ? moved : one)),
      );
      const finding = theOnly(found);
      assert.equal(finding.kind, "moved", finding.text);
      assert.ok(names(finding, victim), finding.text);
      assert.ok(finding.found?.includes(moved.sourceName), finding.text);
    }),
    RUNS,
  );
});

Deno.test("verify() names the row and the column that was changed", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, draw }) => {
      const rows = rowsOf(scene, good);
      const row = draw % rows.length;
      const keys = ["event_source_id", "partition", "window_start"];
      const columns = Object.keys(rows[row]!).filter((name) =>
        !keys.includes(name) && rows[row]![name] !== null
      );
      const column = columns[draw % columns.length]!;
      const changed = rows.map((one, i) =>
        i === row ? { ...one, [column]: altered(one, column) } : one
      );
      const options = { ...verifyOptions(scene, good), foundRows: () => changed };
      const found = await verify(options);
      const finding = theOnly(found);
      assert.equal(finding.kind, "changed", finding.text);
      assert.equal(finding.column, column);
      assert.equal(finding.source, rows[row]!["event_source_id"]);
      assert.equal(finding.partition, rows[row]!["partition"]);
      assert.equal(found.rows.wrong, 1);
      assert.deepEqual([found.messages.lost, found.messages.duplicated], [0, 0]);
    }),
    { ...RUNS, numRuns: 150 },
  );
});

function altered(row: FoundRow, column: string): unknown {
  const value = row[column];
  if (column.endsWith("_time") || column === "window_end") return "2001-01-01 00:00:00.000";
  if (column === "identity_sum") return String(BigInt.asUintN(64, BigInt(String(value)) + 12_345n));
  return typeof value === "number" ? value + 1e-3 : String(Number(value) + 1);
}

Deno.test("verify() finds a change of one average by a millionth of its measure", async () => {
  const made = scene({ seed: 9, messageCount: 300 });
  const found = await verify(verifyOptions(made, made.contributions(), ([first, ...rest]) => [
    { ...first, temperature_avg: Number(first!["temperature_avg"]) + 2e-5 },
    ...rest,
  ]));
  assert.equal(theOnly(found).column, "temperature_avg");
});

Deno.test("verify() finds a row that is missing", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, draw }) => {
      const rows = rowsOf(scene, good);
      const [gone] = rows.splice(draw % rows.length, 1);
      const found = await verify({ ...verifyOptions(scene, good), foundRows: () => rows });
      const finding = theOnly(found);
      assert.equal(finding.kind, "missing_row");
      assert.equal(finding.source, gone!["event_source_id"]);
      assert.equal(found.rows.missing, 1);
      assert.equal(found.messages.lost, Number(gone!["message_count"]));
    }),
    RUNS,
  );
});

Deno.test("verify() finds a row that is there twice", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, draw }) => {
      const rows = rowsOf(scene, good);
      const twice = rows[draw % rows.length]!;
      const found = await verify({
        ...verifyOptions(scene, good),
        foundRows: () => [...rows, twice],
      });
      const finding = theOnly(found);
      assert.equal(finding.kind, "doubled_row");
      assert.equal(found.rows.extra, 1);
      assert.equal(found.messages.duplicated, Number(twice["message_count"]));
    }),
    RUNS,
  );
});

Deno.test("verify() says that a whole row went into another window", async () => {
  const made = scene({ seed: 4, messageCount: 400 });
  const found = await verify(verifyOptions(made, made.contributions(), ([first, ...rest]) => [
    { ...first, window_start: "2001-01-01 00:00:00.000" },
    ...rest,
  ]));
  assert.equal(theOnly(found).kind, "moved");
  assert.deepEqual([found.rows.missing, found.rows.extra], [1, 1]);
  assert.deepEqual([found.messages.lost, found.messages.duplicated], [0, 0]);
});

Deno.test("verify() names a late message that was lost while another one hides it in the counts", async () => {
  const made = scene({
    seed: 3,
    messageCount: 1_200,
    lateShare: 0.2,
    sourceCount: 1,
    partitionCount: 1,
  });
  const good = made.contributions();
  const late = good.filter(({ table }) => table === "late");
  const victim = late.find((one, i) =>
    late.some((other, j) => j > i && other.windowStartMs === one.windowStartMs)
  )!;
  const other = late.find((one) => one !== victim && one.windowStartMs === victim.windowStartMs)!;
  const found = await verify(
    verifyOptions(made, [...good.filter((one) => one !== victim), other]),
  );
  assert.equal(found.messages.late, late.length);
  assert.ok(found.findings.some((one) => one.kind === "lost" && names(one, victim)));
  assert.ok(found.findings.some((one) => one.kind === "doubled" && names(one, other)));
  assert.deepEqual([found.messages.lost, found.messages.duplicated], [1, 1]);
});

Deno.test("verify() takes what is missing where the end was not reached for undrained, and nothing that is too much", async () => {
  const made = scene({ seed: 3, messageCount: 1_200, lateShare: 0.1, partitionCount: 2 });
  const good = made.contributions();
  const undrained = new Set([1]);
  const known = good.filter(({ partition }) => partition === 0);
  const missing = await verify({ ...verifyOptions(made, known), undrained });
  assert.equal(missing.findingCount, 0);
  assert.equal(missing.messages.undrained, good.length - known.length);
  assert.equal(missing.messages.lost, 0);
  for (const table of ["rows", "late"]) {
    const twice = good.find((one) => one.partition === 1 && one.table === table)!;
    const tooMuch = await verify({ ...verifyOptions(made, [...good, twice]), undrained });
    assert.equal(tooMuch.messages.duplicated, 1, table);
  }
  const elsewhere = good.filter(({ partition }) => partition === 1);
  const lost = await verify({ ...verifyOptions(made, elsewhere), undrained });
  assert.equal(lost.messages.lost, known.length);
});

Deno.test("verify() finds a row of a source that nobody planned", async () => {
  const made = scene({ seed: 4, messageCount: 400 });
  const stranger = { ...rowsOf(made, made.contributions())[0], event_source_id: "stranger" };
  const found = await verify(
    verifyOptions(made, made.contributions(), (rows) => [...rows, stranger]),
  );
  assert.equal(theOnly(found).kind, "extra_row");
  assert.equal(theOnly(found).source, "stranger");
  assert.equal(found.rows.extra, 1);
});

Deno.test("verify() names messages that were lost one after the other, and any two", async () => {
  const made = scene({ seed: 8, messageCount: 900, sourceCount: 1, partitionCount: 1 });
  const good = made.contributions();
  const inWindow = good.filter(({ windowStartMs }) => windowStartMs === good[300]!.windowStartMs);
  for (const gone of [inWindow.slice(10, 25), [inWindow[3]!, inWindow[40]!]]) {
    const found = await verify(verifyOptions(made, good.filter((one) => !gone.includes(one))));
    const finding = theOnly(found);
    assert.equal(finding.kind, "lost");
    assert.equal(finding.messageCount, gone.length);
    assert.deepEqual(finding.sequences, gone.slice(0, 10).map(({ message }) => message.sequence));
    assert.equal(found.messages.lost, gone.length);
  }
});

Deno.test("verify() counts what it cannot name", async () => {
  const made = scene({ seed: 8, messageCount: 900, sourceCount: 1, partitionCount: 1 });
  const good = made.contributions();
  const gone = [320, 323, 329].map((i) => good[i]);
  const found = await verify(verifyOptions(made, good.filter((one) => !gone.includes(one))));
  assert.equal(found.messages.lost, 3);
  assert.equal(theOnly(found).kind, "lost");
  assert.deepEqual(theOnly(found).sequences, []);
});

Deno.test("verify() names a late message that was not reported, and one reported twice", async () => {
  const made = scene({ seed: 3, messageCount: 1_200, lateShare: 0.05 });
  const good = made.contributions();
  const late = good.filter(({ table }) => table === "late");
  assert.ok(late.length > 5);
  const lost = await verify(verifyOptions(made, good.filter((one) => one !== late[2])));
  assert.equal(theOnly(lost).kind, "lost");
  assert.ok(names(theOnly(lost), late[2]!));
  const doubled = await verify(verifyOptions(made, [...good, late[3]!]));
  assert.equal(theOnly(doubled).kind, "doubled");
  assert.ok(names(theOnly(doubled), late[3]!));
});

Deno.test("verify() names a message that was dropped as late though it was not", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async ({ scene, good, victim }) => {
      const late = { ...victim, table: "late" as const };
      const found = await verify(
        verifyOptions(scene, good.map((one) => one === victim ? late : one)),
      );
      const finding = theOnly(found);
      assert.equal(finding.kind, "unplanned_late", finding.text);
      assert.ok(names(finding, victim));
      assert.equal(found.unplannedLateCount, 1);
      assert.equal(found.balanced, true);
    }),
    RUNS,
  );
});

Deno.test("verify() reports messages that are late by the rule though nobody planted them so", async () => {
  const made = scene({ seed: 3, messageCount: 1_200, lateShare: 0.05 });
  const honest = made.messages.map((message) => ({ ...message, plantedLate: false }));
  const plan = {
    ...made.plan,
    walk: (visit: (m: typeof honest[0]) => void) => honest.forEach(visit),
  };
  const good = made.contributions();
  const found = await verify({ ...verifyOptions(made, good), plan });
  const late = good.filter(({ table }) => table === "late").length;
  assert.equal(found.unplannedLateCount, late);
  assert.equal(found.findingCount, late);
  assert.ok(found.findings.every(({ kind }) => kind === "unplanned_late"));
});

/** A ledger with receipts up to `acked` and batches of 10 behind them, of which the log holds `present`. */
function openEnd(made: Scene, present: readonly number[]) {
  const acked = present.map((_, partition) => Math.floor(sizeOf(made, partition) * 0.8));
  const untils = present.map((count, partition) => acked[partition]! + 10 * count);
  const options = verifyOptions(
    made,
    made.contributions(({ partition, partitionIndex }) => partitionIndex < untils[partition]!),
  );
  const ledger = present.map((_, partition) => ({
    partition,
    acknowledged: [{ first: 0, until: acked[partition]! }],
    indeterminate: Array.from({ length: 4 }, (_, i) => ({
      first: acked[partition]! + 10 * i,
      until: acked[partition]! + 10 * (i + 1),
    })),
  }));
  return { ...options, ledger };
}

for (const present of [[0, 0], [1, 3], [4, 2]]) {
  Deno.test(`verify() settles batches without receipt, ${present} of 4 present`, async () => {
    const made = scene({ seed: 6, messageCount: 1_000, duplicateShare: 0.1, lateShare: 0.02 });
    const found = await verify(openEnd(made, present));
    assertClean(found);
    assert.equal(found.messages.indeterminate, 80);
    assert.equal(found.indeterminatePresentCount, 10 * (present[0]! + present[1]!));
  });
}

Deno.test("verify() names a loss beside batches without receipt", async () => {
  const made = scene({ seed: 6, messageCount: 1_000 });
  const options = openEnd(made, [2, 0]);
  const rows = [...options.foundRows() as FoundRow[]];
  const lost = made.contributions()[100]!;
  const faulty = verifyOptions(
    made,
    made.contributions((message) => message !== lost.message).filter(({ message }) =>
      message.partitionIndex < options.ledger[message.partition]!.acknowledged[0]!.until +
          (message.partition === 0 ? 20 : 0)
    ),
  );
  const found = await verify({ ...options, foundRows: faulty.foundRows });
  assert.equal(rows.length, found.rows.expected);
  assert.ok(names(theOnly(found), lost), theOnly(found).text);
});

Deno.test("verify() tells at most a hundred findings, and counts all", async () => {
  const made = scene({ seed: 2, messageCount: 1_200, sourceCount: 40 });
  const good = made.contributions();
  const spoiled = await verify(
    verifyOptions(made, good, (rows) => rows.map((row) => ({ ...row, anomaly_count: "9999" }))),
  );
  assert.equal(spoiled.findings.length, 100);
  assert.equal(spoiled.findingCount, spoiled.rows.found);
  assert.equal(spoiled.rows.wrong, spoiled.rows.found);
});
