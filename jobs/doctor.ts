import { availableParallelism, freemem, totalmem } from "node:os";
import { askPython } from "../infra/jupyter/python.ts";
import { freeDiskBytes } from "../lib/run/mod.ts";
import { currentPlatform, EmbeddedError, enginePackage } from "../lib/sinks/mod.ts";
import { checkLines, checkMachine, type Probes } from "./_checks.ts";
import { cachedEngineFolder, cacheFolders } from "./_engine.ts";
import { EXIT, runJob } from "./_job.ts";

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] })
      .output();
    const decoder = new TextDecoder();
    return success ? decoder.decode(stdout) + decoder.decode(stderr) : undefined;
  } catch {
    // Not on the path.
    return undefined;
  }
}

function isPortFree(port: number): Promise<boolean> {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return Promise.resolve(true);
  } catch {
    return Promise.resolve(false);
  }
}

async function isEngineCached(npmCache: string): Promise<boolean> {
  try {
    return await cachedEngineFolder(enginePackage(), npmCache) !== undefined;
  } catch (error) {
    if (error instanceof EmbeddedError) return false;
    throw error;
  }
}

async function probesOfThisMachine(): Promise<Probes> {
  const { denoDir, npmCache } = await cacheFolders();
  const memory = Deno.systemMemoryInfo();
  return {
    denoVersion: Deno.version.deno,
    platform: currentPlatform(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    availableMemoryBytes: memory.available || freemem(),
    askPython,
    run,
    isPortFree,
    freeDiskBytes: () => freeDiskBytes("."),
    cacheFolder: denoDir,
    isEngineCached: () => isEngineCached(npmCache),
  };
}

await runJob({
  usage: {
    command: "deno task doctor",
    summary:
      "Looks at this machine, one line each with the cure. Exit code 0 when bench50k can run, 2 when not.",
    examples: ["deno task doctor", "deno task doctor --json"],
  },
  table: { "json": { kind: "boolean", help: "print the checks as JSON" } },
  async run({ flags }) {
    const checks = await checkMachine(await probesOfThisMachine());
    const canRun = checks.every(({ status }) => status !== "missing");
    if (flags.json) console.log(JSON.stringify({ canRun, checks }, null, 2));
    else {
      for (const line of checkLines(checks)) console.log(line);
      console.log(canRun ? "bench50k can run here" : "bench50k cannot run here as it is");
    }
    return canRun ? EXIT.pass : EXIT.usage;
  },
});
