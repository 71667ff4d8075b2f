import type { Disk } from "../../../base/mod.ts";

const FOLDER = /^compacted-\d+$/;

/** Whether a name in a topic's folder is that of a compacted log's folder. */
export function isCompactedFolder(name: string): boolean {
  return FOLDER.test(name);
}

/** Removes a topic's folder, or a compacted log's, and all that is in it. */
export function removeLogFolder(disk: Disk, folder: string): void {
  for (const name of disk.list(folder)) {
    if (isCompactedFolder(name)) removeLogFolder(disk, `${folder}/${name}`);
    else disk.remove(`${folder}/${name}`);
  }
  disk.remove(folder);
}
