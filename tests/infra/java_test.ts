import assert from "node:assert/strict";
import { javaMajor, MavenProgress, mavenVersion } from "../../infra/java.ts";

Deno.test("javaMajor() reads what java -version prints, old and new", () => {
  assert.equal(javaMajor('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime …'), 17);
  assert.equal(javaMajor('java version "1.8.0_402"'), 8);
  assert.equal(javaMajor('openjdk version "25" 2025-09-16'), 25);
  assert.equal(javaMajor("no such thing"), undefined);
});

Deno.test("mavenVersion() reads what mvn -version prints", () => {
  assert.deepEqual(mavenVersion("Apache Maven 3.8.7\nMaven home: …"), [3, 8]);
  assert.deepEqual(mavenVersion("\u001b[1mApache Maven 4.0.0-rc-3 (abc)\u001b[m"), [4, 0]);
  assert.equal(mavenVersion("zsh: command not found"), undefined);
});

const OUTPUT = [
  "[INFO] Scanning for projects...",
  "Downloading from central: https://repository.example/a/1/a-1.pom",
  "Downloaded from central: https://repository.example/a/1/a-1.pom (1.5 kB at 20 kB/s)",
  "[INFO] Downloaded from central: https://repository.example/a/1/a-1.jar (2.0 MB at 9 MB/s)",
  "Downloaded from central: https://repository.example/b/1/b-1.jar (500 B at 9 kB/s)",
  "[ERROR] Failed to execute goal: it broke",
  "[ERROR] Re-run Maven using -X",
  "",
].join("\n");

Deno.test("MavenProgress counts files and bytes, and keeps the first error", () => {
  const progress = new MavenProgress();
  progress.add(OUTPUT);
  assert.equal(progress.fileCount, 3);
  assert.equal(progress.byteCount, 1_500 + 2_000_000 + 500);
  assert.equal(progress.lastError, "Failed to execute goal: it broke");
});

Deno.test("MavenProgress counts the same when the output comes in single characters", () => {
  const progress = new MavenProgress();
  for (const character of OUTPUT) progress.add(character);
  assert.equal(progress.fileCount, 3);
  assert.equal(progress.byteCount, 2_002_000);
});
