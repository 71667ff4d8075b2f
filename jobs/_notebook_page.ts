/** One output of an executed cell, as nbformat 4 stores it. */
interface Output {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** An executed notebook, as far as its card in the gallery shows it. */
export interface ExecutedNotebook {
  readonly cells: readonly {
    readonly cell_type: string;
    readonly source: string | readonly string[];
    readonly outputs?: readonly Output[];
  }[];
}

/** What the gallery shows of a notebook. */
export interface Card {
  readonly page: string;
  readonly title: string;
  /** The question of the first cell; empty where it asks none. */
  readonly question: string;
  /** Its first picture as a data URL. */
  readonly picture: string | undefined;
  /** Its first output in HTML, where it has no picture. */
  readonly html: string | undefined;
  readonly hasErrors: boolean;
}

function joined(text: unknown): string {
  return Array.isArray(text) ? text.join("") : String(text ?? "");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function pictureOf(output: Output): string | undefined {
  const svg = output.data?.["image/svg+xml"];
  if (svg !== undefined) return `data:image/svg+xml,${encodeURIComponent(joined(svg))}`;
  const png = output.data?.["image/png"];
  return png === undefined ? undefined : `data:image/png;base64,${joined(png).trim()}`;
}

/**
 * The card of a notebook.
 *
 * @param page file name of its page
 */
export function cardOf(notebook: ExecutedNotebook, page: string): Card {
  const prose = notebook.cells.filter(({ cell_type }) => cell_type === "markdown")
    .map(({ source }) => joined(source));
  const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []);
  const first = prose[0] ?? "";
  const question = /\*\*Question:\*\*\s*([^]*?\?)/.exec(first)?.[1] ?? "";
  return {
    page,
    title: /^# (.+)$/m.exec(first)?.[1] ?? page.replace(/\.html$/, ""),
    question: question.replaceAll(/\s+/g, " ").replaceAll(/[*_`]/g, ""),
    picture: outputs.map(pictureOf).find((picture) => picture !== undefined),
    html: outputs.map((output) => output.data?.["text/html"]).filter(Boolean).map(joined)[0],
    hasErrors: outputs.some(({ output_type }) => output_type === "error"),
  };
}

const PAGE_STYLE = `
.weir-top { font: 14px/1.4 system-ui, sans-serif; margin: 12px auto 0; max-width: 980px; padding: 0 16px; }
.weir-top a { text-decoration: underline; }
main { margin: 0 auto; max-width: 1012px; }
/* Code that runs out of its box is lost in print and on a phone. */
.highlight pre, .jp-OutputArea-output pre { overflow-wrap: anywhere; white-space: pre-wrap; }
.jp-RenderedSVG svg, .jp-RenderedSVG img, .jp-RenderedImage img, .jp-OutputArea-output svg { height: auto; max-width: 100%; }
.jp-RenderedHTMLCommon table { display: block; max-width: 100%; overflow-x: auto; }
@media (max-width: 640px) {
  .jp-InputPrompt, .jp-OutputPrompt, .jp-OutputArea-promptOverlay { display: none; }
  .jp-Notebook { padding: 8px; }
}
@media print { .weir-top { display: none; } .jp-OutputArea-output svg { break-inside: avoid; } }
`;

/** The title of a chart, which nbconvert hides in an image without a description. */
function described(image: string, base64: string): string {
  const svg = new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  const title = /<title\b[^>]*>([^<]+)<\/title>/.exec(svg)?.[1];
  return title === undefined
    ? image
    : image.replace(/alt="[^"]*"/, `alt="${title.replaceAll('"', "&quot;")}"`);
}

/**
 * A page of nbconvert, made ready to stand alone: a title, a way back to the gallery, code that wraps, and folded solutions that hold their text (its sanitizer closes a `<details>`
 * before the Markdown in it).
 */
export function finishPage(html: string, title: string): string {
  return html
    // Draws diagrams with a script from elsewhere; no notebook here has one.
    .replaceAll(/<script\b[^>]*>(?:(?!<\/script>)[^])*?mermaid[^]*?<\/script>/g, "")
    .replace(/<title>[^]*?<\/title>/, `<title>${escaped(title)}</title>`)
    .replace("</head>", `<style>${PAGE_STYLE}</style>\n</head>`)
    .replace(
      /<body[^>]*>/,
      `$&\n<div class="weir-top"><a href="index.html">All notebooks</a></div>`,
    )
    .replaceAll(/<img alt="[^"]*" src="data:image\/svg\+xml;base64,([^"]+)"/g, described)
    .replaceAll(
      /(<details>\s*<summary>[^]*?<\/summary>)\s*<\/details>([^]*?)(?=<\/div>)/g,
      "$1$2</details>\n",
    );
}

/** Addresses that a page would load from elsewhere: a self-contained one has none. */
export function foreignLoads(html: string): string[] {
  const attribute =
    /<(?:script|img|iframe|source|video|audio|link)\b[^>]*?\b(?:src|href)="((?:https?:)?\/\/[^"]+)"/g;
  const code = /(?:@import\s+(?:url\()?|url\(|import\(?\s*)["']?((?:https?:)?\/\/[^"')\s]+)/g;
  return [...html.matchAll(attribute), ...html.matchAll(code)].map((match) => match[1]!);
}

const GALLERY_STYLE = `
:root { color-scheme: light dark; --page: #f3f5f8; --surface: #ffffff; --ink: #1b2430; --muted: #515c6b; --line: #d5dbe3; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0e131a; --surface: #161c24; --ink: #e8edf3; --muted: #a9b4c2; --line: #364150; }
}
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 24px 16px; }
h1 { font-size: 28px; margin: 0 0 4px; }
.lead { color: var(--muted); margin: 0 0 24px; }
ul { display: grid; gap: 20px; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); list-style: none; margin: 0; padding: 0; }
li a { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; color: inherit; display: block; height: 100%; overflow: hidden; text-decoration: none; }
li a:hover, li a:focus-visible { border-color: var(--muted); }
.picture { align-items: center; aspect-ratio: 2; background: #ffffff; border-bottom: 1px solid var(--line); color: #515c6b; display: flex; justify-content: center; }
.picture img { height: 100%; object-fit: contain; padding: 8px; width: 100%; box-sizing: border-box; }
.picture iframe { border: 0; height: 100%; pointer-events: none; width: 100%; color-scheme: light; }
h2 { font-size: 18px; margin: 14px 16px 4px; }
p.question { color: var(--muted); margin: 0 16px 16px; }
.error { color: #b3141d; font-weight: 600; }
@media print { li { break-inside: avoid; } }
`;

function preview({ picture, html }: Card): string {
  if (picture !== undefined) return `<img src="${escaped(picture)}" alt="">`;
  if (html === undefined) return "<span>no picture</span>";
  const framed = `<style>body { font: 13px sans-serif; zoom: 0.6; }</style>${html}`;
  return `<iframe srcdoc="${
    escaped(framed)
  }" sandbox="" tabindex="-1" aria-hidden="true" scrolling="no"></iframe>`;
}

function cardHtml(card: Card): string {
  const { page, title, question, hasErrors } = card;
  const shown = preview(card);
  const error = hasErrors ? `<span class="error"> – a cell failed</span>` : "";
  return `<li><a href="${escaped(page)}"><div class="picture">${shown}</div>
<h2>${escaped(title)}${error}</h2><p class="question">${escaped(question)}</p></a></li>`;
}

/** The page of all notebooks. */
export function galleryHtml(cards: readonly Card[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>weir: notebooks</title><style>${GALLERY_STYLE}</style></head>
<body><h1>Notebooks</h1><p class="lead">As they ran, from a clean kernel, top to bottom. Open them yourself with <code>deno task lab</code>.</p>
<ul>
${cards.map(cardHtml).join("\n")}
</ul></body></html>
`;
}
