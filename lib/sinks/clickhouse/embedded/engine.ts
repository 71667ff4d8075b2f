import { messageOf } from "../../../base/mod.ts";
import { type Addon, type Connection, loadAddon } from "./addon.ts";
import { type EngineLimits, serverXml, usersXml } from "./config.ts";
import { EmbeddedError, engineError, queryError } from "./errors.ts";

/** What a session begins with. */
export interface SessionOptions {
  readonly database?: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  /** The query may read only. */
  readonly readOnly: boolean;
}

/** What a query gave. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
  readonly elapsedSec: number;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/** A text as ClickHouse's lexer reads it back: these two characters are all that mean something within quotes. */
function quoted(text: string): string {
  if (text.includes("\0")) throw queryError("BAD_ARGUMENTS", "A value must not hold a zero byte");
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function assignments(prefix: string, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => {
    if (!NAME.test(name)) {
      throw queryError("UNKNOWN_SETTING", `Unknown setting ${JSON.stringify(name)}`);
    }
    return `${prefix}${name} = ${quoted(value)}`;
  });
}

/** Rows of a SELECT, piece by piece. */
export interface RowStream {
  /** The next piece, or undefined after the last. */
  next(): Promise<Uint8Array | undefined>;
  /** Ends the stream, after the piece that is being fetched. */
  cancel(): Promise<void>;
}

/**
 * One connection of the engine, for one request. Opening one takes 0.1 ms, and a connection that served before is not clean: settings stay, and what a cancelled query had
 * written comes with the next answer.
 */
export class Session implements Disposable {
  readonly #addon: Addon;
  readonly #connection: Connection;

  constructor(addon: Addon, dataDir: string) {
    this.#addon = addon;
    this.#connection = addon.CreateConnection(dataDir);
  }

  /** Applies database, settings and parameters. */
  async prepare(options: SessionOptions): Promise<void> {
    if (options.database !== undefined && options.database !== "default") {
      await this.query(
        `USE \`${options.database.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``,
        "Null",
      );
    }
    const set = [
      ...assignments("", options.settings),
      // Parameters through SET stay within the connection; those of the addon's own call do not, and can abort the engine (chdb-node, index.js: globalParamChain).
      ...assignments("param_", options.parameters),
    ];
    if (set.length > 0) await this.query(`SET ${set.join(", ")}`, "Null");
    if (options.readOnly) await this.query("SET readonly = 2", "Null");
  }

  async query(sql: string, format: string): Promise<Answer> {
    try {
      const raw = await this.#addon.QueryAsyncConnection(this.#connection, sql, format);
      const { bytes, rowsRead, bytesRead, elapsed } = raw;
      return { bytes, rowsRead, bytesRead, rowsWritten: 0, bytesWritten: 0, elapsedSec: elapsed };
    } catch (thrown) {
      throw engineError(thrown);
    }
  }

  async insert(sql: string, data: Uint8Array): Promise<Answer> {
    try {
      const raw = await this.#addon.InsertRawAsyncConnection(this.#connection, sql, data, false);
      const { rowsWritten, bytesWritten, elapsed } = raw;
      return {
        bytes: new Uint8Array(0),
        rowsRead: 0,
        bytesRead: 0,
        rowsWritten,
        bytesWritten,
        elapsedSec: elapsed,
      };
    } catch (thrown) {
      throw engineError(thrown);
    }
  }

  stream(sql: string, format: string): RowStream {
    const addon = this.#addon;
    try {
      const stream = addon.StreamQuery(this.#connection, sql, format);
      // The engine's side of a stream may not be touched while a piece of it is being fetched on another thread.
      let fetching: Promise<unknown> = Promise.resolve();
      return {
        async next() {
          const piece = addon.StreamFetch(stream);
          fetching = piece.catch(() => {});
          try {
            const { done, bytes } = await piece;
            return done === true ? undefined : bytes;
          } catch (thrown) {
            throw engineError(thrown);
          }
        },
        async cancel() {
          await fetching;
          addon.StreamCancel(stream);
        },
      };
    } catch (thrown) {
      throw engineError(thrown);
    }
  }

  [Symbol.dispose](): void {
    this.#addon.CloseConnection(this.#connection);
  }
}

/** The engine of this process: one data folder, and the process has no working folder any more. */
export interface Engine extends Disposable {
  /** As `SELECT version()` says it. */
  readonly version: string;
  open(): Session;
}

/**
 * The engine holds a lock on this file while it runs. It says so only on standard error when another one holds it: hence asked before.
 *
 * @throws {EmbeddedError} data_in_use
 */
async function checkUnused(folder: string, dataDir: string): Promise<void> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(`${folder}/status`, { read: true, write: true });
  } catch {
    return;
  }
  using status = file;
  if (await status.tryLock(true)) return;
  throw new EmbeddedError(
    `Cannot open data folder "${dataDir}": another process is using it`,
    { code: "data_in_use", cure: "end that process, or give another folder with --data" },
  );
}

async function prepareFolder(dataDir: string): Promise<string> {
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    const probe = `${dataDir}/.writable`;
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
    return await Deno.realPath(dataDir);
  } catch (cause) {
    throw new EmbeddedError(
      `Cannot write to data folder "${dataDir}": ${messageOf(cause)}`,
      { code: "data_not_writable", cure: "give a folder of your own with --data", cause },
    );
  }
}

/**
 * Starts the engine in this process, which then belongs to it: the working folder is removed, because the engine's function `file()` begins by asking for it, and no grant
 * covers that function. So it fails for every path, however it is called (a text of SQL that is put together at run time included).
 *
 * @param dataDir where the data live; made when missing
 * @throws {EmbeddedError}
 */
export async function startEngine(dataDir: string, limits: EngineLimits): Promise<Engine> {
  const folder = await prepareFolder(dataDir);
  await checkUnused(folder, dataDir);
  const addon = await loadAddon();
  const scratch = await Deno.makeTempDir({ dir: folder, prefix: ".start-" });
  const usersPath = `${scratch}/users.xml`;
  await Deno.writeTextFile(usersPath, usersXml(limits));
  await Deno.writeTextFile(`${scratch}/config.xml`, serverXml(usersPath, limits));
  let first: Connection;
  try {
    first = addon.CreateConnection(folder, [`--config-file=${scratch}/config.xml`]);
  } catch (thrown) {
    throw new EmbeddedError(`Cannot start the embedded ClickHouse: ${messageOf(thrown)}`, {
      code: "engine_failed",
      cure: "see what the engine said before this line",
      cause: thrown,
    });
  } finally {
    Deno.chdir(scratch);
    await Deno.remove(scratch, { recursive: true });
  }
  const open = () => new Session(addon, folder);
  using session = open();
  const { bytes } = await session.query("SELECT version()", "TabSeparatedRaw");
  const version = new TextDecoder().decode(bytes).trim();
  return { version, open, [Symbol.dispose]: () => addon.CloseConnection(first) };
}
