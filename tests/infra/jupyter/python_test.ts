import assert from "node:assert/strict";
import { askPython, findPython, type PythonReport } from "../../../infra/jupyter/python.ts";

/** A machine with these Pythons, the version as text; a + says that it has venv. */
function machine(pythons: Readonly<Record<string, string>>) {
  return (command: string): Promise<PythonReport | undefined> => {
    const text = pythons[command];
    if (text === undefined) return Promise.resolve(undefined);
    const [major, minor] = text.split(".").map(parseFloat);
    return Promise.resolve({
      command,
      version: [major!, minor!],
      hasVenv: text.endsWith("+"),
    });
  };
}

Deno.test("findPython() takes the first that is new enough and complete", async () => {
  assert.equal(
    (await findPython(machine({ python3: "3.9+", python: "3.13+" }))).command,
    "python3",
  );
  assert.equal((await findPython(machine({ python3: "3.8+", python: "3.13+" }))).command, "python");
  assert.equal((await findPython(machine({ python3: "3.12", py: "3.11+" }))).command, "py");
  assert.equal((await findPython(machine({ python: "4.0+" }))).command, "python");
});

Deno.test("findPython() says what is missing, and the cure", async () => {
  const cases: [Record<string, string>, RegExp, RegExp][] = [
    [{}, /there is no Python on the PATH/, /python3-venv/],
    [{ python: "2.7", python3: "3.8+" }, /version 3\.8 and 2\.7/, /newer/],
    [{ python3: "3.11" }, /python3 3\.11 has no venv module/, /python3\.11-venv/],
  ];
  for (const [pythons, message, cure] of cases) {
    await assert.rejects(findPython(machine(pythons)), (error: Error & { cure?: string }) => {
      assert.match(error.message, message);
      assert.match(error.cure ?? "", cure);
      return true;
    });
  }
});

Deno.test("askPython() knows nothing of a command that is no Python", async () => {
  assert.equal(await askPython("weir-no-such-command"), undefined);
  assert.equal(await askPython("true"), undefined);
});
