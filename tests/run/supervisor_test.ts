import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/mod.ts";
import {
  type ReadyLine,
  type Restart,
  type RoleLine,
  type RoleSpec,
  type RunError,
  superviseRole,
  type SupervisorOptions,
} from "../../lib/run/mod.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

interface Seen {
  readonly lines: RoleLine[];
  readonly restarts: Restart[];
  readonly ready: ReadyLine[];
  readonly ended: Promise<RunError | undefined>;
  readonly restarted: Promise<Restart>;
  readonly options: SupervisorOptions;
  readonly folder: string;
  spec(behaviour: string): RoleSpec;
}

async function withFolder(test: (seen: Seen) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const ended = Promise.withResolvers<RunError | undefined>();
  const restarted = Promise.withResolvers<Restart>();
  const seen: Seen = {
    lines: [],
    restarts: [],
    ready: [],
    ended: ended.promise,
    restarted: restarted.promise,
    folder,
    options: {
      clock: systemClock,
      config: `${ROOT}/deno.json`,
      logFolder: folder,
      observer: {
        line: (_name, line) => seen.lines.push(line),
        ready: (_name, ready) => seen.ready.push(ready),
        restarting: (restart) => seen.restarts.push(restart),
        restarted: (restart) => restarted.resolve(restart),
        ended: (_name, error) => ended.resolve(error),
      },
    },
    spec: (behaviour) => ({
      name: "produce",
      role: "produce",
      script: `${ROOT}/tests/run/_role.ts`,
      permissions: [`--allow-write=${folder}`, `--allow-read=${folder}`],
      args: (previous) => [behaviour, `${folder}/starts`, String(previous?.port ?? 0)],
      environment: {},
    }),
  };
  try {
    await test(seen);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const notesOf = (seen: Seen, kind: string) =>
  seen.lines.filter((line) => "event" in line && line.event === "note" && line.kind === kind);

Deno.test("superviseRole() resolves when the role is ready and stops it by closing its input", () =>
  withFolder(async (seen) => {
    const role = await superviseRole(seen.spec("stay"), seen.options);
    assert.equal(role.ready.pid, role.pid);
    await role.stop(10_000);
    assert.equal(await seen.ended, undefined);
    assert.equal(seen.restarts.length, 0);
  }));

Deno.test("superviseRole() starts a killed role again, with what it said when it was ready", () =>
  withFolder(async (seen) => {
    const role = await superviseRole(seen.spec("stay"), seen.options);
    const firstPid = role.pid;
    role.kill("SIGKILL");
    const restart = await seen.restarted;
    assert.notEqual(role.pid, firstPid);
    assert.equal(restart.reason, "signal SIGKILL");
    assert.ok(restart.readyAfterMs! > 0);
    await role.stop(10_000);
    const previousPorts = notesOf(seen, "args").map((line) =>
      (line as unknown as { data: string[] }).data[2]
    );
    assert.deepEqual(previousPorts, ["0", "1001"]);
  }));

Deno.test("superviseRole() gives up after three restarts in a minute, with the last words", () =>
  withFolder(async (seen) => {
    await superviseRole(seen.spec("crash"), seen.options);
    const error = await seen.ended;
    assert.equal(seen.restarts.length, 3);
    assert.match(error!.message, /exit code 1 \(Cannot go on: no reason\), for the 4th time/);
    assert.equal((error!.cause as { failureCode: string }).failureCode, "tired");
  }));

Deno.test("superviseRole() counts the restarts of the last minute", () =>
  withFolder(async (seen) => {
    let nowMs = 1_000_000;
    let left = 6;
    const { observer } = seen.options;
    const options: SupervisorOptions = {
      ...seen.options,
      clock: { ...systemClock, wallMs: () => nowMs },
      observer: {
        ...observer,
        restarting(restart) {
          observer.restarting(restart);
          // One every 20 s is allowed: the first of four is a minute ago. The last one comes too soon.
          assert.ok(--left >= 0, "it is started again for ever");
          nowMs += left > 0 ? 20_000 : 9_000;
        },
      },
    };
    await superviseRole(seen.spec("crash"), options);
    const error = await seen.ended;
    assert.match(error!.message, /for the 4th time in a minute/);
    assert.deepEqual(
      seen.restarts.map(({ atMs }) => (atMs - 1_000_000) / 1000),
      [0, 20, 40, 60, 80, 100],
    );
  }));

Deno.test("superviseRole() keeps starting a role that waits for another one, as one restart", () =>
  withFolder(async (seen) => {
    let pauses = 0;
    const clock = {
      ...systemClock,
      sleep: (delayMs: number, signal?: AbortSignal) =>
        delayMs === 500 ? Promise.resolve(void pauses++) : systemClock.sleep(delayMs, signal),
    };
    const role = await superviseRole(seen.spec("wait"), { ...seen.options, clock });
    role.kill("SIGKILL");
    const restart = await seen.restarted;
    assert.deepEqual([seen.restarts.length, pauses], [1, 5]);
    assert.ok(restart.readyAfterMs! > 0);
    await role.stop(10_000);
    assert.equal(await seen.ended, undefined);
  }));

Deno.test("superviseRole() rejects with the last words of a role that refuses to start", () =>
  withFolder(async (seen) => {
    await assert.rejects(
      superviseRole(seen.spec("refuse"), seen.options),
      { message: "Cannot use the folder: it is taken" },
    );
  }));

Deno.test("superviseRole() lets a role that has finished be", () =>
  withFolder(async (seen) => {
    const role = await superviseRole(seen.spec("finish"), seen.options);
    await role.ended;
    assert.equal(await seen.ended, undefined);
    assert.equal(seen.restarts.length, 0);
  }));

Deno.test("SupervisedRole.stop() kills a role that does not listen", () =>
  withFolder(async (seen) => {
    const role = await superviseRole(seen.spec("deaf"), seen.options);
    await role.stop(50);
    assert.equal(await seen.ended, undefined);
  }));

Deno.test("SupervisedRole.stop() that comes while the role is dead reaches the process that follows", () =>
  withFolder(async (seen) => {
    const stopped = Promise.withResolvers<void>();
    const { observer } = seen.options;
    const role = await superviseRole(seen.spec("stay"), {
      ...seen.options,
      observer: {
        ...observer,
        restarting: (restart) => {
          observer.restarting(restart);
          role.stop(5_000).then(stopped.resolve, stopped.reject);
        },
      },
    });
    role.kill("SIGKILL");
    await stopped.promise;
    assert.equal(notesOf(seen, "closed").length, 1, "it was killed instead");
    assert.equal(await seen.ended, undefined);
  }));

Deno.test("superviseRole() does not wait for a role when its signal is aborted already", () =>
  withFolder(async (seen) => {
    const options = { ...seen.options, signal: AbortSignal.abort() };
    const role = await superviseRole(seen.spec("stay"), options).catch((error) => error);
    if ("abandon" in role) await role.abandon();
    assert.equal(role.code, "role_not_ready");
    assert.equal(seen.ready.length, 0);
  }));

Deno.test("superviseRole() gives a role no variable that it does not need", () =>
  withFolder(async (seen) => {
    const name = "WEIR_TEST_ONLY_OF_THE_RUNNER";
    Deno.env.set(name, "1");
    try {
      const spec = seen.spec("environment");
      const role = await superviseRole({
        ...spec,
        permissions: [...spec.permissions, "--allow-env"],
        environment: { WEIR_TEST_OF_THE_ROLE: "1" },
      }, seen.options);
      await role.stop(10_000);
      const [note] = notesOf(seen, "environment") as unknown as { data: string[] }[];
      assert.ok(note!.data.includes("WEIR_TEST_OF_THE_ROLE"));
      assert.ok(!note!.data.includes(name), note!.data.join());
    } finally {
      Deno.env.delete(name);
    }
  }));
