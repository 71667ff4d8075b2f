/**
 * Our own client shows what a broker does, a behaviour at a time.
 *
 *     deno run --allow-all driver.ts '{"serviceUrl": …, "adminUrl": …, "scenarios": […]}'
 *
 * Prints one JSON line a scenario: {"scenario", "status": "ok" | "failed" | "unsupported", "detail", "notes", "ms"}.
 */
import { systemClock } from "../../../../lib/base/mod.ts";
import * as administration from "./administration.ts";
import { type Config, Context } from "./context.ts";
import * as messages from "./messages.ts";
import * as producers from "./producers.ts";
import * as receiving from "./receiving.ts";
import * as schemas from "./schemas.ts";
import * as security from "./security.ts";
import * as subscriptions from "./subscriptions.ts";
import * as topics from "./topics.ts";

type Scenario = (c: Context) => Promise<void>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...administration,
  ...messages,
  ...producers,
  ...receiving,
  ...schemas,
  ...security,
  ...subscriptions,
  ...topics,
};

const NO_ADMIN = "the client has what it needs itself of the admin interface, and no more";

const UNSUPPORTED: Readonly<Record<string, string>> = {
  schema_protobuf_native: "the client has no such schema",
  schema_auto_produce: "the client has no such schema",
  http_lookup: "the client looks up by its own protocol only",
  transactions: "the client has no transactions",
  ...Object.fromEntries(
    [
      ...["tenants", "namespaces", "policies", "internal_stats", "subscriptions", "skip"],
      ...["reset_cursor", "peek", "last_message_id", "compaction"],
    ].map((name) => [`admin_${name}`, NO_ADMIN]),
  ),
};

function report(
  context: Pick<Context, "scenario" | "notes">,
  status: string,
  detail: string,
  startUs: number,
): void {
  const ms = Math.round((systemClock.monoUs() - startUs) / 1000);
  const { scenario, notes } = context;
  console.log(JSON.stringify({ scenario, status, detail, notes, ms }));
}

/** The places in these files where an error came from. */
function placesOf(error: Error): string {
  const places = (error.stack ?? "").matchAll(/drivers\/weir\/(\w+\.ts:\d+)/g);
  return [...places].map(([, place]) => place).slice(0, 3).join(" ");
}

async function runOne(config: Config, scenario: string): Promise<void> {
  const startUs = systemClock.monoUs();
  const reason = UNSUPPORTED[scenario];
  const action = SCENARIOS[scenario];
  if (reason !== undefined) return report({ scenario, notes: {} }, "unsupported", reason, startUs);
  if (action === undefined) {
    return report({ scenario, notes: {} }, "failed", "the driver has no such scenario", startUs);
  }
  const context = new Context(config, scenario);
  const late = new AbortController();
  const timeout = systemClock.sleep(config.timeoutMs, late.signal)
    .then(() => Promise.reject(new Error("not done in time")));
  try {
    await Promise.race([action(context), timeout]);
    report(context, "ok", "", startUs);
  } catch (error) {
    const { name, message } = error as Error;
    report(
      context,
      "failed",
      `${name}: ${message.slice(0, 500)} (${placesOf(error as Error)})`,
      startUs,
    );
  }
  timeout.catch(() => {});
  late.abort();
  await Promise.race([context[Symbol.asyncDispose]().catch(() => {}), systemClock.sleep(5_000)]);
}

if (import.meta.main) {
  const config: Config = JSON.parse(Deno.args[0]!);
  if (config.list) {
    console.log(JSON.stringify([...Object.keys(SCENARIOS), ...Object.keys(UNSUPPORTED)]));
    Deno.exit(0);
  }
  // What a scenario leaves behind must not end the others.
  globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
  const queue = [...config.scenarios];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await runOne(config, name);
    }
  };
  await Promise.all(Array.from({ length: config.workers }, worker));
  Deno.exit(0);
}
