import assert from "node:assert/strict";

/**
 * Compares text with the file of that name in `__snapshots__` (SVG by another name, as the formatter would
 * rewrite .svg). After a change that was looked at, write the files anew
 * with `deno test --allow-all tests/report -- --update`.
 */
export function assertSnapshot(name: string, text: string): void {
  const path = new URL(`./__snapshots__/${name}`, import.meta.url);
  if (Deno.args.includes("--update")) {
    Deno.mkdirSync(new URL(".", path), { recursive: true });
    Deno.writeTextFileSync(path, text);
    return;
  }
  assert.equal(
    text,
    Deno.readTextFileSync(path),
    `${name} differs; look at it, then run the tests with -- --update`,
  );
}

/** Fails with what was found, not with the whole page that it was found in. */
export function assertAbsent(text: string, pattern: RegExp, message = "is there"): void {
  const found = pattern.exec(text);
  if (found === null) return;
  const around = text.slice(Math.max(0, found.index - 60), found.index + 60);
  assert.fail(`${pattern} ${message}: ${around}`);
}
