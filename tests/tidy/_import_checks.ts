import type { Source, Violation } from "./_project.ts";
import {
  BASE_FILES_MAX,
  DATA_IMPORTS,
  INNER_TABLES,
  MAY_IMPORT,
  OUTSIDE_MAY_IMPORT,
  USED_BY_OTHERS,
} from "./_rules.ts";

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The part of lib/ that a file belongs to: its folder, or its own name. */
function partOf(path: string): string | undefined {
  return /^lib\/([^/.]+)/.exec(path)?.[1];
}

function eachImport(
  sources: readonly Source[],
  visit: (source: Source, target: string) => string | undefined,
): Violation[] {
  return sources.flatMap((source) =>
    source.imports.flatMap(({ line, path }) => {
      const rule = path === undefined ? undefined : visit(source, path);
      return rule === undefined ? [] : [{ file: source.path, line, rule }];
    })
  );
}

/** Imports point only downward. */
export function checkTable(sources: readonly Source[]): Violation[] {
  return eachImport(sources, ({ path }, target) => {
    if (DATA_IMPORTS[target] !== undefined) return undefined;
    const top = path.split("/")[0]!;
    if (top !== "lib") {
      const allowed = OUTSIDE_MAY_IMPORT[top];
      const targetTop = target.split("/")[0]!;
      if (allowed === undefined || allowed.includes(targetTop)) return undefined;
      return `${top}/ may not import ${targetTop}/, only ${allowed.join(", ")}`;
    }
    const part = partOf(path)!;
    const targetPart = partOf(target);
    if (targetPart === undefined) return `lib/ may not import ${target}`;
    if (part === targetPart) return undefined;
    const allowed = MAY_IMPORT[part];
    if (allowed === undefined) return `${part} is not in the import table of tests/tidy/_rules.ts`;
    if (allowed.includes(targetPart)) return undefined;
    return `${part} may not import ${targetPart}, only ${allowed.join(", ") || "nothing"}`;
  });
}

/** The part of an inner table that a file belongs to, undefined where it is not in that folder. */
function innerPartOf(
  path: string,
  folder: string,
  table: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  if (!path.startsWith(`${folder}/`)) return undefined;
  const [first, ...rest] = path.slice(folder.length + 1).split("/");
  return rest.length > 0 || table[first!] !== undefined ? first! : ".";
}

/** Parts of one part keep their directions. */
export function checkInner(sources: readonly Source[]): Violation[] {
  return Object.entries(INNER_TABLES).flatMap(([folder, table]) =>
    eachImport(sources, ({ path }, target) => {
      const part = innerPartOf(path, folder, table);
      const targetPart = innerPartOf(target, folder, table);
      if (part === undefined || targetPart === undefined || part === targetPart) return undefined;
      const allowed = table[part];
      if (allowed === undefined) return `${folder}/${part} is not in INNER_TABLES`;
      if (allowed.includes(targetPart)) return undefined;
      return `of ${folder}, ${part} may not import ${targetPart}, only ${
        allowed.join(", ") || "itself"
      }`;
    })
  );
}

/** From outside a folder only its mod.ts is imported; a private file only from its own folder. */
export function checkDoors(sources: readonly Source[]): Violation[] {
  const notTests = sources.filter(({ path }) => !path.startsWith("tests/"));
  return eachImport(notTests, ({ path }, target) => {
    if (!target.startsWith("lib/") || !target.endsWith(".ts")) return undefined;
    const folder = folderOf(target);
    const isPrivate = target.slice(folder.length + 1).startsWith("_");
    if (isPrivate && folderOf(path) !== folder) return `${target} is private to its folder`;
    // The root of lib/ holds the pages that are meant to be imported.
    if (folder === "lib" || path.startsWith(`${folder}/`)) return undefined;
    return target === `${folder}/mod.ts`
      ? undefined
      : `from outside ${folder}/ only its mod.ts may be imported, not ${target}`;
  });
}

/** No file imports itself by a detour, type imports included. */
export function checkCycles(sources: readonly Source[]): Violation[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const violations: Violation[] = [];
  const visit = (source: Source, trail: readonly string[]) => {
    if (done.has(source.path)) return;
    for (const { path, line } of source.imports) {
      const target = path === undefined ? undefined : byPath.get(path);
      if (target === undefined) continue;
      const at = [...trail, source.path].indexOf(target.path);
      if (at === -1) visit(target, [...trail, source.path]);
      else {
        const circle = [...trail, source.path].slice(at).concat(target.path);
        violations.push({ file: source.path, line, rule: `cycle: ${circle.join(" → ")}` });
      }
    }
    done.add(source.path);
  };
  for (const source of sources) visit(source, []);
  return violations;
}

/** base/ stays small. */
export function checkBase(sources: readonly Source[]): Violation[] {
  const files = sources.filter(({ path }) =>
    path.startsWith("lib/base/") && path !== "lib/base/mod.ts"
  );
  return files.slice(BASE_FILES_MAX).map(({ path }) => ({
    file: path,
    line: 1,
    rule: `base/ holds ${BASE_FILES_MAX} files at most: find it a home of its own`,
  }));
}

/**
 * Every file of lib, jobs and infra is used: imported by one that is no test, or named in a task, a script or a text of the code.
 *
 * @param mentions texts that may name a file by its path
 */
export function checkDead(sources: readonly Source[], mentions: readonly string[]): Violation[] {
  const imported = new Set(
    sources
      .filter(({ path }) => !path.startsWith("tests/"))
      .flatMap(({ imports }) => imports.map(({ path }) => path)),
  );
  return sources
    .filter(({ path }) => /^(?:lib|jobs|infra)\//.test(path))
    .filter(({ path }) => !imported.has(path) && USED_BY_OTHERS[path] === undefined)
    .filter(({ path }) => !mentions.some((text) => text.includes(path)))
    .map(({ path }) => ({
      file: path,
      line: 1,
      rule: "dead file: nothing but tests imports it, and no task or script runs it",
    }));
}
