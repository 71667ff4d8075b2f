import assert from "node:assert/strict";
import { jupyterEnvironment } from "../../../infra/jupyter/environment.ts";

const FOLDER = new URL("../../../infra/jupyter/", import.meta.url);

/** `name==version` of each line, by the name as pip compares it. */
async function pins(name: string): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(new URL(name, FOLDER));
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("-"));
  return new Map(lines.map((line) => {
    const match = /^([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.]*)$/.exec(line);
    assert.ok(match, `${name}: ${line} is not pinned`);
    return [match[1]!.toLowerCase().replaceAll(/[-_.]+/g, "-"), match[2]!];
  }));
}

Deno.test("jupyterEnvironment() keeps every folder of Jupyter in the project", () => {
  const { python, variables } = jupyterEnvironment("/project");
  const paths = Object.entries(variables).filter(([name]) => name !== "NO_PROXY");
  assert.ok(paths.length >= 4);
  for (const [name, path] of paths) {
    assert.ok(path.startsWith("/project/.venv/"), `${name}=${path}`);
  }
  assert.ok(python.startsWith("/project/.venv/"));
  assert.match(variables["NO_PROXY"]!, /127\.0\.0\.1/);
});

Deno.test("every Python package is pinned, and the constraints say the same as the requirements", async () => {
  const constraints = await pins("constraints.txt");
  for (const file of ["requirements.txt", "requirements-lab.txt"]) {
    for (const [name, version] of await pins(file)) {
      assert.equal(constraints.get(name), version, `${file}: ${name}`);
    }
  }
});
