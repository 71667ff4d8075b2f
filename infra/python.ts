/**
 * A Python of our own with the official Pulsar client, in `.data/infra/python`.
 *
 * @module
 */
import { join } from "node:path";
import { UsageError } from "../lib/base/mod.ts";
import type { Say } from "./java.ts";

/** What is installed into it. */
export const PYTHON_PACKAGES = ["pulsar-client==3.13.0", "fastavro==1.13.1"];

const VENV_DIR = join(import.meta.dirname!, "..", ".data", "infra", "python");

async function run(program: string, args: string[]): Promise<void> {
  const output = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" })
    .output();
  if (output.success) return;
  const lines = new TextDecoder().decode(output.stderr).trim().split("\n");
  throw new UsageError(`Cannot install the Python client: ${lines.at(-1)}`);
}

/**
 * The Python with the official client; made and filled when it is not there.
 *
 * @returns path of its interpreter
 * @throws {UsageError} when there is no Python, or a package cannot be installed
 */
export async function bringPython(say: Say): Promise<string> {
  const interpreter = join(VENV_DIR, "bin", "python");
  const doneFile = join(VENV_DIR, "installed.json");
  const wanted = JSON.stringify(PYTHON_PACKAGES);
  if (await Deno.readTextFile(doneFile).catch(() => "") === wanted) return interpreter;
  say(`installing ${PYTHON_PACKAGES.join(", ")} into ${VENV_DIR}`);
  try {
    await run("python3", ["-m", "venv", VENV_DIR]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(
      "Cannot install the Python client: there is no python3 on the PATH",
      "install Python 3 with venv (Debian: apt install python3-venv)",
      error,
    );
  }
  await run(interpreter, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--only-binary=:all:",
    ...PYTHON_PACKAGES,
  ]);
  await Deno.writeTextFile(doneFile, wanted);
  return interpreter;
}
