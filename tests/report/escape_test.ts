import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeText, html, trusted } from "../../lib/report/escape.ts";

/** What markup is made of, every control character, and some that are nothing special. */
const LETTERS = [
  ...Array.from({ length: 0x80 }, (_, code) => String.fromCodePoint(code)),
  ..."&<>\"'&<>\"'äЖ日\u{1f600}\ufffd",
];

Deno.test("escapeText() leaves no character that could begin or end markup, and loses nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...LETTERS) }), (text) => {
      const safe = escapeText(text);
      assert.doesNotMatch(safe, /[<>"']/);
      assert.doesNotMatch(safe.replaceAll(/&(amp|lt|gt|quot|#39);/g, ""), /&/);
      const back = safe.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
        .replaceAll("&#39;", "'").replaceAll("&amp;", "&");
      // deno-lint-ignore no-control-regex
      assert.equal(back, text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd"));
    }),
    { seed: 18 },
  );
});

Deno.test("html() escapes values and keeps what html() and trusted() made", () => {
  const inner = html`<b>${"<"}</b>`;
  assert.equal(
    String(html`<p title="${'"'}">${inner}${[inner, inner]}${3}</p>`),
    '<p title="&quot;"><b>&lt;</b><b>&lt;</b><b>&lt;</b>3</p>',
  );
  assert.equal(String(html`${trusted("<hr>")}`), "<hr>");
});

Deno.test("html() escapes text in a list that is not HTML", () => {
  const sneaky = ["<i>"] as unknown as readonly ReturnType<typeof html>[];
  assert.doesNotMatch(String(html`${sneaky}`), /<i>/);
});
