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
    { source: "run.verdict()", mimeType: "text/html", matches: /PASS/ },
    { source: "run.query(", mimeType: "text/html", matches: /<td[^>]*>sensor-\d+/ },
  ],
};
