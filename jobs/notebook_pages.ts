import { dirname } from "node:path";
import { ensureJupyter } from "../infra/jupyter/environment.ts";
import { UsageError } from "../lib/base/mod.ts";
import { EXIT, runJob } from "./_job.ts";
import {
  type Card,
  cardOf,
  type ExecutedNotebook,
  finishPage,
  foreignLoads,
  galleryHtml,
} from "./_notebook_page.ts";

const ROOT = dirname(import.meta.dirname!);

async function executedNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".ipynb")) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (names.length > 0) return names.sort();
  throw new UsageError(
    `Cannot make pages: ${folder} holds no executed notebook`,
    "run `deno task notebooks` first, or name a folder with --from",
  );
}

/** Runs nbconvert over all notebooks: it knows how Jupyter shows what. */
async function convert(from: string, names: readonly string[], out: string): Promise<void> {
  const say = (text: string) => console.error(text);
  const { python, variables } = await ensureJupyter({ root: ROOT, packages: "lab", say });
  const { success, stderr } = await new Deno.Command(python, {
    args: [
      ...["-m", "nbconvert", "--to=html", "--embed-images", `--output-dir=${out}`],
      // None of these scripts is used by what weir shows, and each would be loaded from elsewhere.
      ...["require_js_url", "mathjax_url", "jquery_url", "mermaid_js_url"]
        .map((name) => `--HTMLExporter.${name}=`),
      ...names.map((name) => `${from}/${name}`),
    ],
    env: variables,
    stdout: "null",
  }).output();
  if (success) return;
  const words = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new UsageError(`Cannot make pages: nbconvert says ${words}`);
}

async function finish(from: string, name: string, out: string): Promise<Card> {
  const page = name.replace(/\.ipynb$/, ".html");
  const notebook: ExecutedNotebook = JSON.parse(await Deno.readTextFile(`${from}/${name}`));
  const card = cardOf(notebook, page);
  const html = finishPage(await Deno.readTextFile(`${out}/${page}`), `${card.title} – weir`);
  const foreign = foreignLoads(html);
  if (foreign.length > 0) {
    throw new UsageError(`Cannot make ${page} self-contained: it loads ${foreign.join(", ")}`);
  }
  await Deno.writeTextFile(`${out}/${page}`, html);
  return card;
}

await runJob({
  usage: {
    command: "deno task notebooks:html",
    summary:
      "Makes self-contained pages of the executed notebooks that `deno task notebooks` leaves, and a gallery of them.",
    examples: ["deno task notebooks && deno task notebooks:html"],
  },
  table: {
    "from": { kind: "text", default: ".data/notebooks", help: "folder of executed notebooks" },
    "out": { kind: "text", default: ".data/pages", help: "folder of the pages" },
  },
  async run({ flags }) {
    const { from, out } = flags;
    const names = await executedNames(from);
    await Deno.mkdir(out, { recursive: true });
    await convert(from, names, out);
    const cards = await Promise.all(names.map((name) => finish(from, name, out)));
    await Deno.writeTextFile(`${out}/index.html`, galleryHtml(cards));
    console.log(`${await Deno.realPath(out)}/index.html: ${names.length} notebooks`);
    return EXIT.pass;
  },
});
