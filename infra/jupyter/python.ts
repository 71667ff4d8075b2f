/**
 * The Python that a virtual environment is made with.
 *
 * @module
 */
import { UsageError } from "../../lib/base/mod.ts";

/** What `python -m venv` needs, as a Python says it of itself. */
export interface PythonReport {
  readonly command: string;
  readonly version: readonly [number, number];
  /** Debian splits it off: without ensurepip a virtual environment has no pip. */
  readonly hasVenv: boolean;
}

/** Asks the Python of a command; undefined when there is none under this name. */
export type AskPython = (command: string) => Promise<PythonReport | undefined>;

const VERSION_MIN = [3, 9] as const;
const COMMANDS = ["python3", "python", "py"];

const QUESTION = `
import sys
try:
    import venv, ensurepip
    has_venv = 1
except ImportError:
    has_venv = 0
print(sys.version_info[0], sys.version_info[1], has_venv)
`;

/** Asks by running it. */
export const askPython: AskPython = async (command) => {
  let said: string;
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args: ["-c", QUESTION],
      stderr: "null",
    }).output();
    if (!success) return undefined;
    said = new TextDecoder().decode(stdout);
  } catch {
    // Not on the path under this name.
    return undefined;
  }
  const match = /^(\d+) (\d+) ([01])\s*$/.exec(said);
  if (match === null) return undefined;
  return { command, version: [Number(match[1]), Number(match[2])], hasVenv: match[3] === "1" };
};

function isNewEnough([major, minor]: readonly [number, number]): boolean {
  return major > VERSION_MIN[0] || major === VERSION_MIN[0] && minor >= VERSION_MIN[1];
}

/**
 * A Python that can make a virtual environment.
 *
 * @throws {UsageError} that says which part is missing
 */
export async function findPython(ask: AskPython = askPython): Promise<PythonReport> {
  const found: PythonReport[] = [];
  for (const command of COMMANDS) {
    const report = await ask(command);
    if (report !== undefined) found.push(report);
  }
  const wanted = `Python ${VERSION_MIN.join(".")} or newer`;
  if (found.length === 0) {
    throw new UsageError(
      `Cannot make a Python environment: there is no Python on the PATH, ${wanted} is needed`,
      "install it (Debian: apt install python3-venv; macOS: brew install python; Windows: python.org)",
    );
  }
  const newEnough = found.filter(({ version }) => isNewEnough(version));
  if (newEnough.length === 0) {
    const versions = found.map(({ version }) => version.join(".")).join(" and ");
    throw new UsageError(
      `Cannot make a Python environment: Python is of version ${versions}, ${wanted} is needed`,
      "install a newer one and put it on the PATH as python3",
    );
  }
  const complete = newEnough.find(({ hasVenv }) => hasVenv);
  if (complete === undefined) {
    const { command, version } = newEnough[0]!;
    throw new UsageError(
      `Cannot make a Python environment: ${command} ${version.join(".")} has no venv module`,
      `install it (Debian and Ubuntu: apt install python3-venv, or python${
        version.join(".")
      }-venv)`,
    );
  }
  return complete;
}
