import assert from "node:assert/strict";
import { FakeClock, systemDisk } from "../../lib/base/mod.ts";
import {
  createRunFolder,
  type NumberedCommand,
  readEvents,
  type Role,
  type RunFolder,
  type SupervisedRole,
} from "../../lib/run/mod.ts";
import { Steering } from "../../lib/scenarios/steering.ts";
import { parseTimedCommand } from "../../lib/scenarios/timed_fault.ts";

/** A role that remembers what it was told, and answers when `answer` says how. */
class FakeRole implements Partial<SupervisedRole> {
  readonly signals: string[] = [];
  readonly told: NumberedCommand[] = [];
  restartsLeft = 3;
  answer: (command: NumberedCommand) => void = () => {};
  readonly spec;

  constructor(readonly name: string, role: Role) {
    this.spec = { name, role } as SupervisedRole["spec"];
  }

  tell(command: NumberedCommand): void {
    this.told.push(command);
    this.answer(command);
  }

  kill(signal: Deno.Signal): void {
    this.signals.push(signal);
  }
}

interface Scene {
  readonly clock: FakeClock;
  readonly folder: RunFolder;
  readonly steering: Steering;
  readonly roles: Readonly<Record<"produce" | "broker" | "aggregate-1" | "clickhouse", FakeRole>>;
  phase: string;
  stops: number;
  events(): string[];
}

