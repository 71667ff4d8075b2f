import assert from "node:assert/strict";
import {
  cardOf,
  type ExecutedNotebook,
  finishPage,
  foreignLoads,
  galleryHtml,
} from "../../jobs/_notebook_page.ts";

const NOTEBOOK: ExecutedNotebook = {
  cells: [
    {
      cell_type: "markdown",
      source: [
        "# 04 · Event time\n",
        "\n",
        "**Question:** when may a _minute_\n",
        "be `counted`? And so on.",
      ],
    },
    { cell_type: "code", source: "1", outputs: [{ output_type: "stream" }] },
    {
      cell_type: "code",
      source: "2",
      outputs: [{
        output_type: "display_data",
        data: { "text/html": "<b>table</b>", "image/svg+xml": ["<svg>", "</svg>"] },
      }],
    },
  ],
};

Deno.test("cardOf() takes title, question and the first picture", () => {
  assert.deepEqual(cardOf(NOTEBOOK, "04.html"), {
    page: "04.html",
    title: "04 · Event time",
    question: "when may a minute be counted?",
    picture: "data:image/svg+xml,%3Csvg%3E%3C%2Fsvg%3E",
    html: "<b>table</b>",
    hasErrors: false,
  });
});

Deno.test("cardOf() has a card for a notebook without title, question and picture, and sees a failed cell", () => {
  const card = cardOf({
    cells: [{ cell_type: "code", source: "x", outputs: [{ output_type: "error" }] }],
  }, "99.html");
  assert.deepEqual(card, {
    page: "99.html",
    title: "99",
    question: "",
    picture: undefined,
    html: undefined,
    hasErrors: true,
  });
  const gallery = galleryHtml([card]);
  assert.match(gallery, /no picture/);
  assert.match(gallery, /a cell failed/);
});

Deno.test("galleryHtml() escapes what notebooks say, and loads nothing", () => {
  const card = { ...cardOf(NOTEBOOK, "04.html"), title: `<script>"a"`, picture: undefined };
  const gallery = galleryHtml([card]);
  assert.ok(gallery.includes("&lt;script>&quot;a&quot;"));
  assert.ok(gallery.includes("&lt;b>table&lt;/b>"), "the table is in its frame only");
  assert.deepEqual(foreignLoads(gallery), []);
});

Deno.test("finishPage() gives a title, a way back, and solutions that hold their text", () => {
  const page = finishPage(
    `<html><head><title>04</title></head><body class="x"><div><p>Try</p>
<details><summary>Solution</summary>
</details>
<p>It is <code>1</code>.</p>
</div><div>next</div></body></html>`,
    "Event <time>",
  );
  assert.ok(page.includes("<title>Event &lt;time></title>"));
  assert.match(page, /<body class="x">\s*<div class="weir-top"><a href="index.html">/);
  assert.match(
    page,
    /<\/summary>\s*<p>It is <code>1<\/code>\.<\/p>\s*<\/details>\s*<\/div><div>next/,
  );
});

Deno.test("finishPage() describes a chart by its own title, and drops the script for diagrams", () => {
  const svg = btoa(`<svg><title id="t">Rate & backlog</title></svg>`);
  const page = finishPage(
    `<head></head><body><script>let a = 1;</script><script type="module">await import("https://cdn.example/mermaid.mjs")</script>
<img alt="No description" src="data:image/svg+xml;base64,${svg}"></body>`,
    "x",
  );
  assert.match(page, /alt="Rate & backlog"/);
  assert.ok(page.includes("let a = 1;"));
  assert.deepEqual(foreignLoads(page), []);
});

Deno.test("foreignLoads() finds what would be loaded from elsewhere, and no plain link", () => {
  const html = `<a href="https://a.example">a</a><img src="data:image/png;base64,x">
<script src="https://b.example/b.js"></script><link rel="x" href="//c.example/c.css">
<style>@import url("https://d.example/d.css"); p { background: url(https://e.example/e.png) }</style>
<script>import("https://f.example/f.mjs")</script>`;
  assert.deepEqual(
    [...new Set(foreignLoads(html).map((url) => url.replace(/^.*\/\/(.).*$/, "$1")))].sort(),
    ["b", "c", "d", "e", "f"],
  );
});
