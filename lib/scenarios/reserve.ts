import type { RunFolder } from "../run/mod.ts";

/** Room that is set aside while a run goes on. */
export interface Reserve {
  /** Gives it back; safe to call more than once. */
  release(): Promise<void>;
}

const RESERVE_BYTES = 16 * 1024 * 1024;

/**
 * Sets disk space aside in the run's folder: when the disk fills up during a run, there is still room to say so, and for the rows that the
 * verdict is made from.
 */
export async function reserveDisk(folder: RunFolder): Promise<Reserve> {
  const path = folder.file("reserve");
  // Not zeros: a file system may store those as a hole.
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  using file = await Deno.open(path, { write: true, create: true });
  for (let written = 0; written < RESERVE_BYTES; written += block.length) await file.write(block);
  return {
    release: () =>
      Deno.remove(path).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }),
  };
}
