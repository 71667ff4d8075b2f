import ts from "typescript";
import {
  isGenerated,
  lineOf,
  type Source,
  type TextFile,
  type Violation,
  walk,
} from "./_project.ts";
import {
  BANNED_CALLS,
  BANNED_TEXT,
  BARE_NAME_EXCEPTIONS,
  BARE_NAMES,
  CALL_EXCEPTIONS,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LONG_FUNCTIONS,
  TEXT_EXCEPTIONS,
} from "./_rules.ts";

function violation({ path, tree }: Source, node: ts.Node, rule: string): Violation {
  return { file: path, line: lineOf(tree, node.getStart()), rule };
}

/** A turn of the event loop is no sleep; tests may wait for one. */
function isTurn(path: string, node: ts.Node): boolean {
  return path.startsWith("tests/") && ts.isCallExpression(node) &&
    node.arguments[1]?.getText() === "0";
}

/** Calls that hide an input. */
export function checkCalls(source: Source): Violation[] {
  const { path, tree } = source;
  const banned = BANNED_CALLS.filter(({ call, allowedIn }) =>
    !allowedIn.some((prefix) => path.startsWith(prefix)) &&
    CALL_EXCEPTIONS[`${path}#${call}`] === undefined
  );
  const violations: Violation[] = [];
  walk(tree, (node) => {
    const isUse = ts.isPropertyAccessExpression(node) ||
      (ts.isCallExpression(node) && ts.isIdentifier(node.expression));
    if (!isUse) return;
    const text = ts.isCallExpression(node)
      ? node.expression.getText()
      : node.getText().replace(/^globalThis\./, "");
    const found = banned.find(({ call }) => call === text);
    if (found !== undefined && !isTurn(path, node)) {
      violations.push(violation(source, node, `${found.call} is banned here: ${found.instead}`));
    }
  });
  return violations;
}

/** Files of at most 500 lines, unless the first line gives a reason. */
export function checkFileLength(source: Source): Violation[] {
  if (isGenerated(source)) return [];
  const { path, text } = source;
  const lines = text.split("\n").length - 1;
  const hasReason = /^(?:\/\/|\/\*).*(?:long|lines|generated)/i.test(text);
  if (lines <= FILE_LINES_MAX || hasReason) return [];
  const rule = `${lines} lines, at most ${FILE_LINES_MAX} without a reason on the first line`;
  return [{ file: path, line: 1, rule }];
}

function nameOfFunction(node: ts.Node): string {
  const named = node as { name?: ts.Node };
  if (named.name !== undefined) return named.name.getText();
  const parent = node.parent as { name?: ts.Node };
  return parent.name?.getText() ?? "anonymous";
}

/** Functions of at most 70 lines. */
export function checkFunctionLength(source: Source): Violation[] {
  if (isGenerated(source)) return [];
  const violations: Violation[] = [];
  walk(source.tree, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const first = lineOf(source.tree, node.getStart());
    const lines = lineOf(source.tree, node.getEnd()) - first + 1;
    const name = nameOfFunction(node);
    if (lines <= FUNCTION_LINES_MAX) return;
    if (LONG_FUNCTIONS[`${source.path}#${name}`] !== undefined) return;
    const rule = `${name} takes ${lines} lines, at most ${FUNCTION_LINES_MAX}`;
    violations.push(violation(source, node, rule));
  });
  return violations;
}

/** snake_case.ts, or _snake_case.ts for a private file. */
export function checkFileName({ path }: Source): Violation[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (/^_?[a-z0-9]+(?:_[a-z0-9]+)*(?:\.nb)?\.ts$/.test(name)) return [];
  return [{ file: path, line: 1, rule: "file names are snake_case.ts" }];
}

function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === kind);
}

/** No default export, no enum. */
export function checkForms(source: Source): Violation[] {
  if (isGenerated(source)) return [];
  const violations: Violation[] = [];
  walk(source.tree, (node) => {
    if (ts.isExportAssignment(node) || hasModifier(node, ts.SyntaxKind.DefaultKeyword)) {
      violations.push(violation(source, node, "no default export: give it a name"));
    }
    if (ts.isEnumDeclaration(node)) {
      violations.push(violation(source, node, "no enum: a union, or a list as const"));
    }
  });
  return violations;
}

