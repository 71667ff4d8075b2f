/**
 * `deno task fuzz`: frames that no one should send, against the embedded broker and our client.
 *
 *     deno task fuzz --frames 1000000 --seed 7 --target broker
 *
 * @module
 */
import { parseArgs } from "node:util";
import { lineOf, systemRandom, UsageError } from "../../lib/base/mod.ts";
import { fuzzBroker } from "./broker_target.ts";
import { fuzzClient } from "./client_target.ts";

const HELP = `Fires damaged frames at the embedded broker and at our client.

  deno task fuzz [flags]

  --frames N     frames that each target has looked at (default 1000000)
  --seed N       the same frames again (default: by chance; it is printed)
  --target T     broker, client or both (default both)
  --help

What is found is shortened and kept in tests/fuzz/found/, where
\`deno task test\` plays it again. Exit code 1 then.`;

function numberOf(flag: string, text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (Number.isInteger(value) && value >= 0) return value;
  throw new UsageError(`Cannot read --${flag} "${text}": expected a whole number`);
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      frames: { type: "string", default: "1000000" },
      seed: { type: "string" },
      target: { type: "string", default: "both" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const frameCount = numberOf("frames", values.frames);
  const seed = values.seed === undefined ? systemRandom.uint32() : numberOf("seed", values.seed);
  if (!["broker", "client", "both"].includes(values.target)) {
    throw new UsageError(`Cannot fuzz "${values.target}": expected broker, client or both`);
  }
  const say = (line: string) => console.log(line);
  say(`fuzz: seed ${seed}`);
  let findings = 0;
  if (values.target !== "client") findings += await fuzzBroker({ frameCount, seed, say });
  if (values.target !== "broker") findings += await fuzzClient({ frameCount, seed, say });
  say(findings === 0 ? "fuzz: nothing found" : `fuzz: ${findings} found, seed ${seed}`);
  return findings === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(`fuzz: ${lineOf(error)}`);
    Deno.exit(2);
  }
}
