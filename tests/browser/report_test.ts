/** The report in a real browser: Debian's chromium, driven by playwright-core. `deno task test:report`. */
import assert from "node:assert/strict";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { timelineOf } from "../../lib/metrics/mod.ts";
import { reportHtml } from "../../lib/report/mod.ts";
import { fixtureReport, START_MS } from "../report/_fixture.ts";
import { syntheticRun } from "../report/_synthetic.ts";

const CHROMIUM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
const DURATION_SEC = 90;

const isMissing = !(await Deno.stat(CHROMIUM).then(() => true, () => false));
if (isMissing) console.log(`SKIPPED: no ${CHROMIUM}; set CHROMIUM to a browser`);

/** A page with everything on it: warnings, marks close together, findings, missed thresholds. */
function pageText(): string {
  const report = fixtureReport({ durationSec: DURATION_SEC, killAtSec: 30 }, {
    verdict: "FAIL",
    plants: ["drop:sensor-0007:12"],
    unsafe: ["no-token"],
    loop: "closed",
  });
  const { samples } = syntheticRun({ durationSec: DURATION_SEC, killAtSec: 30, startMs: START_MS });
  return reportHtml({
    ...report,
    picture: {
      ...report.picture,
      timeline: timelineOf(samples, { startMs: START_MS }),
      marks: [
        ...report.picture.marks,
        { atSec: 31, label: "rate 80,000/s", kind: "note" },
        { atSec: 33, label: "a note that is longer than what has room over a chart", kind: "note" },
        { atSec: 88, label: "aggregate frozen", kind: "fault" },
      ],
    },
    archive: { data: {}, text: "This page carries its run." },
  });
}

/** Opens the report, does something with it, and fails on whatever the browser complains of. */
async function withPage(
  options: BrowserContextOptions,
  visit: (page: Page) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  let browser: Browser | undefined;
  try {
    await Deno.writeTextFile(`${folder}/report.html`, pageText());
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-gpu"],
    });
    const page = await (await browser.newContext(options)).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith("file://")) complaints.push(`asks for ${request.url()}`);
    });
    await page.goto(`file://${folder}/report.html`);
    await visit(page);
    assert.deepEqual(complaints, []);
  } finally {
    await browser?.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function browserTest(name: string, run: () => Promise<void>): void {
  // The driver keeps timers and pipes of its own.
  Deno.test({ name, ignore: isMissing, sanitizeOps: false, sanitizeResources: false, fn: run });
}

const DESK: BrowserContextOptions = { viewport: { width: 1100, height: 900 } };
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
};

function plotOf(page: Page, chart: string, size = "wide") {
  return page.locator(`[data-chart="${chart}"] .plot.${size}`);
}

/** Instants that the time axis names. */
async function ticksOf(page: Page, chart: string): Promise<string[]> {
  const texts = await plotOf(page, chart).locator("svg text").evaluateAll((nodes) =>
    nodes.filter((node) => getComputedStyle(node as unknown as Node).visibility !== "hidden")
      .map((node) => node.textContent ?? "")
  );
  return texts.filter((text) => /^\d+(\.\d)?( s|:\d\d)$/.test(text) || text === "0");
}

declare const getComputedStyle: (node: unknown) => { visibility: string };
type Node = unknown;

/** Moves the pointer to a share of a chart's time axis. */
async function pointAt(page: Page, chart: string, share: number): Promise<void> {
  const plot = plotOf(page, chart);
  await plot.scrollIntoViewIfNeeded();
  const { x, y, width } = (await plot.boundingBox())!;
  // The left edge of the plot and its width, as a share of the picture's 860 units.
  await page.mouse.move(x + width * (80 + share * 750) / 860, y + 120, { steps: 3 });
}

async function dragOver(page: Page, chart: string, from: number, to: number): Promise<void> {
  await pointAt(page, chart, from);
  await page.mouse.down();
  await pointAt(page, chart, to);
  await page.mouse.up();
}

