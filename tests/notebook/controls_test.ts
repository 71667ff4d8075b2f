import assert from "node:assert/strict";
import { controlsPicture, endedControlsPicture } from "../../lib/notebook/controls.ts";
import { parseControlCommand } from "../../lib/run/mod.ts";

const ADDRESS = { url: "http://127.0.0.1:4321", token: "abc123", pid: 1 };

function page(roles = ["broker", "clickhouse", "aggregate-1", "produce"]): string {
  const options = { id: "weir-x", address: ADDRESS, rateMessagesPerSec: 50_000, roles };
  return controlsPicture(options)["text/html"]!;
}

Deno.test("controlsPicture() has buttons whose commands the control server takes", () => {
  const commands = [...page().matchAll(/data-command="([^"]+)"/g)]
    .map(([, text]) => parseControlCommand(JSON.parse(text!.replaceAll("&quot;", '"'))));
  const names = commands.map((one) => one.command === "inject" ? one.kind : one.command);
  assert.deepEqual(new Set(names), new Set(["pause", "resume", "stop", "kill", "freeze", "cut"]));
  assert.ok(commands.some((one) => one.command === "inject" && one.at === "after-insert"));
});

Deno.test("controlsPicture() has a slider to twice the rate, and no button for what is not there", () => {
  assert.match(page(), /type="range"[^>]*max="100000"[^>]*value="50000"/);
  assert.doesNotMatch(page(["produce"]), /broker|after-insert/);
});

Deno.test("the script of controlsPicture() is a script, and asks with the token", () => {
  const [, script] = /<script>([^]*)<\/script>/.exec(page())!;
  const asked: { url: string; token: string }[] = [];
  const element = {
    textContent: "",
    style: {},
    value: "5",
    addEventListener() {},
    isConnected: true,
  };
  const root = { ...element, querySelector: () => element, querySelectorAll: () => [] };
  const document = { getElementById: () => root };
  const fetch = (url: string, init: { headers: { authorization: string } }) => {
    asked.push({ url, token: init.headers.authorization });
    return new Promise(() => {});
  };
  new Function("document", "fetch", "setTimeout", script!)(document, fetch, () => {});
  assert.deepEqual(asked, [{ url: "http://127.0.0.1:4321/status", token: "Bearer abc123" }]);
});

Deno.test("endedControlsPicture() holds no token", () => {
  assert.doesNotMatch(JSON.stringify(endedControlsPicture("run-1")), /abc123|script/);
});
