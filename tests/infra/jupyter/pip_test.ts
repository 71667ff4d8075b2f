import assert from "node:assert/strict";
import { PipProgress } from "../../../infra/jupyter/pip.ts";

const SAID = `Collecting jupyter_client==8.6.3 (from -r requirements.txt (line 1))
  Downloading jupyter_client-8.6.3-py3-none-any.whl (106 kB)
Collecting nbclient==0.10.2 (from -r requirements.txt (line 2))
Requirement already satisfied: pip in ./lib
`;

Deno.test("PipProgress counts packages in whatever pieces the text comes", () => {
  for (let cut = 0; cut <= SAID.length; cut++) {
    const progress = new PipProgress();
    progress.add(SAID.slice(0, cut));
    progress.add(SAID.slice(cut));
    assert.equal(progress.collectedCount, 2, `cut at ${cut}`);
    assert.equal(progress.isInstalling, false);
  }
});

Deno.test("PipProgress knows when unpacking begins, and keeps the last error", () => {
  const progress = new PipProgress();
  progress.add("Installing collected packages: a, b\nERROR: first\r\nERROR: no space left\n");
  assert.equal(progress.isInstalling, true);
  assert.equal(progress.lastError, "no space left");
});