browserTest(
  "the report shows the values of all series at the instant under the pointer",
  () =>
    withPage(DESK, async (page) => {
      const tip = plotOf(page, "throughput").locator(".tip");
      assert.equal(await tip.isVisible(), false);
      await pointAt(page, "throughput", 60 / DURATION_SEC);
      const { ackedPerSec } = timelineOf(
        syntheticRun({ durationSec: DURATION_SEC, killAtSec: 30, startMs: START_MS }).samples,
      );
      const acked = Math.round(ackedPerSec[60]![1]!).toLocaleString("en-US");
      const text = await tip.innerText();
      assert.match(
        text.replaceAll(/\s+/g, " "),
        new RegExp(`^60 s target 50,000 acknowledged ${acked} aggregated`),
      );
      // The other charts over time show where that is.
      assert.equal(await plotOf(page, "cpu").locator(".cross[visibility=visible]").count(), 5);
      await page.mouse.move(5, 5);
      assert.equal(await tip.isVisible(), false);
    }),
);

/** What the value axis says, from the bottom. */
async function valuesOf(page: Page, chart: string, size = "wide"): Promise<string[]> {
  const plot = plotOf(page, chart, size);
  const { x, width } = (await plot.boundingBox())!;
  // Left of the plot.
  const edge = x + width * 78 / 860;
  return await plot.locator("svg text").evaluateAll(
    (nodes, edge) =>
      nodes.filter((node) => getComputedStyle(node as unknown as Node).visibility !== "hidden")
        .map((node) => [node.textContent ?? "", node.getBoundingClientRect()] as const)
        .filter(([text, { right }]) => right < edge && /^\d/.test(text))
        .toSorted(([, a], [, b]) => b.top - a.top)
        .map(([text]) => text),
    edge,
  );
}

/** Top of the highest drawn part of a series, page pixels. */
async function topOf(page: Page, chart: string, series: number): Promise<number> {
  return (await plotOf(page, chart).locator(`[data-part=s${series}]`).first().boundingBox())!.y;
}

browserTest(
  "the report suits the value axis to what is shown, and back",
  () =>
    withPage(DESK, async (page) => {
      const whole = await valuesOf(page, "throughput");
      assert.equal(whole.at(-1), "100k", "the broker's return brings a burst");
      await plotOf(page, "throughput").scrollIntoViewIfNeeded();
      const before = await topOf(page, "throughput", 0);
      await dragOver(page, "throughput", 50 / 90, 85 / 90);
      const zoomed = await valuesOf(page, "throughput");
      assert.deepEqual([zoomed.filter((text) => text === "0").length, zoomed.at(-1)], [1, "60k"]);
      assert.ok(await topOf(page, "throughput", 0) < before - 20, "50,000/s stands higher");
      await page.keyboard.press("Escape");
      assert.deepEqual(await valuesOf(page, "throughput"), whole);
      assert.ok(Math.abs(await topOf(page, "throughput", 0) - before) < 1);
      const legend = page.locator('[data-chart="throughput"] .legend button');
      const count = await legend.count();
      for (let i = 1; i < count; i++) await legend.nth(i).click();
      assert.equal((await valuesOf(page, "throughput")).at(-1), "60k", "the target alone");
      for (let i = 1; i < count; i++) await legend.nth(i).click();
      assert.deepEqual(await valuesOf(page, "throughput"), whole);
    }),
);

browserTest(
  "the report zooms all charts over time by a drag, and back",
  () =>
    withPage(DESK, async (page) => {
      const before = await ticksOf(page, "throughput");
      assert.equal(before.at(-1), "90 s");
      await dragOver(page, "throughput", 20 / 90, 40 / 90);
      for (const chart of ["throughput", "backlog"]) {
        const ticks = (await ticksOf(page, chart)).filter((text) => text !== "0").map(parseFloat);
        assert.ok(ticks.length >= 5, `${chart}: ${ticks}`);
        assert.ok(Math.min(...ticks) >= 19 && Math.max(...ticks) <= 41, `${chart}: ${ticks}`);
      }
      assert.match(
        await page.locator(".zoombar [role=status]").innerText(),
        /^(?:19|20).* s to (?:39|40)/,
      );
      const xOf = async (part: string) => {
        const box = await plotOf(page, "throughput").locator(part).first().boundingBox();
        return box!.x;
      };
      // The label of a mark stays with its line.
      const label = await xOf("text[data-part=m]");
      const line = await xOf("path[data-part=m]");
      assert.ok(Math.abs(label - line) < 6, `label at ${label}, line at ${line}`);
      // What is zoomed is read at its own place.
      await pointAt(page, "throughput", 0.5);
      assert.match(
        await plotOf(page, "throughput").locator(".tip strong").innerText(),
        /^(?:29|30|31) s$/,
      );
      await page.locator(".zoombar button").click();
      assert.deepEqual(await ticksOf(page, "throughput"), before);
      assert.equal(await page.locator(".zoombar button").isVisible(), false);
    }),
);

