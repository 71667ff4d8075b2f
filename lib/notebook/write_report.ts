import { type Chart, pngOf, reportHtml, runCharts, systemsText } from "../report/mod.ts";
import type { RunFolder } from "../run/mod.ts";
import { parseResult } from "../verdict/mod.ts";
import { readManifest, readPicture } from "./run_picture.ts";

async function writeCharts(
  folder: RunFolder,
  charts: readonly Chart[],
  subtitle: string,
): Promise<void> {
  for (const chart of charts) {
    const svg = chart.draw({ theme: "light", withTitle: true, subtitle });
    await Deno.writeTextFile(folder.file(`charts/${chart.id}.svg`), svg);
    await Deno.writeFile(folder.file(`charts/${chart.id}.png`), await pngOf(svg));
  }
}

/**
 * Draws a judged run: `report.html`, and each chart as SVG and PNG under `charts/`.
 *
 * @returns the path of `report.html`
 */
export async function writeReport(folder: RunFolder): Promise<string> {
  const manifest = await readManifest(folder);
  const result = parseResult(JSON.parse(await Deno.readTextFile(folder.file("verdict.json"))));
  const picture = await readPicture(folder);
  await Deno.mkdir(folder.file("charts"), { recursive: true });
  await writeCharts(folder, runCharts(picture), systemsText(result));
  const path = folder.file("report.html");
  const { name, startedAtMs } = manifest;
  await Deno.writeTextFile(path, reportHtml({ result, picture, name, startedAtMs }));
  return path;
}
