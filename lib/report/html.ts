import { card, pairs, section } from "./_blocks.ts";
import {
  bytesText,
  coresText,
  countText,
  flatten,
  latencyText,
  sendTimeText,
  sumOf,
} from "./text/mod.ts";
import { PAGE_SCRIPT, PAGE_SCRIPT_HASH } from "./_page_script.ts";
import { PAGE_STYLE } from "./_page_style.ts";
import { jsonScript, packedScript } from "./embedded.ts";
import type { Result } from "../verdict/mod.ts";
import {
  eventSection,
  integritySection,
  latencySection,
  markSection,
  resourceSection,
  restartSection,
  storageSection,
  thresholdSection,
  whenText,
} from "./_sections.ts";
import { type Html, html, trusted } from "./escape.ts";
import { headline, systemsText } from "./text/mod.ts";
import { type Chart, runCharts, type RunPicture } from "./run_charts.ts";

/** Everything that a report shows. */
export interface RunReport {
  readonly result: Result;
  readonly picture: RunPicture;
  /** What was run, e.g. `bench50k`. */
  readonly name: string;
  readonly startedAtMs: number;
  /** What the page carries for programs, so that the run can be drawn and compared from the page alone. */
  readonly archive?: ReportArchive;
}

/** Data that travel in a page. */
export interface ReportArchive {
  /** Anything that JSON can hold. */
  readonly data: unknown;
  /** One sentence on what that is. */
  readonly text: string;
}

/**
 * One run as one HTML page that needs nothing beside itself: verdict and why, headline, charts, tables, configuration
 * and environment. A script of its own, the only one that its policy lets run, makes the charts answer to pointer and
 * keyboard; without it they are the same pictures.
 *
 * @returns the text of `report.html`
 */
