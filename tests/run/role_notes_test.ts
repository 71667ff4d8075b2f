import assert from "node:assert/strict";
import { systemDisk } from "../../lib/base/mod.ts";
import { appendRoleNote, readRoleNotes, type RoleNote } from "../../lib/run/role_notes.ts";

Deno.test("readRoleNotes() gives what was appended, in order, without a torn last line", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/notes.jsonl`;
    assert.deepEqual(readRoleNotes(systemDisk, path), []);
    const notes: RoleNote[] = [
      { atMs: 1, name: "aggregate-1", kind: "dying", data: { messages: 3 } },
      { atMs: 2, name: "produce", kind: "ending", data: null },
    ];
    notes.forEach((note) => appendRoleNote(systemDisk, path, note));
    Deno.writeTextFileSync(path, '{"atMs":3,"na', { append: true });
    assert.deepEqual(readRoleNotes(systemDisk, path), notes);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
