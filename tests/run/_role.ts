/** A role for tests: says that it is ready, then does what its arguments ask for. */
const [behaviour = "stay", marker = ""] = Deno.args;

function say(line: unknown): void {
  console.log(JSON.stringify(line));
}

const starts = marker === "" ? 0 : (() => {
  Deno.writeTextFileSync(marker, "x", { append: true, create: true });
  return Deno.readTextFileSync(marker).length;
})();

if (behaviour === "refuse") {
  console.error("role: Cannot use the folder: it is taken");
  Deno.exit(2);
}
if (behaviour === "wait" && starts > 1 && starts < 7) {
  say({ event: "failure", message: "Cannot connect: nobody is there yet", retryable: true });
  Deno.exit(2);
}
say({ event: "note", kind: "args", data: Deno.args });
if (behaviour === "environment") {
  say({ event: "note", kind: "environment", data: Object.keys(Deno.env.toObject()) });
}
say({
  role: "produce",
  ready: true,
  pid: Deno.pid,
  metricsUrl: "http://127.0.0.1:1/metrics",
  port: 1000 + starts,
});
if (behaviour === "crash" || (behaviour === "crash-once" && starts === 1)) {
  say({ event: "failure", message: "Cannot go on: no reason", code: "tired" });
  Deno.exit(1);
}
if (behaviour === "finish") Deno.exit(0);
if (behaviour === "deaf") setInterval(() => {}, 1000);
else {
  for await (const _ of Deno.stdin.readable);
  say({ event: "note", kind: "closed" });
}
