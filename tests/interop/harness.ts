/** What the tests of this folder know of the servers that `run.ts` has brought up. */
import { join } from "node:path";
import { PULSAR_LIB_DIR, type PulsarServer } from "../../infra/pulsar/server.ts";

const ROOT = join(import.meta.dirname!, "..", "..");

/** In the environment variable WEIR_INTEROP, as JSON. */
export interface InteropServers {
  /** A real Pulsar that asks for nothing. */
  readonly plain: PulsarServer;
  /** A real Pulsar that asks for tokens. */
  readonly token: PulsarServer;
  /** A Python with the official client. */
  readonly python: string;
}

/**
 * The servers to test against.
 *
 * @throws when the tests were not started by `deno task test:interop`
 */
export function interopServers(): InteropServers {
  const text = Deno.env.get("WEIR_INTEROP");
  if (text === undefined) {
    throw new Error(
      "Cannot find the real servers: start these tests with `deno task test:interop`",
    );
  }
  return JSON.parse(text);
}

/** A topic that no other test uses. */
export function freshTopic(name: string): string {
  return `persistent://public/default/${name}-${crypto.randomUUID().slice(0, 8)}`;
}

/** A call of an admin interface, by `path` after `/admin/v2/`. */
export async function admin(
  adminUrl: string,
  request: { method: string; path: string; body?: unknown; token?: string },
): Promise<{ status: number; text: string }> {
  const { method, path, body, token } = request;
  const headers = new Headers({ "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${adminUrl}/admin/v2/${path}`, { method, headers, ...init });
  return { status: response.status, text: await response.text() };
}

/** What a script of an official client has said. */
export interface ScriptResult {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the scenarios of `infra/pulsar/scenarios.py`, which fail when the broker does not do as they expect. */
export async function runScenario(
  scenario: string,
  broker: { serviceUrl: string; adminUrl: string; token?: string },
): Promise<ScriptResult> {
  const token = broker.token === undefined ? [] : [broker.token];
  return await runPython("infra/pulsar/scenarios.py", [
    ...[scenario, broker.serviceUrl, broker.adminUrl],
    ...token,
  ]);
}

/** Runs one of the scenarios of `infra/pulsar/Scenarios.java`; needs a JDK, as it is compiled on the way. */
export async function runJavaScenario(
  scenario: string,
  broker: { serviceUrl: string; adminUrl: string },
): Promise<ScriptResult> {
  const source = join(ROOT, "infra", "pulsar", "Scenarios.java");
  const { serviceUrl, adminUrl } = broker;
  return await run("java", [
    ...["-cp", `${PULSAR_LIB_DIR}/*`, source],
    ...[scenario, serviceUrl, adminUrl],
  ]);
}

/** Runs a script of the project with the Python that has the official client. */
export async function runPython(script: string, args: readonly string[]): Promise<ScriptResult> {
  return await run(interopServers().python, [join(ROOT, script), ...args]);
}

async function run(program: string, args: string[]): Promise<ScriptResult> {
  const output = await new Deno.Command(program, { args, stdout: "piped", stderr: "piped" })
    .output();
  const decoder = new TextDecoder();
  return {
    success: output.success,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
