import { UsageError } from "../lib/base/mod.ts";
import { redrawReport, writeReport } from "../lib/notebook/mod.ts";
import { openRunFolder } from "../lib/run/mod.ts";
import { EXIT, runJob } from "./_job.ts";

await runJob({
  usage: {
    command: "deno task report",
    summary:
      "Draws the report of a finished run again: report.html, and its charts as SVG and PNG. From its folder, or from a report.html alone, which carries its run.",
    positionals: ["[RUN]"],
    examples: [
      "deno task report runs/20261121-143005-bench50k-3f2a",
      "deno task report --from report.html --out redrawn",
    ],
  },
  table: {
    "from": { kind: "text", help: "a report.html in place of a run" },
    "out": { kind: "text", help: "folder for what is drawn from a report (default redrawn)" },
  },
  async run({ flags, positionals: [run] }) {
    const { from, out } = flags;
    if ((run === undefined) === (from === undefined)) {
      throw new UsageError("report takes either RUN or --from", "see --help");
    }
    if (from === undefined && out !== undefined) {
      throw new UsageError("--out belongs to --from: a run is drawn into its own folder");
    }
    const path = from === undefined
      ? await writeReport(await openRunFolder(run!))
      : await redrawReport(from, out ?? "redrawn");
    console.log(path);
    return EXIT.pass;
  },
});
