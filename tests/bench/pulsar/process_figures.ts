/** CPU time and memory of any process of this user, from /proc (Linux; see proc(5)). */
import { mix32 } from "../../../lib/base/mod.ts";
import process from "node:process";

/** USER_HZ: the unit of the times in /proc/PID/stat, 100 on every Linux that Deno runs on. */
const TICKS_PER_SEC = 100;
const REFERENCE_STEPS = 50_000_000;
const REFERENCE_BYTES = 512 * 1024 * 1024;

/** What a process has used so far. */
export interface ProcessFigures {
  /** User and system time of all its threads. */
  readonly cpuSec: number;
  readonly residentBytes: number;
  /** The most it has ever held. */
  readonly residentBytesMax: number;
}

/**
 * The figures of a process.
 *
 * @throws when there is no such process, or no /proc
 */
export function processFigures(pid: number): ProcessFigures {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name, in brackets, may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const bytesOf = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? NaN);
  return {
    cpuSec: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC,
    residentBytes: bytesOf("VmRSS"),
    residentBytesMax: bytesOf("VmHWM"),
  };
}

/** CPU time of one step of a loop that nothing can speed up: how fast this machine is just now, in ns. */
export function referenceStepNs(): number {
  let value = 1;
  for (let i = 0; i < REFERENCE_STEPS / 10; i++) value = mix32(value + i);
  const before = process.cpuUsage();
  for (let i = 0; i < REFERENCE_STEPS; i++) value = mix32(value + i);
  const used = process.cpuUsage(before);
  if (value === -1) throw new Error("never: it keeps the loop from being left out");
  return (used.user + used.system) * 1000 / REFERENCE_STEPS;
}

/** What the operating system takes for writing, CPU time in ns for each of `unitBytes`. */
export interface WriteReference {
  /** To a file that grows: its pages are new. */
  readonly newFileNs: number;
  /** Over what was written before. */
  readonly sameFileNs: number;
}

/** Writes 512 MiB twice to a file in `folder`, in calls of 1,000 units as a broker does, and removes it. */
export async function writeReference(folder: string, unitBytes: number): Promise<WriteReference> {
  const path = await Deno.makeTempFile({ dir: folder, prefix: "reference-" });
  const batch = new Uint8Array(1000 * unitBytes).fill(1);
  const batches = Math.ceil(REFERENCE_BYTES / batch.length);
  using file = await Deno.open(path, { write: true });
  const onceNs = () => {
    file.seekSync(0, Deno.SeekMode.Start);
    const before = process.cpuUsage();
    for (let i = 0; i < batches; i++) {
      for (let at = 0; at < batch.length;) at += file.writeSync(batch.subarray(at));
    }
    const used = process.cpuUsage(before);
    return (used.user + used.system) * 1000 / (1000 * batches);
  };
  try {
    return { newFileNs: onceNs(), sameFileNs: onceNs() };
  } finally {
    await Deno.remove(path);
  }
}

/** Least squares: by how much y grows when x grows by one. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const under = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return over / under;
}
