/**
 * docs/pulsar-compatibility.md from the result of a run.
 *
 * @module
 */
import { join } from "node:path";
import { type Behaviour, BEHAVIOURS } from "./behaviours.ts";
import { explanationOf } from "./explained.ts";
import {
  type Column,
  columnKey,
  type Difference,
  differencesOf,
  type MatrixResult,
} from "./result.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");

/** The page. */
export const PAGE_FILE = join(ROOT, "docs", "pulsar-compatibility.md");
/** The last run of each column. */
export const RESULT_FILE = join(import.meta.dirname!, "result.jsonl");

/** Clients and brokers in the order of the page. */
const CLIENT_ORDER = ["weir", "python", "go", "java"];
const BROKER_ORDER = ["real", "embedded"];

const INTRODUCTION = `# Pulsar compatibility

What Apache Pulsar's clients see of the embedded broker, and what our client sees of a real Pulsar. Each row is a
behaviour, each column a client against a broker, **each cell a test that ran**: a small program of that client
(\`tests/interop/drivers/\`) shows the behaviour, on its own topics, and fails when anything differs. Where what is
seen can be told in words or numbers, such as the name of an error, a redelivery count, an HTTP status or which
consumer of a failover subscription is active, the two brokers must give the same.

This page is made by

    deno task test:matrix

from \`tests/interop/matrix/result.jsonl\`, the result of the last run; \`deno task test\` checks that the two agree.
One cell again: \`deno task test:matrix --client go --broker embedded --filter key_shared\`. It needs Java 17 with
\`javac\`, Maven for the first time, Go 1.24 and Python 3; what it brings goes into \`.data/infra\`.

✓ shown · ✗ not shown, see the note · — the client does not offer it, see [below](#what-a-client-does-not-offer)`;

const DESIGN = `## Refused by design

- **Transactions.** The embedded broker has no transaction coordinator and says so as a Pulsar without one does
  (\`transactionCoordinatorEnabled=false\`): that is the row \`transactions\`.
- **Geo-replication.** There is one cluster, \`standalone\`; a namespace or tenant with another one is refused.
- **Functions, connectors, tiered storage, bookies, bundles split by load**: there is one process and no such thing.`;

function ordered(result: MatrixResult): Column[] {
  const rank = ({ client, broker }: Column) =>
    CLIENT_ORDER.indexOf(client) * BROKER_ORDER.length + BROKER_ORDER.indexOf(broker);
  return result.columns.toSorted((a, b) => rank(a) - rank(b));
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The notes below the tables, in the order in which cells refer to them. */
class Notes {
  readonly #numbers = new Map<string, number>();

  /** The reference to a note. */
  refer(text: string): string {
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1;
    this.#numbers.set(text, number);
    return ` [${number}](#notes)`;
  }

  render(): string {
    if (this.#numbers.size === 0) return "";
    const lines = [...this.#numbers].map(([text, number]) => `${number}. ${text}`);
    return `## Notes\n\n${lines.join("\n")}\n\n`;
  }
}

/** Text of a program in a cell or list of Markdown. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").replaceAll(/[<>]/g, "\\$&").trim();
}

function noteOf(difference: Difference): string {
  const { scenario, client, broker, expected, got } = difference;
  const seen = `\`${scenario}\`, ${client} × ${broker}: expected ${plain(expected)}, got ${
    plain(got).slice(0, 300)
  }`;
  return explanationOf(difference) ?? seen;
}

function cellOf(
  result: MatrixResult,
  at: { column: Column; row: Behaviour },
  context: { differences: readonly Difference[]; notes: Notes },
): string {
  const { column, row } = at;
  const cell = result.cells[columnKey(column)]?.[row.id];
  if (cell === undefined) return "not run";
  const difference = context.differences.find(({ scenario, client, broker }) =>
    scenario === row.id && client === column.client && broker === column.broker
  );
  if (difference !== undefined) {
    const mark = cell.status === "ok" && explanationOf(difference) !== undefined ? "✓" : "✗";
    return `${mark}${context.notes.refer(noteOf(difference))}`;
  }
  return cell.status === "ok" ? "✓" : "—";
}

function renderColumns(columns: readonly Column[]): string {
  const rows = columns.map(({ title, clientVersion, brokerVersion, ranAt }) => [
    title,
    clientVersion,
    brokerVersion,
    ranAt.replace("T", " "),
  ]);
  return table(["client", "version", "broker", "run (UTC)"], rows);
}

function renderCounts(result: MatrixResult, columns: readonly Column[]): string {
  const rows = columns.map((column) => {
    const cells = Object.values(result.cells[columnKey(column)] ?? {});
    const count = (status: string) => `${cells.filter((cell) => cell.status === status).length}`;
    return [column.title, column.broker, count("ok"), count("failed"), count("unsupported")];
  });
  return table(["client", "broker", "✓", "✗", "—"], rows);
}

function renderMissing(result: MatrixResult, columns: readonly Column[]): string {
  const parts = columns.filter(({ broker }) => broker === "real").map((column) => {
    const cells = Object.entries(result.cells[columnKey(column)] ?? {});
    const byReason = Map.groupBy(
      cells.filter(([, { status }]) => status === "unsupported"),
      ([, { detail }]) => detail,
    );
    const lines = [...byReason].map(([reason, missing]) =>
      `- ${plain(reason)}: ${missing.map(([scenario]) => `\`${scenario}\``).join(", ")}`
    );
    return lines.length === 0 ? "" : `### ${column.title}\n\n${lines.join("\n")}\n\n`;
  });
  return `## What a client does not offer\n\n${parts.join("")}`;
}

/** The page of a result, as Markdown that is yet to be formatted. */
export function renderPage(result: MatrixResult): string {
  const columns = ordered(result);
  const notes = new Notes();
  const differences = differencesOf(result);
  const header = ["", ...columns.map(({ title, broker }) => `${title}, ${broker}`)];
  const groups = [...Map.groupBy(BEHAVIOURS, ({ group }) => group)].map(([group, rows]) => {
    const lines = rows.map((row) => [
      `\`${row.id}\` ${row.shows}`,
      ...columns.map((column) => cellOf(result, { column, row }, { differences, notes })),
    ]);
    return `## ${group}\n\n${table(header, lines)}\n\n`;
  });
  return [
    `${INTRODUCTION}\n\n${renderColumns(columns)}\n\n${renderCounts(result, columns)}\n\n`,
    ...groups,
    notes.render(),
    renderMissing(result, columns),
    `${DESIGN}\n`,
  ].join("");
}

/** The text as `deno fmt` has it. */
export async function formatMarkdown(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "--line-width", "100", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout);
}
