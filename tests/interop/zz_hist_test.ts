import assert from "node:assert/strict";
import { seededRandom } from "../../lib/base/mod.ts";
import { HistoryRunner, randomHistory } from "./dispatch_history.ts";
for (const kind of (Deno.env.get("KINDS") ?? "Shared Key_Shared Exclusive Failover").split(" ") as any[]) for (let seed = Number(Deno.env.get("FROM") ?? 1); seed <= Number(Deno.env.get("SEEDS") ?? 3); seed++) {
  Deno.test(`${kind} ${seed}`, async () => {
    const topic = "persistent://public/default/h" + crypto.randomUUID(); const history = randomHistory(seededRandom(seed * 7 + kind.length), kind === "Failover" ? 16 : 40);
    const [a, b] = await Promise.all([new HistoryRunner("pulsar://127.0.0.1:16650", kind, topic).run(history), new HistoryRunner("pulsar://127.0.0.1:17650", kind, topic).run(history)]);
    for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) { console.log("EMB\n" + a.slice(Math.max(0, i - 14), i + 6).join("\n") + "\nREAL\n" + b.slice(Math.max(0, i - 2), i + 6).join("\n")); assert.fail(`line ${i}`); }
  });
}
