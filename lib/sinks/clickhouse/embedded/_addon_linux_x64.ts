/**
 * Loads chDB for Linux on x86-64. A literal specifier, so that the lock file holds its hash; not in the import map, which every platform reads.
 */
export function load(): Promise<{ default: unknown }> {
  // deno-lint-ignore no-import-prefix
  return import("npm:@chdb/lib-linux-x64-gnu@26.7.3-stable.1");
}