/** A mod.ts lists its exports by name, and says what the folder is. */
export function checkMod(source: Source): Violation[] {
  if (!/^lib\/.*\/mod\.ts$/.test(source.path)) return [];
  const violations: Violation[] = source.text.startsWith("/**")
    ? []
    : [{ file: source.path, line: 1, rule: "mod.ts begins with a docstring about its folder" }];
  for (const statement of source.tree.statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const { exportClause } = statement;
    if (exportClause === undefined || !ts.isNamedExports(exportClause)) {
      violations.push(violation(source, statement, "mod.ts lists its exports by name"));
    }
  }
  return violations;
}

function isDocumented(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).length > 0;
}

/** Every export of lib/ has a docstring; one of several overloads is enough. */
export function checkDocs(source: Source): Violation[] {
  if (!source.path.startsWith("lib/") || isGenerated(source)) return [];
  const documented = new Set<string>();
  const exported: { node: ts.Node; name: string }[] = [];
  for (const statement of source.tree.statements) {
    if (!hasModifier(statement, ts.SyntaxKind.ExportKeyword)) continue;
    const name = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map((one) => one.name.getText()).join(", ")
      : (statement as { name?: ts.Node }).name?.getText() ?? "default";
    exported.push({ node: statement, name });
    if (isDocumented(statement)) documented.add(name);
  }
  const bare = exported.filter(({ name }) => !documented.has(name));
  return bare.map(({ node, name }) => violation(source, node, `export ${name} has no docstring`));
}

/** Names in types say their unit. */
export function checkBareNames(source: Source): Violation[] {
  if (!source.path.startsWith("lib/") || isGenerated(source)) return [];
  const violations: Violation[] = [];
  walk(source.tree, (node) => {
    if (!ts.isPropertySignature(node)) return;
    const name = node.name.getText();
    if (!(BARE_NAMES as readonly string[]).includes(name)) return;
    if (BARE_NAME_EXCEPTIONS[`${source.path}#${name}`] !== undefined) return;
    // A value of a type of its own carries its unit there.
    const type = node.type?.kind;
    if (type !== undefined && type !== ts.SyntaxKind.NumberKeyword) return;
    violations.push(violation(source, node, `${name} says no unit: e.g. ${name}Ms, ${name}Bytes`));
  });
  return violations;
}

/** No marks of work that was left. */
export function checkMarks(file: TextFile): Violation[] {
  if (isGenerated(file)) return [];
  const { path, text } = file;
  const mark = new RegExp(
    `\\b(?:${["TO", "FIX"].map((word, i) => word + ["DO", "ME"][i]).join("|")})\\b`,
  );
  return text.split("\n").flatMap((line, i) =>
    mark.test(line)
      ? [{ file: path, line: i + 1, rule: "no marks of work left: do it, or say it in an issue" }]
      : []
  );
}

/** No hosts of registries, no paths of one machine. */
export function checkTexts({ path, text }: TextFile): Violation[] {
  if (TEXT_EXCEPTIONS[path] !== undefined) return [];
  return text.split("\n").flatMap((line, i) =>
    BANNED_TEXT.filter(({ pattern }) => pattern.test(line)).map(({ what }) => ({
      file: path,
      line: i + 1,
      rule: `holds ${what}`,
    }))
  );
}

/** Exact versions in deno.json and in literal npm: specifiers. */
export function checkVersions(path: string, specifiers: readonly string[]): Violation[] {
  const exact = /^npm:\/?(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:-[\w.]+)?(?:\/.*)?$/;
  return specifiers
    .filter((specifier) => /^(?:npm|jsr|https?):/.test(specifier) && !exact.test(specifier))
    .map((specifier) => ({ file: path, line: 1, rule: `${specifier} is not an exact version` }));
}

/** Notebooks are committed as they were written: without outputs and counts. */
export function checkNotebook({ path, text }: TextFile): Violation[] {
  const { cells } = JSON.parse(text) as {
    cells: { outputs?: unknown[]; execution_count?: number | null }[];
  };
  return cells.flatMap(({ outputs = [], execution_count: count = null }, i) =>
    outputs.length === 0 && count === null
      ? []
      : [{ file: path, line: 1, rule: `cell ${i + 1} is committed with its output` }]
  );
}
