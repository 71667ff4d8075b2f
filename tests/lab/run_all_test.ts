import assert from "node:assert/strict";
import { type NotebookPage, withNotebook } from "./notebook_page.ts";
import { labSetting } from "./setting.ts";
import { until } from "./until.ts";

const setting = labSetting();
const NOTEBOOK_WITHIN_MS = 240_000;
/** More than the first and the last picture: it was seen growing. */
const STATES_MIN = 5;

/** A notebook to run from top to bottom. */
interface Case {
  readonly name: string;
  /** Text of the cell whose chart grows. */
  readonly chart: string;
  /** Text of the cell whose end is the end of the run. */
  readonly verdict: string;
  /** A machine that is too busy makes a run VOID; FAIL is for the damage that 05 plants. */
  readonly verdicts: RegExp;
  readonly pictures: readonly { readonly of: string; readonly file: string }[];
}

const CASES: readonly Case[] = [
  {
    name: "01_bench50k.ipynb",
    chart: "run.chart(",
    verdict: "run.verdict(",
    verdicts: /\b(PASS|VOID)\b/,
    pictures: [{ of: "run.verdict(", file: "lab-verdict.png" }],
  },
  {
    name: "04_event_time.ipynb",
    chart: "weir.watchEventTimes(run)",
    verdict: "await run.verdict(",
    verdicts: /\b(PASS|VOID)\b/,
    pictures: [{ of: "weir.watchEventTimes(run)", file: "lab-event-time.png" }],
  },
  {
    name: "05_exactly_once.ipynb",
    chart: "run.watch(",
    verdict: "await naked.verdict(",
    verdicts: /\b(FAIL|VOID)\b/,
    pictures: [],
  },
];

/** Runs all cells, and gathers what the chart looked like meanwhile. */
async function runAll(notebook: NotebookPage, { chart, verdict }: Case): Promise<Set<string>> {
  const states = new Set<string>();
  await notebook.runAll();
  await until("the run is over", async () => {
    for (const svg of await notebook.chartsOf(notebook.cell(chart))) states.add(svg);
    const isDone = /^\[\d+\]:$/.test(await notebook.promptOf(notebook.cell(verdict)));
    return isDone || (await notebook.errors()).length > 0;
  }, NOTEBOOK_WITHIN_MS);
  await notebook.untilIdle(NOTEBOOK_WITHIN_MS);
  return states;
}

for (const one of CASES) {
  Deno.test(`Run All of ${one.name} shows a chart that grows, and a verdict`, () =>
    withNotebook(setting, one.name, async (notebook) => {
      const states = await runAll(notebook, one);
      assert.deepEqual(await notebook.errors(), []);
      assert.ok(
        states.size >= STATES_MIN,
        `the chart was seen in ${states.size} states, not in ${STATES_MIN} or more`,
      );
      for (const svg of states) assert.match(svg, /^<svg[^]+<path[^]+<\/svg>\s*$/);
      assert.match(await notebook.outputOf(notebook.cell(one.verdict)), one.verdicts);
      for (const { of, file } of one.pictures) {
        await notebook.picture(notebook.cell(of), `${setting.images}/${file}`);
      }
    }));
}
