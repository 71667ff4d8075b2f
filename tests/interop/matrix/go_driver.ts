/**
 * Go programs that need the official Pulsar client, with modules and build in `.data/infra/go`.
 *
 * @module
 */
import { basename, join } from "node:path";
import type { Say } from "../../../infra/java.ts";
import { UsageError } from "../../../lib/base/mod.ts";

const STORE_DIR = join(import.meta.dirname!, "..", "..", "..", ".data", "infra", "go");
const CLIENT_MODULE = "github.com/apache/pulsar-client-go";

/** The version of the client that a go.mod asks for, with its name. */
function clientVersion(goMod: string): string {
  const version = new RegExp(`${CLIENT_MODULE} (v\\S+)`).exec(goMod)?.[1];
  if (version === undefined) {
    throw new UsageError(`Cannot build: go.mod does not name ${CLIENT_MODULE}`);
  }
  return `pulsar-client-go ${version}`;
}

/**
 * Builds the program of a folder; modules come from GOPROXY the first time.
 *
 * @returns path of the program, and version of the client in it
 * @throws {UsageError} when there is no Go, or it does not build
 */
export async function bringGoDriver(
  folder: string,
  say: Say,
): Promise<{ program: string; version: string }> {
  const version = clientVersion(await Deno.readTextFile(join(folder, "go.mod")));
  const program = join(STORE_DIR, "bin", basename(folder));
  await Deno.mkdir(join(STORE_DIR, "bin"), { recursive: true });
  say(`building ${folder} with ${version}`);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("go", {
      args: ["build", "-o", program, "."],
      cwd: folder,
      env: {
        GOMODCACHE: join(STORE_DIR, "mod"),
        GOCACHE: join(STORE_DIR, "build"),
        GOFLAGS: "-mod=readonly -buildvcs=false -modcacherw",
      },
      stdout: "null",
      stderr: "piped",
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const cure = "install Go 1.24 or newer (Debian: apt install golang)";
    throw new UsageError("Cannot build: there is no go on the PATH", cure, error);
  }
  if (!output.success) {
    const words = new TextDecoder().decode(output.stderr).trim().split("\n").slice(-8).join("; ");
    throw new UsageError(`Cannot build ${folder}: ${words}`);
  }
  return { program, version };
}
