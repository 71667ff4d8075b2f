import { show } from "../report/mod.ts";
import { openRunFolder } from "../run/mod.ts";
import { drawRun } from "./live_chart.ts";
import type { RunHandle } from "./run_handle.ts";
import { writeReport } from "./write_report.ts";

/**
 * Waits for the end of a run, writes its report anew and shows the overview and where the report lies.
 *
 * @returns the path of `report.html`
 */
export async function report(run: RunHandle): Promise<string> {
  await run.result();
  const folder = await openRunFolder(run.path);
  const path = await writeReport(folder);
  await show(await drawRun(folder, "overview"));
  await show({ "text/plain": `report  ${path}` });
  return path;
}
