import { card, pairs, section } from "./_blocks.ts";
import { bytesText, coresText, countText, flatten, latencyText, sumOf } from "./text/mod.ts";
import { PAGE_STYLE } from "./_page_style.ts";
import type { Result } from "../verdict/mod.ts";
import {
  eventSection,
  integritySection,
  latencySection,
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
}

/**
 * One run as one HTML page that needs nothing beside itself: verdict and why, headline, charts, tables, configuration
 * and environment. It holds no script.
 *
 * @returns the text of `report.html`
 */
export function reportHtml(report: RunReport): string {
  const { result, name, startedAtMs } = report;
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <title>${result.verdict}: ${name} ${result.runId}</title>
        <style>${trusted(PAGE_STYLE)}</style>
      </head>
      <body>
        <main>
    <header class="head"><h1>${name} <span class="muted">${result.runId}</span></h1>
    <span class="muted">${whenText(startedAtMs, result.durationSec)}</span></header>
    ${verdictBanner(result)}
    ${unsafeBanner(result)}
    ${plantsBanner(result)}
    ${tiles(result)}
    ${chartSection(runCharts(report.picture))}
    ${latencySection(result)}
    ${integritySection(result)}
    ${restartSection(result, startedAtMs)}
    ${eventSection(result, startedAtMs)}
    ${storageSection(result)}
    ${resourceSection(result)}
    ${thresholdSection(result)}
    ${settings("Configuration", result.configuration)}
    ${settings("Environment", { ...systemsOf(result), ...result.environment })}
        </main>
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

function unsafeBanner(result: Result): Html {
  if (result.unsafe.length === 0) return html``;
  return html`
    <section class="card warn" aria-labelledby="unsafe">
      <h2 id="unsafe">This run was made with a protection switched off</h2>
      <p>What is doubled in it was let through on purpose. Nothing here says anything about the systems as they are meant to be used.</p>
      <ul>${result.unsafe.map((what) => html`<li><code>${what}</code></li>`)}</ul>
    </section>
  `;
}

function plantsBanner(result: Result): Html {
  if (result.plants.length === 0) return html``;
  return html`
    <section class="card warn" aria-labelledby="plants">
      <h2 id="plants">This run carries planted faults</h2>
      <p>They were put in to prove that they are found. Nothing here says anything about the systems' own faults.</p>
      <ul>${result.plants.map((plant) => html`<li><code>${plant}</code></li>`)}</ul>
    </section>
  `;
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
      detail: "intended send time to receipt",
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

function chartSection(charts: readonly Chart[]): Html {
  const figures = charts.map((chart) =>
    html`<figure class="card"><h3>${chart.title}</h3>${
      (["wide", "narrow"] as const).map((size) =>
        html`<div class="${size}">${
          trusted(chart.draw({ theme: "page", size, id: `${chart.id}-${size}` }))
        }</div>`
      )
    }<figcaption>${chart.description}</figcaption></figure>`
  );
  return section("Charts", figures);
}

function settings(heading: string, value: Result["configuration"]): Html {
  return section(heading, card(pairs(heading, flatten(value), { quiet: true })));
}

function systemsOf({ systems, runDir }: Result): Record<string, string> {
  return { broker: systems.broker, clickhouse: systems.clickhouse, runDir };
}
