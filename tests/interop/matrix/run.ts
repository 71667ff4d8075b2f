/**
 * `deno task test:matrix`: each client against each broker, each behaviour a cell; see `--help`.
 *
 * @module
 */
import { join } from "node:path";
import { formatDurationMs, lineOf, systemClock, UsageError } from "../../../lib/base/mod.ts";
import { type Behaviour, BEHAVIOURS, type Setup } from "./behaviours.ts";
import type { MatrixBroker, StartBroker } from "./broker.ts";
import { type Cell, type Driver, type DriverConfig, runDriver } from "./driver.ts";
import { DRIVERS } from "./drivers.ts";
import { startEmbeddedBroker } from "./embedded_broker.ts";
import { HELP, type MatrixOptions, parseMatrixOptions } from "./options.ts";
import { startRealBroker } from "./real_broker.ts";
import {
  type Column,
  differencesOf,
  formatResult,
  type MatrixResult,
  readResult,
  withColumn,
} from "./result.ts";
import { renderDifferences } from "./differences.ts";
import { explanationOf } from "./explained.ts";
import { formatMarkdown, PAGE_FILE, renderPage, RESULT_FILE } from "./page.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");
const DATA_DIR = join(ROOT, ".data", "infra", "matrix");
const SCENARIO_TIMEOUT_MS = 100_000;

const START: Readonly<Record<string, StartBroker>> = {
  real: startRealBroker,
  embedded: startEmbeddedBroker,
};

const MARKS = { ok: "✓", failed: "✗", unsupported: "—" } as const;

function sayCell(driver: Driver, broker: string, cell: Cell): void {
  const { scenario, status, detail, ms } = cell;
  const words = status === "ok" ? `${ms} ms` : detail;
  console.error(`${MARKS[status]} ${driver.name} × ${broker}: ${scenario}  ${words}`);
}

/** Serves drivers that want something done to the broker. */
function serveControl(broker: MatrixBroker): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (new URL(request.url).pathname !== "/restart") return new Response(null, { status: 404 });
    await broker.restart();
    return new Response("restarted");
  });
}

/** The rows of one setup for one driver: those that stand one another side by side, then the others one by one. */
async function runRows(
  driver: Driver,
  rows: readonly Behaviour[],
  config: Omit<DriverConfig, "scenarios">,
  onCell: (cell: Cell) => void,
): Promise<Cell[]> {
  const together = rows.filter((row) => !row.isAlone).map(({ id }) => id);
  const batches = [together, ...rows.filter((row) => row.isAlone).map(({ id }) => [id])];
  const cells: Cell[] = [];
  for (const scenarios of batches) {
    if (scenarios.length === 0) continue;
    cells.push(...await runDriver(driver, { ...config, scenarios }, onCell));
  }
  return cells;
}

/** What is left to say of a setup whose broker does not start. */
function cellsOfNone(rows: readonly Behaviour[], error: unknown): Cell[] {
  const detail = `the broker does not start: ${(error as Error).message}`;
  return rows.map(({ id }) => ({ scenario: id, status: "failed", detail, notes: {}, ms: 0 }));
}

interface BrokerRun {
  readonly name: string;
  readonly rows: readonly Behaviour[];
  readonly drivers: readonly Driver[];
  readonly options: MatrixOptions;
}

/** One setup of a broker, started once for every driver. */
async function runSetup(
  { name, drivers, options }: BrokerRun,
  broker: MatrixBroker,
  rows: readonly Behaviour[],
): Promise<Cell[][]> {
  await using control = serveControl(broker);
  const cells: Cell[][] = [];
  for (const driver of drivers) {
    const startUs = systemClock.monoUs();
    const config = {
      ...broker.address,
      controlUrl: `http://127.0.0.1:${control.addr.port}`,
      runId: crypto.randomUUID().slice(0, 6),
      workers: options.workers,
      timeoutMs: SCENARIO_TIMEOUT_MS,
    };
    cells.push(await runRows(driver, rows, config, (cell) => sayCell(driver, name, cell)));
    const tookMs = (systemClock.monoUs() - startUs) / 1000;
    console.error(`${driver.name} × ${name}: ${formatDurationMs(tookMs)}`);
  }
  return cells;
}

/** One kind of broker, each of its setups in turn. */
async function runBroker(run: BrokerRun): Promise<{ column: Column; cells: Cell[] }[]> {
  const { name, drivers } = run;
  const cells = new Map<Driver, Cell[]>(drivers.map((driver) => [driver, []]));
  let brokerVersion = "";
  for (const setup of ["plain", "secured"] satisfies Setup[]) {
    const rows = run.rows.filter((row) => row.setup === setup);
    if (rows.length === 0) continue;
    let ofDrivers: Cell[][];
    try {
      await using broker = await START[name]!(setup, join(DATA_DIR, `${name}-${setup}`));
      brokerVersion = broker.version;
      ofDrivers = await runSetup(run, broker, rows);
    } catch (error) {
      console.error(`${name}, ${setup}: ${(error as Error).message}`);
      ofDrivers = drivers.map(() => cellsOfNone(rows, error));
    }
    drivers.forEach((driver, i) => cells.get(driver)!.push(...ofDrivers[i]!));
  }
  const ranAt = new Date().toISOString().slice(0, 16);
  return drivers.map((driver) => {
    const { name: client, title, version: clientVersion } = driver;
    const column = { client, broker: name, title, clientVersion, brokerVersion, ranAt };
    return { column, cells: cells.get(driver)! };
  });
}

async function writePage(result: MatrixResult): Promise<void> {
  await Deno.writeTextFile(PAGE_FILE, await formatMarkdown(renderPage(result)));
}

async function main(options: MatrixOptions): Promise<number> {
  if (options.isPageOnly) {
    await writePage(await readResult(RESULT_FILE));
    return 0;
  }
  await Deno.mkdir(DATA_DIR, { recursive: true });
  using lock = await Deno.open(join(DATA_DIR, "run.lock"), { create: true, write: true });
  if (!await lock.tryLock(true)) {
    throw new UsageError("Cannot run: another test:matrix of this checkout is running");
  }
  const rows = BEHAVIOURS.filter(({ id }) => id.includes(options.filter));
  const drivers: Driver[] = [];
  for (const name of options.clients) drivers.push(await DRIVERS[name]!(console.error));
  // A part of the rows says nothing of a column: it is shown and compared, and not kept.
  const isWhole = rows.length === BEHAVIOURS.length;
  let seen: MatrixResult = { columns: [], cells: {} };
  let kept = await readResult(RESULT_FILE);
  for (const name of options.brokers) {
    for (const { column, cells } of await runBroker({ name, rows, drivers, options })) {
      seen = withColumn(seen, column, cells);
      kept = withColumn(kept, column, cells);
    }
  }
  if (isWhole) {
    await Deno.writeTextFile(RESULT_FILE, formatResult(kept));
    await writePage(kept);
  }
  // What is compared with the real broker may have run before.
  const compared = isWhole ? kept : seen;
  const differences = differencesOf(compared).filter((one) => explanationOf(one) === undefined);
  const text = renderDifferences(differences);
  if (options.differencesFile !== undefined) {
    await Deno.writeTextFile(options.differencesFile, text);
  }
  console.log(text);
  return differences.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    const options = parseMatrixOptions(Deno.args, Object.keys(DRIVERS));
    if (options === "help") {
      console.log(HELP);
      Deno.exit(0);
    }
    Deno.exit(await main(options));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`test:matrix: ${lineOf(error)}`);
    Deno.exit(2);
  }
}