browserTest(
  "the report hides a series by its name in the legend, with a mouse or a key",
  () =>
    withPage(DESK, async (page) => {
      const button = page.locator('[data-chart="latency"] .legend button').nth(1);
      const line = plotOf(page, "latency").locator("[data-part=s1]").first();
      assert.equal(await line.evaluate((node) => node.getAttribute("style") ?? ""), "");
      await button.click();
      assert.equal(await button.getAttribute("aria-pressed"), "false");
      assert.match(await line.evaluate((node) => node.getAttribute("style")!), /display: none/);
      await pointAt(page, "latency", 0.3);
      const tip = await plotOf(page, "latency").locator(".tip").innerText();
      assert.doesNotMatch(tip, /publish p99/);
      assert.match(tip, /delivery p99/);
      await button.focus();
      await page.keyboard.press("Enter");
      assert.equal(await button.getAttribute("aria-pressed"), "true");
      assert.doesNotMatch(await line.evaluate((node) => node.getAttribute("style")!), /none/);
    }),
);

browserTest(
  "the report is read and zoomed with the keyboard alone",
  () =>
    withPage(DESK, async (page) => {
      const plot = plotOf(page, "throughput");
      await plot.focus();
      for (const key of ["Home", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
      const live = page.locator('[data-chart="throughput"] > [aria-live]');
      assert.match(
        await live.innerText(),
        /^2 s: target 50,000, acknowledged [\d,]+, aggregated [\d,]+$/,
      );
      await page.keyboard.press("+");
      assert.match(await page.locator(".zoombar [role=status]").innerText(), /^0 s to 45 s$/);
      await page.keyboard.press("Escape");
      assert.equal(await page.locator(".zoombar [role=status]").innerText(), "");
    }),
);

browserTest("the report reads percentiles under the pointer", () =>
  withPage(DESK, async (page) => {
    await pointAt(page, "percentiles", 0.25);
    const text = await plotOf(page, "percentiles").locator(".tip").innerText();
    assert.match(text, /^9[\d.]+%\s+publish\s+[\d.]+ ms/);
  }));

browserTest(
  "the report answers to a finger, and nothing runs out of a phone's width",
  () =>
    withPage(PHONE, async (page) => {
      const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
      assert.deepEqual(widths, [390, 390]);
      const plot = plotOf(page, "throughput", "narrow");
      await plot.scrollIntoViewIfNeeded();
      const { x, y, width } = (await plot.boundingBox())!;
      await page.touchscreen.tap(x + width / 2, y + 80);
      const tip = (await plot.locator(".tip").boundingBox())!;
      assert.ok(tip.x >= 0 && tip.x + tip.width <= 390, JSON.stringify(tip));
    }),
);

browserTest(
  "the report is the same picture without its script",
  () =>
    withPage({ ...DESK, javaScriptEnabled: false }, async (page) => {
      assert.equal(await page.locator(".zoombar").isVisible(), false);
      assert.equal(await page.locator(".legend button").count(), 0);
      assert.ok(await page.locator(".legend li").count() >= 12);
      assert.equal(await plotOf(page, "throughput").locator("svg").isVisible(), true);
    }),
);

browserTest(
  "the report prints its charts light, without what needs a pointer",
  () =>
    withPage({ ...DESK, colorScheme: "dark" }, async (page) => {
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      assert.equal(await page.locator(".zoombar").isVisible(), false);
      const ink = await page.locator("body").evaluate((node) =>
        (getComputedStyle(node) as unknown as { color: string }).color
      );
      assert.equal(ink, "rgb(27, 36, 48)");
      assert.ok((await page.pdf({ format: "A4" })).length > 10_000);
    }),
);

for (const colorScheme of ["light", "dark"] as const) {
  for (const [name, options] of Object.entries({ desk: DESK, phone: PHONE })) {
    browserTest(
      `axe finds no fault with the report, ${colorScheme}, ${name}`,
      () =>
        withPage({ ...options, colorScheme }, async (page) => {
          if (name === "desk") await dragOver(page, "throughput", 0.2, 0.4);
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate("axe.run()") as axe.AxeResults;
          const said = violations.map(({ id, impact, nodes }) =>
            `${impact} ${id}: ${
              nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")
            }`
          );
          assert.deepEqual(said, []);
        }),
    );
  }
}
