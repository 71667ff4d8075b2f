import assert from "node:assert/strict";
import { joined, moduleOf, notebookNames, readNotebook } from "./notebooks/_cells.ts";

const FOLDER = new URL("../notebooks", import.meta.url).pathname;

Deno.test("notebooks are committed without outputs, for the Deno kernel, with the question in the first cell", () => {
  const names = notebookNames(FOLDER);
  assert.ok(names.length > 0, "there are no notebooks");
  for (const name of names) {
    const notebook = readNotebook(`${FOLDER}/${name}`);
    assert.equal(notebook.metadata.kernelspec?.name, "deno", `${name}: kernel`);
    const first = notebook.cells[0];
    assert.equal(first?.cell_type, "markdown", `${name}: the first cell is prose`);
    assert.match(joined(first?.source), /\?/, `${name}: the first cell asks a question`);
    notebook.cells.forEach((cell, i) => {
      if (cell.cell_type !== "code") return;
      assert.deepEqual(cell.outputs, [], `${name}: cell ${i} has outputs`);
      assert.equal(cell.execution_count, null, `${name}: cell ${i} has a count`);
    });
  }
});

Deno.test("cells of the notebooks pass deno check and deno lint", async () => {
  const folder = await Deno.makeTempDir({ dir: FOLDER, prefix: ".check-" });
  try {
    const paths = notebookNames(FOLDER).map((name) => {
      const path = `${folder}/${name.replace(".ipynb", ".nb.ts")}`;
      Deno.writeTextFileSync(path, moduleOf(readNotebook(`${FOLDER}/${name}`)));
      return path;
    });
    for (
      const args of [["check", "--quiet"], ["lint", "--quiet", "--rules-exclude=no-import-prefix"]]
    ) {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [...args, ...paths],
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// `deno fmt --check` of Deno 2.9.6 calls every notebook unformatted unless its cache says otherwise, so what `deno fmt` writes is compared instead.
Deno.test("notebooks are formatted", async () => {
  const folder = await Deno.makeTempDir({ dir: FOLDER, prefix: ".format-" });
  try {
    const names = notebookNames(FOLDER);
    for (const name of names) await Deno.copyFile(`${FOLDER}/${name}`, `${folder}/${name}`);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", folder],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    for (const name of names) {
      const [is, shouldBe] = [FOLDER, folder].map((where) =>
        Deno.readTextFileSync(`${where}/${name}`)
      );
      assert.ok(is === shouldBe, `${name} is not formatted: run deno fmt notebooks`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
