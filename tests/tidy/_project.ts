import ts from "typescript";
import { SKIPPED_FOLDERS } from "./_rules.ts";

/** A fault that a person must mend. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** A TypeScript file, parsed. */
export interface Source {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  /** What it imports, types and literal dynamic imports included; local files resolved to paths from the root. */
  readonly imports: readonly Import[];
}

/** One import of a file. */
export interface Import {
  readonly line: number;
  /** As written. */
  readonly specifier: string;
  /** The file from the project's root, undefined for packages. */
  readonly path: string | undefined;
}

/** A file of any kind. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const TEXT_BYTES_MAX = 1_000_000;
const TEXT_FILE =
  /(?:^|\/)(?:[^/.]+|[^/]*\.(?:ts|json|jsonc|md|ya?ml|xml|sql|ipynb|sh|conf|properties|proto|avsc|html|css|txt|py|toml))$/;

/** The paths of all files below a folder, sorted, without folders that hold what was made. */
export function listFiles(root: URL, folder = ""): string[] {
  const paths: string[] = [];
  for (const { name, isDirectory, isFile } of Deno.readDirSync(new URL(folder, root))) {
    if ((SKIPPED_FOLDERS as readonly string[]).includes(name)) continue;
    if (isDirectory) paths.push(...listFiles(root, `${folder}${name}/`));
    else if (isFile) paths.push(folder + name);
  }
  return paths.sort();
}

/** Reads the files that hold text; data and pictures are left out. */
export function readTexts(root: URL, paths: readonly string[]): TextFile[] {
  return paths.filter((path) => TEXT_FILE.test(path)).flatMap((path) => {
    const url = new URL(path.split("/").map(encodeURIComponent).join("/"), root);
    if (Deno.statSync(url).size > TEXT_BYTES_MAX) return [];
    return [{ path, text: Deno.readTextFileSync(url) }];
  });
}

/** Line of a place in a file, from 1. */
export function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** Calls `visit` for each node of a tree. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return node.argument.literal;
  }
  const isDynamic = ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? node.arguments[0] : undefined;
}

function resolve(from: string, specifier: string, aliases: ReadonlyMap<string, string>) {
  const alias = aliases.get(specifier);
  if (alias !== undefined) return alias;
  if (!/^\.\.?\//.test(specifier)) return undefined;
  return decodeURI(new URL(specifier, `file:///${from}`).pathname.slice(1));
}

/**
 * Parses a file.
 *
 * @param aliases names of the import map that stand for files of the project
 */
export function parse(
  { path, text }: TextFile,
  aliases: ReadonlyMap<string, string> = new Map(),
): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  walk(tree, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    imports.push({
      line: lineOf(tree, specifier.getStart()),
      specifier: specifier.text,
      path: resolve(path, specifier.text, aliases),
    });
  });
  return { path, text, tree, imports };
}

/** Names of the import map that stand for files of the project. */
export function localAliases(denoJson: string): Map<string, string> {
  const { imports = {} } = JSON.parse(denoJson) as { imports?: Record<string, string> };
  return new Map(
    Object.entries(imports)
      .filter(([, target]) => target.startsWith("./"))
      .map(([name, target]) => [name, target.slice(2)]),
  );
}

/** Whether a file was made by a generator that says so. */
export function isGenerated({ text }: TextFile): boolean {
  return /@generated/.test(text.slice(0, 2000));
}