async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  const folder = await createRunFolder(`${root}/run`);
  const clock = new FakeClock(1000);
  const roles = {
    produce: new FakeRole("produce", "produce"),
    broker: new FakeRole("broker", "broker"),
    "aggregate-1": new FakeRole("aggregate-1", "aggregate"),
    clickhouse: new FakeRole("clickhouse", "clickhouse"),
  };
  const steering = new Steering({
    clock,
    folder,
    roles: new Map(Object.entries(roles)) as unknown as ReadonlyMap<string, SupervisedRole>,
    loadBeganMs: () => 1000,
    plannedMs: 60_000,
    phase: () => scene.phase,
    restartCount: () => 0,
    publishUsP99: () => null,
    stop: () => scene.stops++,
  });
  const scene: Scene = {
    clock,
    folder,
    steering,
    roles,
    phase: "loading",
    stops: 0,
    events: () =>
      readEvents(systemDisk, folder.file("events.jsonl")).map((event) =>
        event.refusal === null ? event.text : `${event.text}: ${event.refusal}`
      ),
  };
  for (const role of Object.values(roles)) {
    role.answer = ({ id }) => steering.take(role.name, { event: "answer", id, refusal: null });
  }
  try {
    await test(scene);
  } finally {
    steering[Symbol.dispose]();
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("Steering tells the producer, waits for its answer and writes it down", () =>
  withScene(async ({ steering, roles, events }) => {
    assert.equal(
      await steering.perform({ command: "rate", messagesPerSec: 80_000 }),
      "rate 80,000/s",
    );
    await steering.perform({ command: "pause" });
    assert.equal(steering.status().isPaused, true);
    await steering.perform({ command: "resume" });
    assert.equal(steering.status().isPaused, false);
    await steering.perform({ command: "rate", messagesPerSec: 0 });
    assert.equal(steering.status().isPaused, true);
    assert.deepEqual(roles.produce.told.map(({ command }) => command), [
      "rate",
      "pause",
      "resume",
      "rate",
    ]);
    assert.deepEqual(events(), ["rate 80,000/s", "pause", "resume", "rate 0/s"]);
  }));

Deno.test("Steering tells again what a producer that died was told, and gives up in the end", () =>
  withScene(async ({ steering, roles, clock, events }) => {
    const { produce } = roles;
    const answer = produce.answer;
    produce.answer = (command) => {
      if (produce.told.length === 3) answer(command);
    };
    const done = steering.perform({ command: "rate", messagesPerSec: 5 });
    await clock.advance(5000);
    assert.equal(await done, "rate 5/s");
    assert.equal(new Set(produce.told.map(({ id }) => id)).size, 1);
    produce.answer = () => {};
    const failed = assert.rejects(
      steering.perform({ command: "pause" }),
      /produce does not answer/,
    );
    await clock.advance(30_000);
    await failed;
    assert.match(events()[1]!, /^pause: .*does not answer/);
  }));

Deno.test("Steering refuses a rate that the producer refuses, or when nothing is sent any more", () =>
  withScene(async (scene) => {
    const { steering, roles } = scene;
    roles.produce.answer = ({ id }) =>
      steering.take("produce", { event: "answer", id, refusal: "the schedule ends" });
    await assert.rejects(steering.perform({ command: "resume" }), /the schedule ends/);
    scene.phase = "draining";
    await assert.rejects(steering.perform({ command: "pause" }), /the run is draining/);
    assert.equal(roles.produce.told.length, 1);
  }));

Deno.test("Steering kills by name or by role, at once or at a place, and not once too often", () =>
  withScene(async ({ steering, roles }) => {
    const aggregate = roles["aggregate-1"];
    await steering.perform({ command: "inject", kind: "kill", role: "aggregate" });
    await steering.perform({ command: "inject", kind: "kill", role: "aggregate-1" });
    assert.deepEqual(aggregate.signals, ["SIGKILL", "SIGKILL"]);
    const at = "after-insert";
    await steering.perform({ command: "inject", kind: "kill", role: "aggregate", at });
    assert.equal(aggregate.signals.length, 2, "it comes to the place first");
    assert.deepEqual(aggregate.told.map(({ id: _id, ...told }) => told), [{
      command: "kill-at",
      at,
    }]);
    steering.take("aggregate-1", { event: "kill-me" });
    assert.equal(aggregate.signals.length, 3);
    aggregate.restartsLeft = 0;
    const again = steering.perform({ command: "inject", kind: "kill", role: "aggregate" });
    await assert.rejects(again, /once more would end the run/);
    assert.equal(aggregate.signals.length, 3);
    await assert.rejects(
      steering.perform({ command: "inject", kind: "kill", role: "aggregate-2" }),
      /only produce, broker, aggregate-1, clickhouse/,
    );
  }));

Deno.test("Steering freezes for as long as asked, and lets go at the end of the run", () =>
  withScene(async ({ steering, roles, clock, folder }) => {
    await steering.perform({ command: "inject", kind: "freeze", role: "broker", forMs: 1400 });
    const twice = steering.perform({ command: "inject", kind: "freeze", role: "broker", forMs: 1 });
    await assert.rejects(twice, /frozen already/);
    await clock.advance(1399);
    assert.deepEqual(roles.broker.signals, ["SIGSTOP"]);
    await clock.advance(1);
    assert.deepEqual(roles.broker.signals, ["SIGSTOP", "SIGCONT"]);
    const [event] = readEvents(systemDisk, folder.file("events.jsonl"));
    assert.equal(event!.untilMs! - event!.atMs, 1400);
    await steering.perform({ command: "inject", kind: "freeze", role: "produce", forMs: 60_000 });
    steering[Symbol.dispose]();
    await clock.advance(0);
    assert.deepEqual(roles.produce.signals, ["SIGSTOP", "SIGCONT"]);
  }));

Deno.test("Steering cuts both ends of the broker's connections, and says that ClickHouse has none", () =>
  withScene(async ({ steering, roles }) => {
    await steering.perform({ command: "inject", kind: "cut", role: "broker" });
    assert.deepEqual(
      [roles.produce, roles["aggregate-1"], roles.broker].map(({ told }) => told.length),
      [1, 1, 0],
    );
    await assert.rejects(
      steering.perform({ command: "inject", kind: "cut", role: "clickhouse" }),
      /freeze or kill it/,
    );
  }));

Deno.test("Steering does what a scenario plans, at its times, and nothing after the end", () =>
  withScene(async (scene) => {
    const { steering, clock, roles } = scene;
    const planned = ["kill broker at 2s", "rate 7 at 1s", "stop at 3s", "kill produce at 9s"];
    steering.startTimed(planned.map(parseTimedCommand), 1500);
    await clock.advance(1499);
    assert.deepEqual(scene.events(), []);
    await clock.advance(1);
    assert.deepEqual(scene.events(), ["rate 7/s"]);
    await clock.advance(2000);
    assert.deepEqual(scene.events(), ["rate 7/s", "kill broker", "stop"]);
    assert.equal(scene.stops, 1);
    steering[Symbol.dispose]();
    await clock.advance(60_000);
    assert.deepEqual(roles.produce.signals, []);
  }));
