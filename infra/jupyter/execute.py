"""Runs notebooks top to bottom through a real kernel, each from a clean one.

    execute.py --cell-limit SECONDS --out FOLDER NOTEBOOK...

Prints one JSON document a notebook: {"notebook", "ok", "seconds", "error"}; the executed copies go to FOLDER. Exit code 1 when one failed.
"""

import argparse
import json
import pathlib
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError


def execute(path: pathlib.Path, out: pathlib.Path, cell_limit: int, cwd: str) -> dict:
    notebook = nbformat.read(path, as_version=4)
    running = {"cell": -1}
    client = NotebookClient(
        notebook,
        kernel_name="deno",
        timeout=cell_limit,
        resources={"metadata": {"path": cwd}},
        on_cell_start=lambda cell, cell_index: running.update(cell=cell_index),
    )
    began = time.monotonic()
    error = None
    try:
        client.execute()
    except CellTimeoutError:
        error = f"cell {running['cell']} did not end within {cell_limit} s"
    except CellExecutionError as failure:
        error = f"cell {running['cell']} failed: {str(failure.evalue)[:2000]}"
    except Exception as failure:  # the kernel died, or never came up
        error = f"cell {running['cell']}: {type(failure).__name__}: {failure}"
    nbformat.write(notebook, out / path.name)
    return {
        "notebook": path.name,
        "ok": error is None,
        "seconds": round(time.monotonic() - began, 1),
        "error": error,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cell-limit", type=int, default=180)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--cwd", default=".")
    parser.add_argument("notebooks", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    failed = False
    for path in options.notebooks:
        outcome = execute(path, options.out, options.cell_limit, options.cwd)
        failed = failed or not outcome["ok"]
        print(json.dumps(outcome), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
