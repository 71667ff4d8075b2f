/** One output of an executed cell, as nbformat 4 stores it. */
export interface CellOutput {
  readonly output_type: "display_data" | "execute_result" | "stream" | "error";
  readonly data?: Readonly<Record<string, unknown>>;
  readonly text?: string | readonly string[];
  readonly ename?: string;
  readonly evalue?: string;
}

/** A cell of a notebook. */
export interface Cell {
  readonly cell_type: "code" | "markdown" | "raw";
  readonly source: string | readonly string[];
  readonly outputs?: readonly CellOutput[];
  readonly execution_count?: number | null;
}

/** A notebook, as far as the checks read it. */
export interface Notebook {
  readonly nbformat: number;
  readonly metadata: { readonly kernelspec?: { readonly name: string } };
  readonly cells: readonly Cell[];
}

/** The text of a field that nbformat stores as one text or as lines. */
export function joined(text: string | readonly string[] | undefined): string {
  return typeof text === "string" ? text : (text ?? []).join("");
}

/** The names of the notebooks in a folder, sorted. */
export function notebookNames(folder: string): string[] {
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
  return names.filter((name) => name.endsWith(".ipynb")).sort();
}

/** Reads a notebook. */
export function readNotebook(path: string): Notebook {
  return JSON.parse(Deno.readTextFileSync(path));
}

/** All code of a notebook as one module, each cell under a comment with its number. */
export function moduleOf(notebook: Notebook): string {
  const cells = notebook.cells.flatMap((cell, i) =>
    cell.cell_type === "code" ? [`// cell ${i}\n${joined(cell.source)}\n`] : []
  );
  return cells.join("\n") + "\nexport {};\n";
}

/** Everything that a cell shows, of one MIME type. */
export function shown(cell: Cell, mimeType: string): string[] {
  return (cell.outputs ?? []).flatMap((output) => {
    const value = output.data?.[mimeType];
    return value === undefined ? [] : [joined(value as string | readonly string[])];
  });
}
