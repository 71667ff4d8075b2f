const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text made safe for HTML and XML, in content and in quoted attributes. Control characters, which XML has no way to
 * say, become U+FFFD.
 *
 * @example
 * ```ts
 * import { escapeText } from "./escape.ts";
 * import assert from "node:assert/strict";
 * assert.equal(escapeText("<b>"), "&lt;b&gt;");
 * ```
 */
export function escapeText(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter]!)
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd");
}

/** HTML that is known to be safe: made by {@link html} or {@link trusted} only. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Marks text as HTML. Only for text that this project made, such as its own SVG. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** What {@link html} takes: everything but {@link Html} is escaped. */
export type HtmlValue = string | number | Html | readonly Html[];

/**
 * Builds HTML from a template, escaping what is put in.
 *
 * @example
 * ```ts
 * import { html } from "./escape.ts";
 * import assert from "node:assert/strict";
 * assert.equal(String(html`<p>${"a < b"}</p>`), "<p>a &lt; b</p>");
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0]!;
  values.forEach((value, i) => {
    const parts = Array.isArray(value) ? value : [value];
    text += parts.map((part) => part instanceof Html ? String(part) : escapeText(String(part)))
      .join("") + strings[i + 1]!;
  });
  return new Html(text);
}
