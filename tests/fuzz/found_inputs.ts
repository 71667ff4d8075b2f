/** Inputs that broke something once, as files in found/: each is played again by a test. */
import { join } from "node:path";
import { bytesOfHex, hexOf } from "../../lib/base/mod.ts";
import { type EpochOptions, faultKind, type Finding, playEpoch } from "./epoch.ts";
import { minimise } from "./minimise.ts";
import type { Session } from "./session.ts";

const FOLDER = join(import.meta.dirname!, "found");

/** What a file in found/ holds. */
export interface FoundInput {
  /** What was found, as it was told then. */
  readonly fault: string;
  readonly sessions: readonly { readonly isDeaf: boolean; readonly frames: readonly string[] }[];
}

/** Plays these sessions on a broker of their own. */
export async function replay(
  sessions: readonly Session[],
  options: Partial<EpochOptions> = {},
): Promise<Finding | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "weir-fuzz-" });
  const left = [...sessions];
  try {
    return await playEpoch({
      folder,
      next: () => left.shift(),
      sessionsPerExchange: 1,
      ...options,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Every input that was found. */
export function foundInputs(): { readonly name: string; readonly sessions: Session[] }[] {
  return [...Deno.readDirSync(FOLDER)].filter(({ name }) => name.startsWith("broker_")).map(
    ({ name }) => {
      const found = JSON.parse(Deno.readTextFileSync(join(FOLDER, name))) as FoundInput;
      const sessions = found.sessions.map(({ isDeaf, frames }) => ({
        isDeaf,
        frames: frames.map(bytesOfHex),
      }));
      return { name, sessions };
    },
  );
}

/** Shortens a finding: first the sessions, then the frames of each. Undefined when it does not happen again. */
export async function shorten(finding: Finding): Promise<Finding | undefined> {
  const kind = faultKind(finding.fault);
  const fails = async (sessions: readonly Session[]) => {
    const again = await replay(sessions);
    return again !== undefined && faultKind(again.fault) === kind;
  };
  const last = finding.sessions.slice(-1);
  const start = await fails(last) ? last : finding.sessions;
  if (start !== last && !await fails(start)) return undefined;
  const sessions = [...await minimise(start, fails, 100)];
  for (const [i, session] of sessions.entries()) {
    const shorter = await minimise(session.frames, (frames) => {
      const changed = sessions.with(i, { ...session, frames });
      return fails(changed);
    }, 200);
    sessions[i] = { ...session, frames: shorter };
  }
  return { fault: finding.fault, sessions };
}

/** Writes a finding where the tests find it; gives the file's name. */
export function keep(finding: Finding, label: string): string {
  const file = join(FOLDER, `broker_${label}.json`);
  const input: FoundInput = {
    fault: finding.fault,
    sessions: finding.sessions.map(({ isDeaf, frames }) => ({ isDeaf, frames: frames.map(hexOf) })),
  };
  Deno.writeTextFileSync(file, `${JSON.stringify(input, null, 1)}\n`);
  return file;
}

/** A client's life that went wrong; its seed decides all of it. */
export interface FoundLife {
  readonly fault: string;
  readonly seed: number;
}

/** Writes down a client's life; gives the file's name. */
export function keepClient(fault: string, seed: number): string {
  const file = join(FOLDER, `client_${seed}.json`);
  const life: FoundLife = { fault, seed };
  Deno.writeTextFileSync(file, `${JSON.stringify(life, null, 1)}\n`);
  return file;
}
