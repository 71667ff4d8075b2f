import { NotebookError } from "./errors.ts";

/**
 * Has Stop end a cell that waits, and nothing else: without a listener the signal of JupyterLab's Stop ends the kernel. The run itself has a session
 * of its own, which the signal does not reach.
 *
 * @param work is handed a signal that is aborted by Stop
 * @throws {NotebookError} `stopped`, where `work` throws the signal's reason
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = () => {
    const options = { code: "stopped" } as const;
    stopping.abort(
      new NotebookError("Cannot wait on: the cell was stopped; the run goes on", options),
    );
  };
  Deno.addSignalListener("SIGINT", stop);
  try {
    return await work(stopping.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
  }
}
