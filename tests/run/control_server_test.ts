import assert from "node:assert/strict";
import { Secret } from "../../lib/base/mod.ts";
import { askStatus, readControlAddress, sendCommand } from "../../lib/run/control_client.ts";
import {
  type ControlActions,
  ControlServer,
  type ControlStatus,
  serveControl,
} from "../../lib/run/control_server.ts";
import { RunError } from "../../lib/run/errors.ts";
import { createRunFolder } from "../../lib/run/run_folder.ts";

const STATUS: ControlStatus = {
  runId: "r",
  phase: "loading",
  targetRateMessagesPerSec: 10,
  rateMessagesPerSec: 9,
  backlogMessages: 0,
  publishUsP99: null,
  isPaused: false,
  elapsedSec: 1,
  plannedSec: 2,
  roles: ["produce"],
  restartCount: 0,
};

/** Actions that remember what they were asked for. */
function recording(refuse?: Error): ControlActions & { readonly done: unknown[] } {
  const done: unknown[] = [];
  return {
    done,
    status: () => STATUS,
    perform(command) {
      if (refuse !== undefined) return Promise.reject(refuse);
      done.push(command);
      return Promise.resolve(command.command);
    },
  };
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const GOOD = { host: "127.0.0.1:1234", authorization: "Bearer open-sesame" };

/** One request as it would come from the wire, with whatever Host. */
async function ask(actions: ControlActions, asked: Asked): Promise<Response> {
  const { path = "/command", method = "POST", body, headers = GOOD } = asked;
  const server = new ControlServer(new Secret("open-sesame"), actions);
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  return await server.answer(new Request(`http://127.0.0.1:1234${path}`, init));
}

const PAUSE = JSON.stringify({ command: "pause" });

async function errorOf(response: Response): Promise<string> {
  return (await response.json()).error;
}

Deno.test("ControlServer performs a command that carries the token", async () => {
  const actions = recording();
  const response = await ask(actions, { body: PAUSE });
  assert.deepEqual([response.status, await response.json()], [200, { done: "pause" }]);
  assert.deepEqual(actions.done, [{ command: "pause" }]);
});

Deno.test("ControlServer refuses a token that is missing, wrong or longer", async () => {
  for (const authorization of ["", "Bearer open-sesamf", "Bearer open-sesame2", "open-sesame"]) {
    const actions = recording();
    const response = await ask(actions, { body: PAUSE, headers: { ...GOOD, authorization } });
    assert.equal(response.status, 401, authorization);
    assert.deepEqual(actions.done, []);
  }
});

Deno.test("ControlServer refuses a Host that is not loopback, whatever else is right", async () => {
  for (const host of ["evil.example", "evil.example:1234", "127.0.0.1.evil.example", ""]) {
    const response = await ask(recording(), { body: PAUSE, headers: { ...GOOD, host } });
    assert.equal(response.status, 403, host);
  }
  for (const host of ["localhost:1", "127.0.0.1", "[::1]:99"]) {
    const response = await ask(recording(), { body: PAUSE, headers: { ...GOOD, host } });
    assert.equal(response.status, 200, host);
  }
});

Deno.test("ControlServer refuses pages of other sites, and lets them read nothing", async () => {
  const foreign = ["https://evil.example", "null", "http://localhost.evil.example", "file://"];
  for (const origin of foreign) {
    const response = await ask(recording(), { body: PAUSE, headers: { ...GOOD, origin } });
    assert.equal(response.status, 403, origin);
    assert.equal(response.headers.get("access-control-allow-origin"), null, origin);
  }
});

Deno.test("ControlServer answers JupyterLab on loopback and VS Code's webviews, also beforehand", async () => {
  for (const origin of ["http://localhost:8888", "https://127.0.0.1:1", "vscode-webview://1a2b"]) {
    const response = await ask(recording(), { body: PAUSE, headers: { ...GOOD, origin } });
    assert.equal(response.status, 200, origin);
    assert.equal(response.headers.get("access-control-allow-origin"), origin);
    const headers = { host: GOOD.host, origin };
    const before = await ask(recording(), { method: "OPTIONS", headers });
    assert.equal(before.status, 204);
    assert.match(before.headers.get("access-control-allow-headers")!, /authorization/);
    assert.equal(before.headers.get("access-control-allow-private-network"), "true");
  }
});

Deno.test("ControlServer says what is wrong with a command, and does nothing", async () => {
  const wrong: [string, RegExp][] = [
    ["{", /A command is JSON/],
    ["null", /expected one of rate, pause, resume, stop, note, inject/],
    ['{"command":"explode"}', /"explode": expected one of rate/],
    ['{"command":"rate"}', /messagesPerSec/],
    ['{"command":"rate","messagesPerSec":-1}', /messagesPerSec/],
    ['{"command":"note","text":"  "}', /text/],
    ['{"command":"inject","kind":"kill","role":"dog"}', /role: expected produce, broker/],
    ['{"command":"inject","kind":"freeze","role":"broker"}', /needs a duration/],
    ['{"command":"inject","kind":"kill","role":"broker","at":"after-insert"}', /aggregator/],
    ['{"command":"pause","now":true}', /now/],
  ];
  for (const [body, message] of wrong) {
    const actions = recording();
    const response = await ask(actions, { body });
    assert.equal(response.status, 400, body);
    assert.match(await errorOf(response), message);
    assert.deepEqual(actions.done, []);
  }
  const long = JSON.stringify({ command: "note", text: "x".repeat(20_000) });
  assert.equal((await ask(recording(), { body: long })).status, 413);
});

Deno.test("ControlServer tells refusals from faults of its own", async () => {
  const refusal = new RunError("Cannot pause: it drains", { code: "refused" });
  const refused = await ask(recording(refusal), { body: PAUSE });
  assert.deepEqual([refused.status, await errorOf(refused)], [400, "Cannot pause: it drains"]);
  assert.equal((await ask(recording(new TypeError("bug")), { body: PAUSE })).status, 500);
});

Deno.test("ControlServer has two paths and no other", async () => {
  const status = await ask(recording(), { path: "/status", method: "GET" });
  assert.deepEqual(await status.json(), STATUS);
  assert.equal((await ask(recording(), { path: "/status", body: "{}" })).status, 404);
  assert.equal((await ask(recording(), { path: "/", method: "GET" })).status, 404);
});

Deno.test("serveControl() keeps its address for its owner's eyes only, and takes it away at the end", async () => {
  const root = await Deno.makeTempDir();
  try {
    const folder = await createRunFolder(`${root}/run`);
    const actions = recording();
    {
      await using _control = await serveControl(folder, actions);
      assert.equal((await Deno.stat(folder.file("control.json"))).mode! & 0o777, 0o600);
      assert.equal(await sendCommand(folder, { command: "resume" }), "resume");
      assert.deepEqual(await askStatus(folder), STATUS);
    }
    assert.equal(await readControlAddress(folder), undefined);
    await assert.rejects(sendCommand(folder, { command: "resume" }), (error) => {
      assert.ok(error instanceof RunError);
      assert.equal(error.code, "not_running");
      return true;
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("sendCommand() says that a run whose runner was killed is not running", async () => {
  const root = await Deno.makeTempDir();
  try {
    const folder = await createRunFolder(`${root}/run`);
    const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = gone.addr as Deno.NetAddr;
    gone.close();
    const address = { url: `http://127.0.0.1:${port}`, token: "x", pid: 1 };
    await Deno.writeTextFile(folder.file("control.json"), JSON.stringify(address));
    await assert.rejects(sendCommand(folder, { command: "pause" }), { code: "not_running" });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("thirty runs on one machine do not meet: own ports, own tokens, own folders", async () => {
  const root = await Deno.makeTempDir();
  const names = Array.from({ length: 30 }, (_, i) => `run-${i}`);
  const runs = await Promise.all(names.map(async (name) => {
    const folder = await createRunFolder(`${root}/${name}`);
    const actions = recording();
    return { folder, actions, control: await serveControl(folder, actions) };
  }));
  try {
    assert.equal(new Set(runs.map(({ control }) => control.address.url)).size, 30);
    assert.equal(new Set(runs.map(({ control }) => control.address.token)).size, 30);
    await Promise.all(
      runs.map(({ folder }, i) => sendCommand(folder, { command: "rate", messagesPerSec: i })),
    );
    runs.forEach(({ actions }, i) =>
      assert.deepEqual(actions.done, [{ command: "rate", messagesPerSec: i }])
    );
    const [one, other] = runs;
    const response = await fetch(`${one!.control.address.url}/status`, {
      headers: { authorization: `Bearer ${other!.control.address.token}` },
    });
    assert.equal(response.status, 401);
    await response.body?.cancel();
  } finally {
    await Promise.all(runs.map(({ control }) => control[Symbol.asyncDispose]()));
    await Deno.remove(root, { recursive: true });
  }
});
