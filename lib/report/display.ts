import { type Clock, systemClock } from "../base/mod.ts";
import { html } from "./escape.ts";
import { alignRows } from "./text/mod.ts";

/** One thing to show in the forms that a notebook may choose from; the plain text is for everywhere else. */
export interface Picture {
  readonly "text/plain": string;
  readonly "text/html"?: string;
  readonly "image/svg+xml"?: string;
  /** Base64. */
  readonly "image/png"?: string;
}

/** What `Deno.jupyter.display` is, of which the types are known only inside a kernel. */
export type KernelDisplay = (
  bundle: Readonly<Record<string, string>>,
  options: { readonly raw: true; readonly display_id?: string; readonly update?: boolean },
) => Promise<void>;

/** Where pictures go; tests and other kernels pass their own. */
export interface DisplayTarget {
  /** Undefined outside a kernel. */
  readonly display: KernelDisplay | undefined;
  /** Takes the plain text outside a kernel. */
  readonly write: (text: string) => void;
  readonly clock: Clock;
}

/** Long enough that the kernel has sent what was displayed before the cell ends or the next one begins. */
const FLUSH_MS = 30;

function kernelDisplay(): KernelDisplay | undefined {
  try {
    const { jupyter } = Deno as unknown as { jupyter?: { display?: KernelDisplay } };
    return jupyter?.display?.bind(jupyter);
  } catch {
    // Outside a kernel even asking for it throws.
    return undefined;
  }
}

/** The kernel that this runs in, or the console. */
export function systemDisplay(): DisplayTarget {
  return { display: kernelDisplay(), write: (text) => console.log(text), clock: systemClock };
}

/**
 * Shows something under the cell, and waits until it is out: without that, output of a busy kernel can get lost or
 * land under the next cell. Outside a kernel its plain text is printed.
 *
 * @example
 * ```ts
 * import { show, tableOf } from "./display.ts";
 * await show(tableOf([{ source: "sensor-1", count: 2 }]));
 * ```
 */
export async function show(
  picture: Picture | Promise<Picture>,
  target = systemDisplay(),
): Promise<void> {
  await display(await picture, target, {});
}

/**
 * Says a sentence under the cell, where {@link show} shows a picture: the conclusion after a chart, worked out from its data.
 *
 * @example
 * ```ts
 * import { say } from "./display.ts";
 * await say(`${2 + 2} rows`);
 * ```
 */
export async function say(text: string, target = systemDisplay()): Promise<void> {
  await show({ "text/plain": text, "text/html": String(html`<p>${text}</p>`) }, target);
}

/** A place in a notebook whose picture can be replaced later, from other cells and timers too. */
export class LiveDisplay {
  readonly #id: string;
  readonly #target: DisplayTarget;
  #isShown = false;
  #lastText: string | undefined;

  /**
   * @param id unique in the notebook
   * @param target where; the kernel unless told
   */
  constructor(id: string, target = systemDisplay()) {
    this.#id = id;
    this.#target = target;
  }

  /** Shows it under the cell that runs now, the first time; replaces it where it is, later. */
  async update(picture: Picture): Promise<void> {
    const update = this.#isShown;
    this.#isShown = true;
    // A console cannot replace what it has shown: the same words again would only scroll.
    if (this.#target.display === undefined && this.#lastText === picture["text/plain"]) return;
    this.#lastText = picture["text/plain"];
    await display(picture, this.#target, { display_id: this.#id, ...(update ? { update } : {}) });
  }
}

async function display(
  picture: Picture,
  { display, write, clock }: DisplayTarget,
  options: { readonly display_id?: string; readonly update?: boolean },
): Promise<void> {
  if (display === undefined) return write(picture["text/plain"]);
  await display({ ...picture }, { raw: true, ...options });
  await clock.sleep(FLUSH_MS);
}

/**
 * A chart as a picture, with PNG for places that show no SVG.
 *
 * @param svg of `drawChart` with fixed colours
 * @param text in its place where only text is shown
 */
export function chartPicture(svg: string, text: string, png?: Uint8Array<ArrayBuffer>): Picture {
  return {
    "text/plain": text,
    "image/svg+xml": svg,
    ...(png === undefined ? {} : { "image/png": png.toBase64() }),
  };
}

/** A page would choke on more. */
const ROWS_MAX = 200;

/**
 * Rows as a table, with the columns in the order in which they first appear; numbers stand at the right.
 *
 * @param rows e.g. of a query; the first 200 are shown and the rest is counted
 *
 * @example
 * ```ts
 * import { tableOf } from "./display.ts";
 * import assert from "node:assert/strict";
 * assert.equal(tableOf([{ name: "a", n: 1 }])["text/plain"], "name  n\na     1");
 * ```
 */
export function tableOf(rows: readonly Readonly<Record<string, unknown>>[]): Picture {
  if (rows.length === 0) {
    return { "text/plain": "no rows", "text/html": String(html`<p><em>no rows</em></p>`) };
  }
  const shown = rows.slice(0, ROWS_MAX);
  const names = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  const more = rows.length > shown.length ? `and ${rows.length - shown.length} more rows` : "";
  const text = alignRows([names, ...shown.map((row) => names.map((name) => cellText(row[name])))]);
  // Said for each head, or a notebook's own style puts them all at the right.
  const heads = names.map((name) => {
    const align = alignOf(shown.find((row) => row[name] != null)?.[name]);
    return html`<th scope="col" style="text-align:${align}">${name}</th>`;
  });
  const lines = shown.map((row) => html`<tr>${names.map((name) => cell(row[name]))}</tr>`);
  const page = html`
    <table>
      <thead>
        <tr>${heads}</tr>
      </thead>
      <tbody>${lines}</tbody>
    </table>${more === "" ? html`` : html`<p>${more}</p>`}
  `;
  return {
    "text/plain": more === "" ? text : `${text}\n${more}`,
    "text/html": String(page),
  };
}

function cell(value: unknown) {
  return html`<td style="text-align:${alignOf(value)}">${cellText(value)}</td>`;
}

function alignOf(value: unknown): "left" | "right" {
  return typeof value === "number" || typeof value === "bigint" ? "right" : "left";
}

function cellText(value: unknown): string {
  if (value === undefined) return "";
  if (value === null) return "null";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}
