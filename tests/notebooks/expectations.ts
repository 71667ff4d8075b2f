/** What a cell must show when a notebook has run. */
export interface Expectation {
  /** Text that only this cell's code holds. */
  readonly source: string;
  readonly mimeType: string;
  readonly matches: RegExp;
}

/** By notebook. */
export const EXPECTATIONS: Readonly<Record<string, readonly Expectation[]>> = {
  "01_bench50k.ipynb": [
    { source: "run.chart()", mimeType: "image/svg+xml", matches: /<path[^>]+d="M/ },
    // A machine that is too busy makes it VOID, which says nothing against the notebook; a fault in the data would make it FAIL.
    { source: "run.verdict()", mimeType: "text/html", matches: />(PASS|VOID)</ },
    { source: "run.verdict()", mimeType: "text/html", matches: />0 \/ 0</ },
    { source: "run.query(", mimeType: "text/html", matches: /<td[^>]*>sensor-\d+/ },
  ],
};
