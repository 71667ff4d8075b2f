/**
 * The project's own Jupyter: a virtual environment in `.venv` with pinned packages and the Deno kernel. Nothing is written to the user's home.
 *
 * @module
 */
import { UsageError } from "../../lib/base/mod.ts";
import { findPython } from "./python.ts";
import { installPackages } from "./pip.ts";

/** `kernel`: what drives a kernel from a program. `lab`: JupyterLab as well. */
export type PackageSet = "kernel" | "lab";

/** A Jupyter that is there. */
export interface JupyterEnvironment {
  /** Path of its interpreter. */
  readonly python: string;
  /** What its programs need in their environment. */
  readonly variables: Readonly<Record<string, string>>;
}

/** How the environment is made. */
export interface EnsureOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly packages: PackageSet;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

const FILES: Readonly<Record<PackageSet, readonly string[]>> = {
  kernel: ["requirements.txt", "constraints.txt"],
  lab: ["requirements.txt", "constraints.txt", "requirements-lab.txt"],
};
const REQUIREMENTS = { kernel: "requirements.txt", lab: "requirements-lab.txt" } as const;
const PACKAGE_COUNTS = { kernel: 25, lab: 95 } as const;

/** Requests to this machine go past the proxy of a company, in kernels, too. */
function withLoopback(noProxy: string | undefined): string {
  return [noProxy, "127.0.0.1,localhost,::1"].filter(Boolean).join(",");
}

/** Where it is, whether it was made or not. */
export function jupyterEnvironment(root: string): JupyterEnvironment {
  const folder = `${root}/.venv`;
  const isWindows = Deno.build.os === "windows";
  return {
    python: isWindows ? `${folder}/Scripts/python.exe` : `${folder}/bin/python`,
    variables: {
      JUPYTER_CONFIG_DIR: `${folder}/etc/jupyter`,
      JUPYTER_DATA_DIR: `${folder}/share/jupyter`,
      JUPYTER_RUNTIME_DIR: `${folder}/run`,
      // IPython makes a profile in the home folder otherwise.
      IPYTHONDIR: `${folder}/etc/ipython`,
      NO_PROXY: withLoopback(Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy")),
    },
  };
}

async function stampOf(root: string, packages: PackageSet): Promise<string> {
  const texts = FILES[packages].map((name) => Deno.readTextFile(`${root}/infra/jupyter/${name}`));
  return (await Promise.all(texts)).join("\n");
}

async function isInstalled(root: string, packages: PackageSet): Promise<boolean> {
  try {
    const stamp = await Deno.readTextFile(`${root}/.venv/weir-${packages}.txt`);
    // A Python that was updated away leaves the folder without its interpreter.
    await Deno.stat(jupyterEnvironment(root).python);
    return stamp === await stampOf(root, packages);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function install({ root, packages, say, signal }: EnsureOptions): Promise<void> {
  const { command } = await findPython();
  const folder = `${root}/.venv`;
  const { python, variables } = jupyterEnvironment(root);
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: ["-m", "venv", folder],
    ...(signal === undefined ? {} : { signal }),
  }).output();
  signal?.throwIfAborted();
  if (!success) {
    const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    throw new UsageError(
      `Cannot make a Python environment in ${folder}: ${words.trim().split("\n").at(-1)}`,
      `delete ${folder} and try again`,
    );
  }
  await installPackages({
    python,
    requirements: `${root}/infra/jupyter/${REQUIREMENTS[packages]}`,
    constraints: `${root}/infra/jupyter/constraints.txt`,
    variables,
    packageCount: PACKAGE_COUNTS[packages],
    say,
    ...(signal === undefined ? {} : { signal }),
  });
  const done = packages === "lab" ? ["kernel", "lab"] as const : ["kernel"] as const;
  for (const set of done) {
    await Deno.writeTextFile(`${folder}/weir-${set}.txt`, await stampOf(root, set));
  }
}

/**
 * Writes the kernel's specification. `deno jupyter --install` would write it to the user's home on macOS and Windows, whatever the environment says.
 */
async function writeKernel(root: string): Promise<void> {
  const folder = `${root}/.venv/share/jupyter/kernels/deno`;
  await Deno.mkdir(folder, { recursive: true });
  const specification = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
  };
  await Deno.writeTextFile(`${folder}/kernel.json`, JSON.stringify(specification, null, 2) + "\n");
}

/** Completion while typing; no question about news, no look for updates: neither works in a room without network. */
const LAB_SETTINGS = {
  "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
  "@jupyterlab/completer-extension:manager": { autoCompletion: true },
};

async function writeLabSettings(root: string): Promise<void> {
  const folder = `${root}/.venv/share/jupyter/lab/settings`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/overrides.json`, JSON.stringify(LAB_SETTINGS, null, 2));
}

/**
 * Makes the environment, or finds it made: it is done again when a pinned version changed. Calls at the same time wait for one another.
 *
 * @throws {UsageError} when Python is missing or a package cannot be installed
 */
export async function ensureJupyter(options: EnsureOptions): Promise<JupyterEnvironment> {
  const { root, packages } = options;
  await Deno.mkdir(`${root}/.venv`, { recursive: true });
  using lock = await Deno.open(`${root}/.venv/weir.lock`, { create: true, write: true });
  await lock.lock(true);
  if (!await isInstalled(root, packages)) await install(options);
  // Written each time: the path of Deno may have changed, and it costs nothing.
  await writeKernel(root);
  await writeLabSettings(root);
  return jupyterEnvironment(root);
}
