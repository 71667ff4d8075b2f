import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Where Chromium is: WEIR_CHROMIUM, or on the PATH. */
export async function findChromium(): Promise<string | undefined> {
  const named = Deno.env.get("WEIR_CHROMIUM");
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const places = NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  for (const place of named === undefined ? places : [named]) {
    if (await Deno.stat(place).then(({ isFile }) => isFile, () => false)) return place;
  }
  return undefined;
}

/** A Chromium without a window; ends with its last reference (`await using`). */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await findChromium();
  if (executablePath === undefined) throw new Error("Cannot open a browser: there is no Chromium");
  // In a container one is root, and its sandbox does not start; the pages are our own.
  const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
  return await chromium.launch({ executablePath, args });
}
