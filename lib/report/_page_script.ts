import { createHash } from "node:crypto";
import source from "./page_script.js" with { type: "text" };

/** The script as it stands in a page: without comments and indentation, which nobody reads there. */
export const PAGE_SCRIPT = source.replaceAll(/^\s*\/\/.*\n/gm, "").replaceAll(/^\s+/gm, "");

/** What a Content-Security-Policy names it by: no other script runs in the page. */
export const PAGE_SCRIPT_HASH = `sha256-${
  createHash("sha256").update(PAGE_SCRIPT).digest("base64")
}`;
