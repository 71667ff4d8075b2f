import { messageOf } from "../base/mod.ts";
import type { ControlCommand } from "./control_command.ts";
import { CONTROL_FILE, type ControlAddress, type ControlStatus } from "./control_server.ts";
import { RunError } from "./errors.ts";
import type { RunFolder } from "./run_folder.ts";

/** A command waits for its role, which may just be started again. */
const ANSWER_WITHIN_MS = 60_000;

/**
 * Where a run can be steered.
 *
 * @returns undefined when it has ended, or has not begun
 */
export async function readControlAddress(folder: RunFolder): Promise<ControlAddress | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(folder.file(CONTROL_FILE)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function ask(
  folder: RunFolder,
  path: string,
  init: RequestInit,
  withinMs: number,
): Promise<Record<string, unknown>> {
  const address = await readControlAddress(folder);
  if (address === undefined) {
    throw new RunError(`Cannot steer run ${folder.id}: it is not running`, { code: "not_running" });
  }
  let response: Response;
  let answer: Record<string, unknown>;
  try {
    const headers = {
      authorization: `Bearer ${address.token}`,
      "content-type": "application/json",
    };
    const signal = AbortSignal.timeout(withinMs);
    response = await fetch(address.url + path, { ...init, headers, signal });
    answer = await response.json();
  } catch (cause) {
    throw new RunError(`Cannot steer run ${folder.id}: ${messageOf(cause)}`, {
      code: "not_running",
      cure: `it has died, or has just ended; see ${folder.file("logs")}`,
      cause,
    });
  }
  if (response.ok) return answer;
  throw new RunError(String(answer["error"]), { code: "refused" });
}

/**
 * Has a running run do something.
 *
 * @returns what was done, for a person
 * @throws {RunError} `not_running`, or `refused` with the reason
 */
export async function sendCommand(folder: RunFolder, command: ControlCommand): Promise<string> {
  const init = { method: "POST", body: JSON.stringify(command) };
  return String((await ask(folder, "/command", init, ANSWER_WITHIN_MS))["done"]);
}

/**
 * How a running run stands.
 *
 * @throws {RunError} `not_running`
 */
export async function askStatus(folder: RunFolder, withinMs = 5000): Promise<ControlStatus> {
  return await ask(folder, "/status", {}, withinMs) as unknown as ControlStatus;
}
