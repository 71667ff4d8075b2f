/**
 * Says that a server can be used: JSON on one line for a script or a runner, plain lines where a person reads.
 *
 * @param ready what a script gets
 * @param lines what a person gets
 */
export function sayReady(ready: Readonly<Record<string, unknown>>, lines: readonly string[]): void {
  if (!Deno.stdout.isTerminal()) return console.log(JSON.stringify(ready));
  for (const line of lines) console.log(line);
}