export function reportHtml(report: RunReport): string {
  const { result, name, startedAtMs } = report;
  const charts = runCharts(report.picture);
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src '${PAGE_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'">
        <title>${result.verdict}: ${name} ${result.runId}</title>
        <style>${trusted(PAGE_STYLE)}</style>
      </head>
      <body>
        <main>
    <header class="head"><h1>${name} <span class="muted">${result.runId}</span></h1>
    <span class="muted">${whenText(startedAtMs, result.durationSec)}</span></header>
    ${verdictBanner(result)}
    ${warningBanners(result)}
    ${tiles(result)}
    ${chartSection(charts)}
    ${latencySection(result)}
    ${integritySection(result)}
    ${restartSection(result, startedAtMs)}
    ${markSection(report.picture.marks)}
    ${eventSection(result, startedAtMs)}
    ${storageSection(result)}
    ${resourceSection(result)}
    ${thresholdSection(result)}
    ${settings("Configuration", result.configuration)}
    ${settings("Environment", { ...systemsOf(result), ...result.environment })}
    ${archiveSection(report.archive)}
        </main>
    ${jsonScript("weir-charts", charts.map(({ id, title, data }) => ({ id, title, ...data() })))}
    <script>${trusted(PAGE_SCRIPT)}</script>
      </body>
    </html>
  `;
  return String(page);
}

const VOID_NOTE = html`
  <p
    class="muted">What follows is what was measured, to find the cause by. No figure of speed or cost in it can be relied on.</p>
`;

function verdictBanner(result: Result): Html {
  const reasons = result.reasons.map((reason) => html`<li>${reason}</li>`);
  const said = headline(result) ?? `No headline figure: measured on ${systemsText(result)}`;
  return html`<section class="card verdict" aria-label="Verdict" style="--tone:var(--weir-${result.verdict.toLowerCase()})">
<strong>${result.verdict}</strong>
<p class="headline">${said}</p>
<ul>${reasons}</ul>
${result.verdict === "VOID" ? VOID_NOTE : html``}
</section>`;
}

/** What makes the run another experiment than it seems: before any figure. */
function warningBanners(result: Result): Html {
  const { plants, unsafe, loop } = result;
  return html`${[
    plants.length === 0 ? html`` : banner(
      "This run carries planted faults",
      "They were put in to prove that they are found. Nothing here says anything about the systems' own faults.",
      plants,
    ),
    unsafe.length === 0 ? html`` : banner(
      "This run was made with a protection switched off",
      "What is doubled in it was let through on purpose. Nothing here says anything about the systems as they are meant to be used.",
      unsafe,
    ),
    loop === "open" ? html`` : banner(
      "Closed loop",
      "The next batch waited for the receipt of the one before: messages that a stall held back were never due, and their waiting is missing from the publish latency. Do not read it as what users would see.",
      [`loop: ${loop}`],
    ),
  ]}`;
}

function banner(heading: string, text: string, items: readonly string[]): Html {
  const id = heading.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  return html`
    <section class="card warn" aria-labelledby="${id}">
      <h2 id="${id}">${heading}</h2>
      <p>${text}</p>
      <ul>${items.map((item) => html`<li><code>${item}</code></li>`)}</ul>
    </section>
  `;
}

function archiveSection(archive: ReportArchive | undefined): Html {
  if (archive === undefined) return html``;
  return html`${
    section(
      "Raw data",
      card(
        html`<p>${archive.text}</p>`,
        html`<p><code>deno task report --from report.html</code> draws this page again from itself, and <code>deno task compare</code> takes it in place of a run folder.</p>`,
      ),
    )
  }${packedScript(archive.data)}`;
}

interface Tile {
  readonly label: string;
  readonly value: string;
  readonly detail: string;
  readonly look?: "bad" | "void";
}

function tiles(result: Result): Html {
  const list = [...figureTiles(result), ...integrityTiles(result)].map((tile) =>
    html`
      <li
        class="tile"><span class="label">${tile.label}</span><span class="value ${tile.look ??
          ""}">${tile.value}</span><span class="detail">${tile.detail}</span></li>
    `
  );
  return html`<ul class="tiles" aria-label="Summary">${list}</ul>`;
}

/** Figures of speed and cost, which a VOID run cannot stand behind. */
function figureTiles(result: Result): Tile[] {
  const { publish, windowVisible } = result.latencyUs;
  const cpuSec = sumOf(Object.values(result.cpuSeconds));
  const figures: Tile[] = [
    {
      label: "rate",
      value: countText(result.rateMessagesPerSec),
      detail: "messages/s acknowledged",
    },
    {
      label: "publish p99",
      value: latencyText(publish.p99, publish.count),
      detail: `${sendTimeText(result.loop)} to receipt`,
    },
    {
      label: "window visible p99",
      value: latencyText(windowVisible.p99, windowVisible.count),
      detail: windowVisible.count === 0
        ? "no window closed by the watermark"
        : "closed to stored in ClickHouse",
    },
    {
      label: "CPU",
      value: coresText(cpuSec, result.durationSec),
      detail: "cores, all measured roles",
    },
    {
      label: "memory",
      value: bytesText(sumOf(Object.values(result.rssBytesMax))),
      detail: "highest, summed over roles",
    },
  ];
  if (result.verdict !== "VOID") return figures;
  return figures.map((tile) => ({ ...tile, value: "VOID", look: "void" }));
}

function integrityTiles({ messages, rows }: Result): Tile[] {
  const bad = (count: number) => count > 0 ? { look: "bad" as const } : {};
  const wrongRows = rows.missing + rows.extra + rows.wrong;
  return [
    {
      label: "lost",
      value: countText(messages.lost),
      detail: `of ${countText(messages.acked)} acknowledged`,
      ...bad(messages.lost),
    },
    {
      label: "duplicated",
      value: countText(messages.duplicated),
      detail: "messages counted twice",
      ...bad(messages.duplicated),
    },
    {
      label: "rows amiss",
      value: countText(wrongRows),
      detail: "missing, extra or wrong",
      ...bad(wrongRows),
    },
  ];
}

/** Shown by the script, as without it there is nothing to reset. */
const ZOOM_BAR = html`
  <div class="zoombar" hidden>
    <span class="muted">Drag along time to zoom all charts; a click on a name hides its line.</span>
    <span class="now"><span role="status"></span>
      <button type="button" hidden>Reset zoom</button></span>
  </div>
`;

function chartSection(charts: readonly Chart[]): Html {
  return section("Charts", ZOOM_BAR, charts.map(figure));
}

function figure(chart: Chart): Html {
  const { lines, boxes } = chart.data();
  // Small multiples are headed by their names.
  const legend = boxes.wide.length > 1
    ? []
    : lines.map(({ name, tone, look }) =>
      html`<li><i class="key" data-look="${look}" style="--tone:var(--weir-${tone})"></i>${name}</li>`
    );
  const plots = (["wide", "narrow"] as const).map((size) =>
    html`<div class="plot ${size}" data-size="${size}">${
      trusted(
        chart.draw({ theme: "page", size, withLegend: false, id: `${chart.id}-${size}` }),
      )
    }</div>`
  );
  return html`
    <figure class="card chart"
      data-chart="${chart.id}"
      ${boxes.wide.length > 1 ? trusted(' data-panels=""') : ""}><h3>${chart
        .title}</h3>${legend.length === 0
        ? ""
        : html`<ul class="legend">${legend}</ul>`}${plots}<figcaption>${chart
        .description}</figcaption></figure>
  `;
}

function settings(heading: string, value: Result["configuration"]): Html {
  return section(heading, card(pairs(heading, flatten(value), { quiet: true, stacked: true })));
}

function systemsOf({ systems, runDir }: Result): Record<string, string> {
  return { broker: systems.broker, clickhouse: systems.clickhouse, runDir };
}
