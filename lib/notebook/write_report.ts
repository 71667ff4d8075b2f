import { type Chart, pngOf, reportHtml, runCharts, systemsText } from "../report/mod.ts";
import type { RunFolder } from "../run/mod.ts";
import {
  archiveIn,
  archiveText,
  readPage,
  readRunArchive,
  type RunArchive,
} from "./run_archive.ts";
import { pictureOf } from "./run_picture.ts";

async function writeCharts(
  out: string,
  charts: readonly Chart[],
  subtitle: string,
): Promise<void> {
  await Deno.mkdir(`${out}/charts`, { recursive: true });
  for (const chart of charts) {
    const svg = chart.draw({ theme: "light", withTitle: true, subtitle });
    await Deno.writeTextFile(`${out}/charts/${chart.id}.svg`, svg);
    await Deno.writeFile(`${out}/charts/${chart.id}.png`, await pngOf(svg));
  }
}

/** Draws what an archive holds into a folder. */
async function writeArchive(archive: RunArchive, out: string): Promise<string> {
  const { result, manifest } = archive;
  const { name, startedAtMs } = manifest;
  const picture = pictureOf(archive);
  await writeCharts(out, runCharts(picture), systemsText(result));
  const path = `${out}/report.html`;
  const page = reportHtml({
    result,
    picture,
    name,
    startedAtMs,
    archive: { data: archive, text: archiveText(archive) },
  });
  // As a whole or not at all: it may be drawn from the file in whose place it comes.
  await Deno.writeTextFile(`${path}.tmp`, page);
  await Deno.rename(`${path}.tmp`, path);
  return path;
}

/**
 * Draws a judged run: `report.html`, and each chart as SVG and PNG under `charts/`.
 *
 * @returns the path of `report.html`
 */
export async function writeReport(folder: RunFolder): Promise<string> {
  return await writeArchive(await readRunArchive(folder), folder.path);
}

/**
 * Draws a report again from itself: the same page, and its charts, without the folder of the run.
 *
 * @param page path of a `report.html`
 * @param out folder for `report.html` and `charts/`; made if it is missing
 * @returns the path of the new `report.html`
 * @throws {ReportError} `no_data`, `damaged_data`
 */
export async function redrawReport(page: string, out: string): Promise<string> {
  return await writeArchive(archiveIn(await readPage(page)), out);
}
