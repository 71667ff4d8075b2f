import assert from "node:assert/strict";
import { z } from "zod";

const FOLDER = new URL("../.devcontainer/", import.meta.url);

/** The fields that are used here, as the Development Container Specification has them (containers.dev, devContainer.base.schema.json); a field with a typing error is refused. */
const DEV_CONTAINER = z.strictObject({
  name: z.string(),
  build: z.strictObject({ dockerfile: z.string() }),
  remoteUser: z.string(),
  hostRequirements: z.strictObject({
    cpus: z.int().min(1),
    memory: z.string().regex(/^\d+([tgmk]b)?$/),
    storage: z.string().regex(/^\d+([tgmk]b)?$/),
  }),
  postCreateCommand: z.string(),
  forwardPorts: z.array(z.int().min(0).max(65_535)),
  portsAttributes: z.record(
    z.string().regex(/^\d+(-\d+)?$/),
    z.strictObject({
      label: z.string(),
      onAutoForward: z.enum([
        "notify",
        "openBrowser",
        "openBrowserOnce",
        "openPreview",
        "silent",
        "ignore",
      ]),
    }),
  ),
  customizations: z.strictObject({
    vscode: z.strictObject({
      extensions: z.array(z.string().regex(/^[\w-]+\.[\w-]+$/)),
      settings: z.record(z.string(), z.unknown()),
    }),
  }),
});

function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, FOLDER));
}

const container = () => DEV_CONTAINER.parse(JSON.parse(read("devcontainer.json")));

Deno.test("devcontainer.json has the fields of the specification, and a task after it was made", () => {
  const { postCreateCommand, portsAttributes, forwardPorts } = container();
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url)));
  const task = /^deno task ([\w:]+)$/.exec(postCreateCommand)?.[1];
  assert.ok(task !== undefined && task in tasks, postCreateCommand);
  assert.deepEqual(Object.keys(portsAttributes), forwardPorts.map(String));
});

Deno.test("the Dockerfile is of an exact version, of the Deno that the project names, and not root", () => {
  const lines = read(container().build.dockerfile).split("\n");
  const image = lines.find((line) => line.startsWith("FROM "));
  const readme = Deno.readTextFileSync(new URL("../.ci/run", import.meta.url));
  const version = /deno@(\d+\.\d+\.\d+)/.exec(readme)?.[1];
  assert.equal(image, `FROM denoland/deno:debian-${version}`);
  const user = lines.filter((line) => line.startsWith("USER ")).at(-1)?.slice("USER ".length);
  assert.ok(user !== undefined && user !== "root" && user !== "0", user);
  const made = /useradd .*--uid (\d+) .*?(\w+)(?: \\)?$/m.exec(lines.join("\n"));
  assert.deepEqual([made?.[1], made?.[2]], [user, container().remoteUser]);
});
