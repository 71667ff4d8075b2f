/**
 * `deno task test:lab`: opens notebooks in JupyterLab, as `deno task lab` starts it, in a Chromium without a window, and clicks as a person would.
 *
 * Arguments go to `deno test`, e.g. `deno task test:lab --filter Stop`. `--images` writes the screenshots to docs/images, and not only to
 * `.data/lab-test/images`. Where Chromium or Python is missing it says so and fails, unless WEIR_LAB_ALLOW_SKIP=1 is set.
 */
import { join } from "node:path";
import { findPython } from "../../infra/jupyter/python.ts";
import { lineOf, UsageError } from "../../lib/base/mod.ts";
import { findChromium } from "./browser.ts";
import { copyNotebooks, LabServer } from "./lab_server.ts";
import type { LabSetting } from "./setting.ts";

import { taskCall } from "../task_flags.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const DATA = join(ROOT, ".data", "lab-test");
const EXIT_SKIPPED = 1;
const EXIT_SET_UP = 2;

async function whyNot(): Promise<string | undefined> {
  if (await findChromium() === undefined) {
    return "there is no Chromium on the PATH (Debian: apt install chromium), and WEIR_CHROMIUM names none";
  }
  try {
    await findPython();
    return undefined;
  } catch (error) {
    return lineOf(error);
  }
}

async function runTests(
  setting: LabSetting,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", ...args, "tests/lab/"],
    cwd: ROOT,
    env: { WEIR_LAB: JSON.stringify(setting) },
    signal,
  });
  return (await command.spawn().status).code;
}

async function main(signal: AbortSignal): Promise<number> {
  await Deno.mkdir(DATA, { recursive: true });
  using lock = await Deno.open(join(DATA, "run.lock"), { create: true, write: true });
  if (!await lock.tryLock(true)) {
    throw new UsageError("Cannot run: another test:lab of this checkout is running");
  }
  const toDocs = Deno.args.includes("--images");
  const args = Deno.args.filter((arg) => arg !== "--images");
  const images = toDocs ? join(ROOT, "docs", "images") : join(DATA, "images");
  const failures = join(DATA, "failures");
  for (const path of [images, failures]) await Deno.mkdir(path, { recursive: true });
  const folder = join(DATA, "project");
  await copyNotebooks(join(ROOT, "notebooks"), join(folder, "notebooks"));
  await using lab = await LabServer.start({ root: ROOT, folder, signal });
  return await runTests({ url: lab.url, token: lab.token, folder, images, failures }, args, signal);
}

if (import.meta.main) {
  taskCall({
    name: "test:lab",
    help: `Opens notebooks in JupyterLab in a Chromium without a window, and clicks.

  deno task test:lab [flags]

  --filter TEXT   only tests whose name holds TEXT
  --fail-fast     ends with the first that fails
  --images        writes the screenshots to docs/images, too
  --help`,
    table: {
      images: { kind: "boolean", help: "" },
      filter: { kind: "text", help: "" },
      "fail-fast": { kind: "boolean", help: "" },
    },
  });
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => abort.abort(new UsageError(`Stopped by ${name}`)));
  }
  const why = await whyNot();
  if (why !== undefined) {
    console.error(`SKIPPED, nothing was tested in JupyterLab: ${why}`);
    Deno.exit(Deno.env.get("WEIR_LAB_ALLOW_SKIP") === "1" ? 0 : EXIT_SKIPPED);
  }
  try {
    Deno.exit(await main(abort.signal));
  } catch (error) {
    console.error(`test:lab: ${lineOf(error)}`);
    Deno.exit(EXIT_SET_UP);
  }
}
