import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { parseStages, Schedule } from "../../lib/load/mod.ts";
import type { Scenario } from "../../lib/scenarios/run_options.ts";
import { parseScenario, scenarioFlags, stagesText } from "../../lib/scenarios/scenario.ts";
import { scenario as everyPartDies } from "../../scenarios/every_part_dies.ts";
import { scenario as spike } from "../../scenarios/spike.ts";

const GOOD: Scenario = {
  name: "mine",
  stages: [
    { ramp: [0, 1000], for: "10s" },
    { spike: 3000, from: 1000, for: "8s" },
    { steps: [100, 200], each: "1s" },
    { pause: "2s" },
    { constant: 50, for: "3s" },
  ],
  faults: [
    { at: "1s", kill: "aggregate", when: "after-insert" },
    { at: "2s", freeze: "broker", for: "1.4s" },
    { at: "3s", cut: "produce" },
    { at: "4s", rate: 80 },
    "pause at 5s",
  ],
  thresholds: [
    "p99 of windowVisible below 1 s, after warm-up",
    { measure: "rate", is: "at least", bound: "99%" },
  ],
  warmUp: "2s",
  timeScale: 60,
  unsafe: ["no-token"],
  keep: true,
};

function faultsOf(value: unknown): string[] {
  try {
    parseScenario(value);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message.split("\n").slice(1);
  }
  return [];
}

Deno.test("parseScenario() lets a good scenario and the examples through", () => {
  for (const scenario of [GOOD, spike, everyPartDies, { name: "bench50k" }]) {
    assert.equal(parseScenario(scenario), scenario);
  }
});

Deno.test("parseScenario() says of a place without a value that it is missing", () => {
  assert.deepEqual(faultsOf({}), ["`name` is missing"]);
  assert.deepEqual(faultsOf({ name: "a", faults: [{ at: "1s", freeze: "broker" }] }), [
    "`faults.0.for` is missing",
  ]);
  assert.deepEqual(faultsOf({ name: 7 }), ["name: expected string, received number"]);
});

Deno.test("parseScenario() names every mistake at once, each with its place", () => {
  const faults = faultsOf({
    name: "a b",
    stages: [{ constant: -1, for: "x" }, { foo: 1 }, { ramp: [1], for: "1s" }],
    faults: [{ at: "1s", kill: "dog" }, { at: "1s", freeze: "broker" }, "nonsense", 7],
    thresholds: ["p99 of foo below 1 s"],
    partitions: 0,
    typo: true,
  });
  const places = faults.map((fault) => fault.replace(/^`(\S+)` is missing$/, "$1").split(":")[0]);
  const expected = [
    "name",
    "stages.0.constant",
    "stages.0.for",
    "stages.1",
    "stages.2.ramp",
    "faults.0",
    "faults.1.for",
    "faults.2",
    "faults.3",
    "thresholds.0",
    "partitions",
    "scenario",
  ];
  for (const place of expected) assert.ok(places.includes(place), `${place} in ${places}`);
});

Deno.test("parseScenario() refuses a rate beside stages, and a warm-up that is promised and not there", () => {
  assert.match(faultsOf({ ...GOOD, rate: 5 })[0]!, /^stages: rate and duration are said/);
  const { warmUp: _warmUp, ...cold } = GOOD;
  assert.match(faultsOf(cold)[0]!, /^thresholds.0: .*has no warm-up/);
});

Deno.test("parseScenario() refuses what is no object", () => {
  for (const value of [null, undefined, 5, "bench50k", []]) assert.ok(faultsOf(value).length > 0);
});

Deno.test("stagesText() says what parseStages() reads, spike and steps included", () => {
  const stages = parseStages(stagesText(GOOD.stages!));
  const durationMs = stages.reduce((sum, stage) => sum + stage.durationMs, 0);
  assert.equal(durationMs, 10_000 + 8_000 + 2_000 + 2_000 + 3_000);
  const schedule = Schedule.ofStages(stages);
  assert.equal(schedule.rateAt(14e6), 3000, "the middle of the spike");
  assert.equal(schedule.rateAt(20.5e6), 0, "the pause");
  assert.equal(schedule.rateAt(24e6), 50);
});

Deno.test("scenarioFlags() says each option as a flag of bench50k", () => {
  assert.deepEqual(scenarioFlags(GOOD).toSorted(), [
    "--fault=cut produce at 3s",
    "--fault=freeze broker for 1.4s at 2s",
    "--fault=kill aggregate after-insert at 1s",
    "--fault=pause at 5s",
    "--fault=rate 80 at 4s",
    "--keep=true",
    "--name=mine",
    "--stages=ramp 0 to 1000 for 10s, ramp 1000 to 3000 for 2000ms, constant 3000 for 4000ms, " +
    "ramp 3000 to 1000 for 2000ms, constant 100 for 1s, constant 200 for 1s, pause for 2s, " +
    "constant 50 for 3s",
    "--threshold=rate>=99%",
    "--threshold=windowVisible.p99<1s",
    "--time-scale=60",
    "--unsafe=no-token",
    "--warm-up=2s",
  ]);
});

Deno.test("a scenario is checked by the compiler", () => {
  // @ts-expect-error a kill needs a time
  const timeless: Scenario = { name: "x", faults: [{ kill: "aggregate" }] };
  // @ts-expect-error no such measure
  const unmeasured: Scenario = { name: "x", thresholds: [{ measure: "p", is: "below", bound: 1 }] };
  assert.ok(faultsOf(timeless).length + faultsOf(unmeasured).length >= 2);
});
