import { dirname } from "node:path";
import { messageOf, UsageError } from "../lib/base/mod.ts";

/** Where `deno task clickhouse` keeps the password that it made, and where the other jobs look for it: beside its data. */
export function passwordFileOf(dataFolder: string): string {
  return `${dataFolder}.password`;
}

/** The file for the default data folder: roles that a person starts on one machine meet by it. */
const LOCAL_FILE = passwordFileOf(".data/clickhouse");

/**
 * The password of an embedded ClickHouse that a person starts: made the first time, for its owner's eyes only.
 *
 * @throws {UsageError} when the file cannot be read or written
 */
export async function keptPassword(file: string): Promise<string> {
  try {
    await Deno.mkdir(dirname(file), { recursive: true });
    const made = crypto.randomUUID();
    await Deno.writeTextFile(file, made, { createNew: true, mode: 0o600 });
    return made;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return (await Deno.readTextFile(file)).trim();
    throw new UsageError(
      `Cannot keep the password in "${file}": ${messageOf(error)}`,
      "give one with CLICKHOUSE_PASSWORD or --password-file",
      error,
    );
  }
}

/** The password that `deno task clickhouse` made here, for a ClickHouse on this machine; empty where there is none. */
export function localPassword(url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  if (!["127.0.0.1", "localhost", "[::1]"].includes(host)) return "";
  try {
    return Deno.readTextFileSync(LOCAL_FILE).trim();
  } catch {
    // None was made here, or it is somebody else's: ClickHouse says whether it wants one.
    return "";
  }
}
