import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { systemDisk } from "../../lib/base/mod.ts";
import {
  askStatus,
  type ControlStatus,
  EVENTS_FILE,
  openRunFolder,
  readEvents,
  type RunFolder,
} from "../../lib/run/mod.ts";
import { type NotebookPage, withNotebook } from "./notebook_page.ts";
import { type LabSetting, labSetting } from "./setting.ts";
import { until } from "./until.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const setting = labSetting();
/** Longer than the test: it is ended by its button. */
const START = `import * as weir from "weir";
const run = await weir.start("bench50k", { rate: 4_000, duration: "8m", timeScale: 60, sources: 100, seed: 1 });
run.id;`;
const ENDED_WITHIN_MS = 120_000;

/** Writes a notebook of cells into the folder that JupyterLab shows. */
async function writeNotebook(
  { folder }: LabSetting,
  name: string,
  cells: readonly string[],
): Promise<void> {
  const notebook = {
    cells: cells.map((source, i) => ({
      id: `cell-${i}`,
      cell_type: "code",
      execution_count: null,
      metadata: {},
      outputs: [],
      source,
    })),
    metadata: { kernelspec: { display_name: "Deno", language: "typescript", name: "deno" } },
    nbformat: 4,
    nbformat_minor: 5,
  };
  await Deno.writeTextFile(`${folder}/notebooks/${name}`, JSON.stringify(notebook));
}

/** Ends a run that a failed test has left. */
async function endRun(folder: RunFolder | undefined): Promise<void> {
  if (folder === undefined) return;
  try {
    const { pid } = JSON.parse(await Deno.readTextFile(folder.file("control.json")));
    Deno.kill(pid, "SIGTERM");
  } catch {
    // It has ended.
  }
}

/** What a person sees and does under a chart, and what the run knows of it. */
class Controls {
  readonly #cell: Locator;
  readonly #folder: RunFolder;

  constructor(cell: Locator, folder: RunFolder) {
    this.#cell = cell;
    this.#folder = folder;
  }

  find(name: string): Locator {
    return this.#cell.locator(`[data-weir="${name}"]`);
  }

  /** The line under the buttons. */
  async state(): Promise<string> {
    return await this.find("state").innerText();
  }

  async click(name: string): Promise<void> {
    await this.find(name).click();
  }

  /** Takes the slider to a share of its length, as a hand with a mouse does. */
  async slideTo(share: number): Promise<void> {
    const slider = this.find("rate");
    await slider.scrollIntoViewIfNeeded();
    const box = (await slider.boundingBox())!;
    await slider.click({ position: { x: box.width * share, y: box.height / 2 } });
  }

