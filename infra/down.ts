/**
 * `deno task infra:down NAME`: ends a server that `infra:up` has started.
 *
 * @module
 */
import { DOWN_HELP, parseDown } from "./pulsar/options.ts";
import { bringPulsarDown } from "./pulsar/server.ts";
import { runCommand } from "./command.ts";

async function downPulsar(args: string[]): Promise<void> {
  const options = parseDown(args);
  if (options === "help") return console.log(DOWN_HELP);
  await bringPulsarDown(options, console.log);
}

if (import.meta.main) await runCommand("infra:down", { pulsar: downPulsar });
