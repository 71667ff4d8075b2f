/**
 * `deno task infra:up NAME`: brings a real server and returns when it is ready.
 *
 * @module
 */
import { parseUp, UP_HELP } from "./pulsar/options.ts";
import { bringPulsarUp } from "./pulsar/server.ts";
import { runCommand } from "./command.ts";

async function upPulsar(args: string[], signal: AbortSignal): Promise<void> {
  const options = parseUp(args);
  if (options === "help") return console.log(UP_HELP);
  const say = options.json ? console.error : console.log;
  const server = await bringPulsarUp(options, say, signal);
  if (options.json) console.log(JSON.stringify(server));
}

if (import.meta.main) await runCommand("infra:up", { pulsar: upPulsar });
