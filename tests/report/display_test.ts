import assert from "node:assert/strict";
import { FakeClock } from "../../lib/base/mod.ts";
import {
  chartPicture,
  type DisplayTarget,
  type KernelDisplay,
  LiveDisplay,
  type Picture,
  say,
  show,
  systemDisplay,
  tableOf,
} from "../../lib/report/mod.ts";

const PICTURE: Picture = { "text/plain": "a chart", "text/html": "<p>a chart</p>" };

function kernel() {
  const shown: Parameters<KernelDisplay>[] = [];
  const written: string[] = [];
  const clock = new FakeClock();
  const target: DisplayTarget = {
    display: (...call) => {
      shown.push(call);
      return Promise.resolve();
    },
    write: (text) => written.push(text),
    clock,
  };
  return { target, shown, written, clock };
}

Deno.test("show() hands the raw bundle to the kernel and settles only after the flush", async () => {
  const { target, shown, written, clock } = kernel();
  let settled = false;
  const showing = show(PICTURE, target).then(() => settled = true);
  await clock.advance(29);
  assert.deepEqual(shown, [[PICTURE, { raw: true }]]);
  assert.equal(settled, false);
  await clock.advance(1);
  await showing;
  assert.deepEqual(written, []);
});

Deno.test("show() prints the plain text outside a kernel", async () => {
  const { target, shown, written } = kernel();
  await show(PICTURE, { ...target, display: undefined });
  assert.deepEqual(written, ["a chart"]);
  assert.deepEqual(shown, []);
});

Deno.test("show() rejects with what the kernel rejects with", async () => {
  const { target } = kernel();
  await assert.rejects(
    show(PICTURE, { ...target, display: () => Promise.reject(new Error("gone")) }),
    /gone/,
  );
});

Deno.test("LiveDisplay.update() shows once and then replaces by id", async () => {
  const { target, shown, clock } = kernel();
  const live = new LiveDisplay("run-1", target);
  for (let i = 0; i < 3; i++) {
    const updating = live.update(PICTURE);
    await clock.advance(30);
    await updating;
  }
  assert.deepEqual(shown.map(([, options]) => options), [
    { raw: true, display_id: "run-1" },
    { raw: true, display_id: "run-1", update: true },
    { raw: true, display_id: "run-1", update: true },
  ]);
});

Deno.test("systemDisplay() finds no kernel in a test", () => {
  assert.equal(systemDisplay().display, undefined);
});

Deno.test("chartPicture() carries SVG, PNG as Base64 and text", () => {
  assert.deepEqual(chartPicture("<svg/>", "rate", new Uint8Array([1, 2, 3])), {
    "text/plain": "rate",
    "image/svg+xml": "<svg/>",
    "image/png": "AQID",
  });
  assert.equal("image/png" in chartPicture("<svg/>", "rate"), false);
});

Deno.test("tableOf() shows all columns of all rows, numbers at the right", () => {
  const table = tableOf([{ name: "a", n: 1 }, { name: "bb", n: 20n, at: new Date(0) }, {
    list: [1],
    no: null,
  }]);
  assert.equal(
    table["text/plain"],
    "name   n                        at  list    no\na      1\nbb    20  1970-01-01T00:00:00.000Z\n" +
      " ".repeat(4) + "                                 [1]  null",
  );
  const page = table["text/html"]!.replaceAll(/\s+/g, " ");
  assert.match(page, /<th scope="col" style="text-align:left">name<\/th>/);
  assert.match(page, /<th scope="col" style="text-align:right">n<\/th>/);
  assert.match(page, /<td style="text-align:right">20<\/td>/);
  assert.match(page, /<td style="text-align:left">bb<\/td>/);
});

Deno.test("tableOf() escapes names and values", () => {
  const page = tableOf([{ "<b>": "<script>alert(1)</script>" }])["text/html"]!;
  assert.doesNotMatch(page, /<b>|<script/);
});

Deno.test("tableOf() shows the first 200 rows and counts the rest", () => {
  const table = tableOf(Array.from({ length: 1234 }, (_, i) => ({ i })));
  assert.equal(table["text/html"]!.match(/<tr>/g)!.length, 201);
  assert.match(table["text/html"]!, /and 1034 more rows/);
  assert.match(table["text/plain"], /and 1034 more rows$/);
});

Deno.test("tableOf() says that there are no rows", () => {
  assert.equal(tableOf([])["text/plain"], "no rows");
});

Deno.test("say() says a sentence, as text and as escaped HTML", async () => {
  const { target, shown, clock } = kernel();
  const saying = say("p99 < 1 s", target);
  await clock.advance(30);
  await saying;
  assert.deepEqual(shown, [[
    { "text/plain": "p99 < 1 s", "text/html": "<p>p99 &lt; 1 s</p>" },
    { raw: true },
  ]]);
});
