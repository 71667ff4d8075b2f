/** What the tests of this folder know of the JupyterLab that `run.ts` has started; in the environment variable WEIR_LAB, as JSON. */
export interface LabSetting {
  readonly url: string;
  readonly token: string;
  /** What JupyterLab shows: copies of the notebooks are in `notebooks` in it. */
  readonly folder: string;
  /** Where screenshots go. */
  readonly images: string;
  /** Where a picture goes of what a test has failed on. */
  readonly failures: string;
}

/**
 * The JupyterLab to test with.
 *
 * @throws when the tests were not started by `deno task test:lab`
 */
export function labSetting(): LabSetting {
  const text = Deno.env.get("WEIR_LAB");
  if (text === undefined) {
    throw new Error("Cannot find JupyterLab: start these tests with `deno task test:lab`");
  }
  return JSON.parse(text);
}
