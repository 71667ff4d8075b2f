import { openRunFolder } from "../lib/run/mod.ts";
import { writeReport } from "../lib/weir.ts";
import { EXIT, runJob } from "./_job.ts";

await runJob({
  usage: {
    command: "deno task report",
    summary:
      "Draws the report of a finished run again: report.html, and its charts as SVG and PNG.",
    positionals: ["RUN"],
    examples: ["deno task report runs/20261121-143005-bench50k-3f2a"],
  },
  table: {},
  async run({ positionals }) {
    console.log(await writeReport(await openRunFolder(positionals[0]!)));
    return EXIT.pass;
  },
});
