import { readManifest } from "../scenarios/mod.ts";
import { systemClock } from "../base/mod.ts";
import {
  chartPicture,
  LiveDisplay,
  type Picture,
  pngOf,
  runCharts,
  stackSvgs,
  systemsText,
} from "../report/mod.ts";
import { readControlAddress, type RunFolder } from "../run/mod.ts";
import { controlsPicture, endedControlsPicture } from "./controls.ts";
import { readPicture } from "./run_picture.ts";

/** What `run.chart()` draws when it is not told: rate in and out, backlog, latency. */
const OVERVIEW = ["throughput", "backlog", "latency"] as const;

/** The charts of a run by name. */
export type ChartName =
  | "overview"
  | "throughput"
  | "backlog"
  | "latency"
  | "percentiles"
  | "rows"
  | "durable"
  | "cpu"
  | "memory";

const REDRAW_MS = 1000;
/** A chart may take such a share of the kernel's time. */
const BUSY_SHARE_MAX = 0.25;

/**
 * Draws charts of a run from its folder.
 *
 * @param options.withPng for places that show no SVG; it takes as long again
 * @throws {RangeError} for a name that is none, with those that are
 */
export async function drawRun(
  folder: RunFolder,
  name: ChartName,
  { withPng = true }: { readonly withPng?: boolean } = {},
): Promise<Picture> {
  const charts = runCharts(await readPicture(folder));
  const names: readonly string[] = name === "overview" ? OVERVIEW : [name];
  const drawn = charts.filter(({ id }) => names.includes(id));
  if (drawn.length === 0) {
    const known = ["overview", ...charts.map(({ id }) => id)].join(", ");
    throw new RangeError(`Cannot draw ${JSON.stringify(name)}: expected ${known}`);
  }
  const subtitle = systemsText(await readManifest(folder));
  // Low, so that the controls below are seen together with what they change.
  const size = name === "overview" ? "low" : "wide";
  const svg = stackSvgs(
    drawn.map((chart, i) =>
      chart.draw({
        theme: "light",
        size,
        withTitle: true,
        ...(i === 0 ? { subtitle } : { withMarkLabels: false }),
      })
    ),
  );
  const text = drawn.map(({ title, description }) => `${title}: ${description}`).join("\n");
  if (!withPng) return chartPicture(svg, text);
  return chartPicture(svg, text, await pngOf(svg) as Uint8Array<ArrayBuffer>);
}

/** A chart under a cell that grows until the run is over, whatever cell runs meanwhile. */
export class LiveChart {
  readonly #folder: RunFolder;
  readonly #name: ChartName;
  readonly #display: LiveDisplay;
  readonly #controls: LiveDisplay;
  readonly #id: string;
  readonly #stopping = new AbortController();
  #hasControls = false;
  #drawing: Promise<void> = Promise.resolve();

  constructor(folder: RunFolder, name: ChartName) {
    this.#folder = folder;
    this.#name = name;
    this.#id = `weir-${folder.id}-${name}-${crypto.randomUUID().slice(0, 8)}`;
    this.#display = new LiveDisplay(this.#id);
    this.#controls = new LiveDisplay(`${this.#id}-controls`);
  }

  /**
   * Draws it, and goes on in the background.
   *
   * @param withControls whether slider and buttons stand under it, as long as the run goes on
   */
  async begin(withControls: boolean, isOver: () => Promise<boolean>): Promise<void> {
    // The first picture comes soon; PNGs are made of what stays.
    const withPng = await isOver();
    await this.#display.update(await drawRun(this.#folder, this.#name, { withPng }));
    const address = withControls ? await readControlAddress(this.#folder) : undefined;
    if (address !== undefined) {
      const { config } = await readManifest(this.#folder);
      const roles = JSON.parse(await Deno.readTextFile(this.#folder.file("roles.json")));
      this.#hasControls = true;
      await this.#controls.update(controlsPicture({
        id: this.#id.replaceAll(/[^A-Za-z0-9-]/g, "-"),
        address,
        rateMessagesPerSec: config.load.rateMessagesPerSec,
        roles: Object.keys(roles),
      }));
    }
    this.#drawing = this.#grow(isOver).catch(() => {/* stopped */});
  }

  /** Resolves when the chart is complete: the run is over and its last sample drawn. */
  get complete(): Promise<void> {
    return this.#drawing;
  }

  /** Lets it stay as it is. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#drawing;
  }

  async #grow(isOver: () => Promise<boolean>): Promise<void> {
    for (let waitMs = REDRAW_MS;;) {
      await systemClock.sleep(waitMs, this.#stopping.signal);
      const beganUs = systemClock.monoUs();
      // Asked before drawing: the last picture must hold the last sample.
      const wasOver = await isOver();
      await this.#display.update(
        await drawRun(this.#folder, this.#name, { withPng: wasOver }),
      );
      if (wasOver) break;
      const tookMs = (systemClock.monoUs() - beganUs) / 1000;
      waitMs = Math.max(REDRAW_MS - tookMs, tookMs / BUSY_SHARE_MAX);
    }
    if (this.#hasControls) await this.#controls.update(endedControlsPicture(this.#folder.id));
  }
}
