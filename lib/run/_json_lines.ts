import { type Disk, textOf, utf8 } from "../base/mod.ts";

/** Adds one line to a file of a run, at once. */
export function appendJsonLine(disk: Disk, path: string, value: unknown): void {
  const file = disk.open(path);
  try {
    file.append(utf8(JSON.stringify(value) + "\n"));
  } finally {
    file.close();
  }
}

/** The lines of such a file in order; none where it is missing. A torn last line is left out. */
export function readJsonLines<T>(disk: Disk, path: string): T[] {
  const bytes = disk.readFile(path);
  if (bytes === undefined) return [];
  const lines = textOf(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}
