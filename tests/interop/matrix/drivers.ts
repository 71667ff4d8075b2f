/**
 * The drivers: one program for each client, brought and built on demand into `.data/infra`.
 *
 * @module
 */
import { join } from "node:path";
import config from "../../../deno.json" with { type: "json" };
import { bringPython, PYTHON_PACKAGES } from "../../../infra/python.ts";
import { bringGoDriver } from "./go_driver.ts";
import { bringJavaDriver } from "./java_driver.ts";
import type { Driver } from "./driver.ts";

const DRIVERS_DIR = join(import.meta.dirname!, "..", "drivers");

async function bringPythonDriver(say: (line: string) => void): Promise<Driver> {
  return {
    name: "python",
    title: "Python",
    version: PYTHON_PACKAGES[0]!.replace("==", " "),
    command: await bringPython(say),
    args: [join(DRIVERS_DIR, "python", "driver.py")],
  };
}

async function bringGo(say: (line: string) => void): Promise<Driver> {
  const { program, version } = await bringGoDriver(join(DRIVERS_DIR, "go"), say);
  return { name: "go", title: "Go", version, command: program, args: [] };
}

async function bringJava(say: (line: string) => void): Promise<Driver> {
  return { name: "java", title: "Java", ...await bringJavaDriver(join(DRIVERS_DIR, "java"), say) };
}

function bringWeir(): Promise<Driver> {
  return Promise.resolve({
    name: "weir",
    title: "Ours",
    version: `lib/pulsar ${config.version}`,
    command: Deno.execPath(),
    args: ["run", "--allow-all", join(DRIVERS_DIR, "weir", "driver.ts")],
  });
}

/** By the name that flags give; the order is that of the columns. */
export const DRIVERS: Readonly<Record<string, (say: (line: string) => void) => Promise<Driver>>> = {
  weir: bringWeir,
  python: bringPythonDriver,
  go: bringGo,
  java: bringJava,
};
