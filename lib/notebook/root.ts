import { dirname } from "node:path";

/** The project's root, which holds `jobs/` and `runs/`. */
export const ROOT = dirname(dirname(import.meta.dirname!));
