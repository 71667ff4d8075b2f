import { messageOf } from "../lib/base/mod.ts";
import { openRunFolder } from "../lib/run/mod.ts";
import { judgeRun } from "../lib/scenarios/mod.ts";
import { EXIT_CODES } from "../lib/verdict/mod.ts";
import { summaryText, wantsColor } from "../lib/report/text/mod.ts";
import { runJob } from "./_job.ts";

await runJob({
  usage: {
    command: "deno task verify",
    summary: "Judges a finished run again, from its folder alone: no server needs to be up.",
    positionals: ["RUN"],
    examples: ["deno task verify runs/20261121-143005-bench50k-3f2a"],
  },
  table: {
    "json": { kind: "boolean", help: "print the result as JSON on stdout" },
  },
  async run({ flags, positionals }) {
    const result = await judgeRun(await openRunFolder(positionals[0]!), (error) => {
      console.error(`verify: verdict.json was not written: ${messageOf(error)}`);
    });
    if (flags["json"]) console.log(JSON.stringify(result, null, 2));
    else {
      const color = wantsColor(Deno.stdout.isTerminal(), Deno.env.get("NO_COLOR"));
      console.log(summaryText(result, { color }));
    }
    return EXIT_CODES[result.verdict];
  },
});
