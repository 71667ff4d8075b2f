/**
 * Runs a driver: a program of one client that shows behaviours and says on each line how one went.
 *
 * @module
 */
import type { BrokerAddress } from "./broker.ts";

/** How a cell went. */
export type CellStatus = "ok" | "failed" | "unsupported";

/** What a driver says of one behaviour. */
export interface Cell {
  readonly scenario: string;
  readonly status: CellStatus;
  /** Why it is not ok; empty when it is. */
  readonly detail: string;
  /** What was seen and must be the same with every broker, such as the name of an error. */
  readonly notes: Readonly<Record<string, unknown>>;
  readonly ms: number;
}

/** What a driver is given, as JSON in its last argument. */
export interface DriverConfig extends BrokerAddress {
  /** Where `POST /restart` kills the broker and starts it again. */
  readonly controlUrl: string;
  /** Part of the names of topics, so that a run meets nothing of another one. */
  readonly runId: string;
  readonly scenarios: readonly string[];
  /** How many scenarios run side by side: most of them wait most of the time. */
  readonly workers: number;
  /** For one scenario. */
  readonly timeoutMs: number;
}

/** How to start a driver. */
export interface Driver {
  /** As flags name it. */
  readonly name: string;
  /** As the page calls it: "Python". */
  readonly title: string;
  /** Of the client, with its name in its registry. */
  readonly version: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Beyond one scenario after the other at its longest, a driver hangs. */
const DRIVER_TIMEOUT_MS = 5 * 60_000;

function parseCell(line: string): Cell | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const cell = JSON.parse(line);
    return typeof cell.scenario === "string" && typeof cell.status === "string" ? cell : undefined;
  } catch {
    return undefined;
  }
}

async function readCells(
  stream: ReadableStream<Uint8Array>,
  onCell: (cell: Cell) => void,
): Promise<string> {
  let rest = "";
  let other = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const cell = parseCell(line);
      if (cell === undefined) other = `${other}${line}\n`.slice(-4_000);
      else onCell(cell);
    }
  }
  return other + rest;
}

async function readTail(stream: ReadableStream<Uint8Array>): Promise<string> {
  let tail = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    tail = (tail + text).slice(-4_000);
  }
  return tail;
}

/**
 * Runs the scenarios of `config` and gives one cell for each, in their order. What a driver does not mention has
 * failed, with the driver's last words.
 */
export async function runDriver(
  driver: Driver,
  config: DriverConfig,
  onCell: (cell: Cell) => void,
): Promise<Cell[]> {
  const cells = new Map<string, Cell>();
  const child = new Deno.Command(driver.command, {
    args: [...driver.args, JSON.stringify(config)],
    ...(driver.env === undefined ? {} : { env: { ...driver.env } }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), DRIVER_TIMEOUT_MS);
  const [stdout, stderr] = await Promise.all([
    readCells(child.stdout, (cell) => {
      if (cells.has(cell.scenario)) return;
      cells.set(cell.scenario, cell);
      onCell(cell);
    }),
    readTail(child.stderr),
  ]);
  await child.status;
  clearTimeout(timer);
  return config.scenarios.map((scenario) => {
    const cell = cells.get(scenario);
    if (cell !== undefined) return cell;
    const words = `${stdout}${stderr}`.trim().slice(-600);
    const missing: Cell = {
      scenario,
      status: "failed",
      detail: `the driver said nothing of it: ${words}`,
      notes: {},
      ms: 0,
    };
    onCell(missing);
    return missing;
  });
}