  async untilStatus(
    what: string,
    matches: (status: ControlStatus) => boolean,
  ): Promise<ControlStatus> {
    return await until(what, async () => {
      const status = await askStatus(this.#folder).catch(() => undefined);
      return status !== undefined && matches(status) ? status : undefined;
    });
  }

  /** What was done to the run so far, for a person. */
  done(): string[] {
    const events = readEvents(systemDisk, this.#folder.file(EVENTS_FILE));
    return events.filter(({ refusal }) => refusal === null).map(({ text }) => text);
  }
}

async function startRun(notebook: NotebookPage): Promise<RunFolder> {
  const cell = await notebook.runCell("weir.start(");
  await notebook.untilDone(cell, 120_000);
  const id = /[\w-]*bench50k-\w+/.exec(await notebook.outputOf(cell))?.[0];
  assert.ok(id, `the cell shows the run's id: ${await notebook.outputOf(cell)}`);
  return await openRunFolder(`${ROOT}/runs/${id}`);
}

/** Waits until the chart of a cell shows some words. */
async function untilChartShows(notebook: NotebookPage, cell: Locator, words: RegExp) {
  await until(
    `the chart shows ${words}`,
    async () => (await notebook.chartsOf(cell)).some((svg) => words.test(svg)),
  );
}

Deno.test("slider and buttons under a chart steer the run, from the browser", async (t) => {
  let folder: RunFolder | undefined;
  const cells = [START, "await run.chart();", "await run.verdict();"];
  await writeNotebook(setting, "steer.ipynb", cells);
  try {
    await withNotebook(setting, "steer.ipynb", async (notebook) => {
      folder = await startRun(notebook);
      const cell = await notebook.runCell("run.chart(");
      await notebook.untilDone(cell, 60_000);
      const controls = new Controls(cell, folder);
      await t.step("they reach the run", async () => {
        await until(
          "the rate is shown",
          async () => /in [\d,]+ of 4,000 messages\/s · backlog/.test(await controls.state()),
        );
      });
      await t.step("the slider changes the rate, and the chart shows it", async () => {
        await controls.slideTo(0.75);
        const { targetRateMessagesPerSec: target } = await controls.untilStatus(
          "the run has another target",
          (status) => status.targetRateMessagesPerSec !== 4000,
        );
        assert.ok(target! > 6000 && target! < 9000, `the target is ${target}`);
        await controls.untilStatus(
          "more is sent",
          (status) => status.rateMessagesPerSec! > 0.8 * target!,
        );
        assert.match(controls.done().at(-1)!, /^rate/);
        await untilChartShows(notebook, cell, />rate [\d,]+/);
      });
      await t.step("Pause and Resume", async () => {
        await controls.click("pause");
        await controls.untilStatus("it pauses", (status) => status.isPaused);
        await until("the page says so", async () => /paused/.test(await controls.state()));
        await controls.click("resume");
        await controls.untilStatus(
          "it goes on",
          (status) => !status.isPaused && status.rateMessagesPerSec! > 0,
        );
      });
      await t.step("a fault button kills a process, which comes back", async () => {
        const before = JSON.parse(await Deno.readTextFile(folder!.file("roles.json")));
        await controls.click("kill-aggregate-1");
        await until("another process does its work", async () => {
          const after = JSON.parse(await Deno.readTextFile(folder!.file("roles.json")));
          return after["aggregate-1"].pid !== before["aggregate-1"].pid;
        });
        await until("the page says so", async () => /restarts 1/.test(await controls.state()));
        await untilChartShows(notebook, cell, /kill aggregate-1|aggregate-1 killed/);
        await controls.untilStatus(
          "its backlog is worked off",
          (status) => status.backlogMessages! < 10_000,
        );
      });
      // By then it has something to show.
      await controls.untilStatus("it goes on for a while", (status) => status.elapsedSec > 20);
      await notebook.picture(cell, `${setting.images}/lab-controls.png`);
      await t.step("Stop the run ends it with a verdict, and the controls with it", async () => {
        await controls.click("stop");
        const verdict = await notebook.runCell("run.verdict(");
        await notebook.untilDone(verdict, ENDED_WITHIN_MS);
        assert.match(await notebook.outputOf(verdict), /\b(PASS|VOID)\b/);
        await controls.find("ended").waitFor();
      });
      assert.deepEqual(await notebook.errors(), []);
    });
  } finally {
    await endRun(folder);
  }
});

Deno.test("Stop ends the cell and keeps the run; after a restart of the kernel it is found again", async (t) => {
  let folder: RunFolder | undefined;
  await writeNotebook(setting, "stop.ipynb", [
    START,
    'await run.watch("30s");',
    "await run.status();",
    "const found = await weir.attach(ID);",
    "await found.chart();",
    "await found.stop(); await found.verdict();",
  ]);
  try {
    await withNotebook(setting, "stop.ipynb", async (notebook) => {
      folder = await startRun(notebook);
      const watch = await notebook.runCell("run.watch(");
      await t.step("the button Stop ends the cell", async () => {
        await until("it draws", async () => (await notebook.chartsOf(watch)).length > 0);
        assert.equal(await notebook.promptOf(watch), "[*]:");
        await notebook.page.locator(
          '.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"], .jp-NotebookPanel-toolbar [data-jp-item-name="interrupt"] button',
        ).first().click();
        // Much sooner than the 30 s for which it would watch.
        await notebook.untilDone(watch, 15_000);
        assert.deepEqual(await notebook.errors(), []);
      });
      await t.step("kernel and run go on", async () => {
        const status = await notebook.runCell("run.status(");
        await notebook.untilDone(status, 30_000);
        assert.match(await notebook.outputOf(status), /phase/);
        assert.deepEqual(await notebook.errors(), []);
        assert.equal((await askStatus(folder!)).restartCount, 0);
      });
      await t.step("the chart goes on growing after Stop", async () => {
        const [before] = await notebook.chartsOf(watch);
        await until("it grows", async () => (await notebook.chartsOf(watch))[0] !== before);
      });
      await t.step("a restart of the kernel does not touch the run", async () => {
        await notebook.restartKernel();
        assert.equal((await askStatus(folder!)).restartCount, 0);
      });
      await t.step("attach() finds it, with chart and verdict", async () => {
        await notebook.setCell(
          "weir.attach(",
          `import * as weir from "weir";
const found = await weir.attach("${folder!.id}");`,
        );
        for (const source of ["weir.attach(", "found.chart("]) {
          await notebook.untilDone(await notebook.runCell(source), 60_000);
        }
        const controls = new Controls(notebook.cell("found.chart("), folder!);
        await until("its state is shown", async () => /backlog/.test(await controls.state()));
        const verdict = await notebook.runCell("found.verdict(");
        await notebook.untilDone(verdict, ENDED_WITHIN_MS);
        assert.match(await notebook.outputOf(verdict), /\b(PASS|VOID)\b/);
        assert.deepEqual(await notebook.errors(), []);
      });
    });
  } finally {
    await endRun(folder);
  }
});
