import { UsageError } from "../lib/base/mod.ts";
import { readResultAt } from "../lib/notebook/mod.ts";
import { comparisonOf, comparisonText, MAIN_MEASURES } from "../lib/report/text/mod.ts";
import type { Result } from "../lib/verdict/mod.ts";
import type { FlagTable } from "./_flags.ts";
import { EXIT, runJob } from "./_job.ts";

const TABLE = {
  "before": {
    kind: "list",
    example: "runs/A runs/B",
    help: "runs of the one side, as many as follow",
  },
  "after": { kind: "list", example: "runs/C", help: "runs of the other side, as many as follow" },
  "all": { kind: "boolean", help: "every measure, not only the main ones" },
  "json": { kind: "boolean", help: "print the comparison, with every measure, as JSON" },
} as const satisfies FlagTable;

/** `--before A B` as `--before A --before B`: a shell's `runs/*` is as many as there are. */
function spreadLists(args: readonly string[]): string[] {
  let flag: string | undefined;
  return args.flatMap((argument, i) => {
    if (argument.startsWith("-")) {
      flag = argument === "--before" || argument === "--after" ? argument : undefined;
      // One without any value is left for the parser to complain of.
      const isFollowed = args[i + 1] !== undefined && !args[i + 1]!.startsWith("-");
      return flag !== undefined && isFollowed ? [] : [argument];
    }
    return flag === undefined ? [argument] : [flag, argument];
  });
}

async function readAll(paths: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  // One after the other: a report is some MB unpacked.
  for (const path of paths) results.push(await readResultAt(path));
  return results;
}

await runJob({
  usage: {
    command: "deno task compare",
    summary: [
      "Compares runs measure by measure: folders, ids under runs/, or report.html files.",
      "",
      "Exit codes: 0 no measure shown is worse, 1 one is (never from fewer than five runs on a side), " +
      "2 usage or a run that cannot be read, 3 nothing to compare (e.g. all VOID).",
    ].join("\n"),
    positionals: ["[A]", "[B]"],
    examples: [
      "deno task compare runs/20261121-143005-bench50k-3f2a runs/20261121-150112-bench50k-90c1",
      "deno task compare --before old/*/report.html --after new/*/report.html",
    ],
  },
  table: TABLE,
  async run({ flags, positionals: [a, b] }) {
    const before = a === undefined ? flags.before : [a];
    const after = b === undefined ? flags.after : [b];
    const isMixed = a !== undefined && flags.before.length + flags.after.length > 0;
    if (isMixed || before.length === 0 || after.length === 0) {
      throw new UsageError(
        "compare takes A and B, or --before A1 A2 … and --after B1 B2 …",
        "see --help",
      );
    }
    const whole = comparisonOf(await readAll(before), await readAll(after));
    const measures = flags.all
      ? whole.measures
      : whole.measures.filter(({ name }) => MAIN_MEASURES.includes(name));
    if (flags.json) console.log(JSON.stringify(whole, null, 2));
    else console.log(comparisonText({ ...whole, measures }).trimEnd());
    if (whole.measures.length === 0) return EXIT.void;
    return measures.some(({ conclusion }) => conclusion === "worse") ? EXIT.fail : EXIT.pass;
  },
}, spreadLists(Deno.args));
