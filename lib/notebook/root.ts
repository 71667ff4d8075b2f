import { dirname, resolve } from "node:path";

/** The project's root, which holds `jobs/` and `runs/`. */
export const ROOT = dirname(dirname(import.meta.dirname!));

/** Where the runs of notebooks are kept: the folder in `WEIR_RUNS`, else `runs` in the project. */
export function runsRoot(
  environment: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  return resolve(environment("WEIR_RUNS") || `${ROOT}/runs`);
}
