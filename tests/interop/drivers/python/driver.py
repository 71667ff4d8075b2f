"""The official Python client shows what a broker does, a behaviour at a time.

    python driver.py '{"serviceUrl": …, "adminUrl": …, "scenarios": [...]}'

Prints one JSON line a scenario: {"scenario", "status": "ok" | "failed" | "unsupported", "detail", "notes", "ms"}.
"""

import concurrent.futures
import json
import os
import sys
import threading
import time
import traceback

import messages
import receiving
import schemas
import secured
import topics
from context import UNSUPPORTED, Context, Unsupported, scenarios_of

# They wait for timers of the client that cannot be set: the others run meanwhile.
SLOW = ("pattern", "partition_growth", "ack_timeout", "wrong_token")
MODULES = (messages, topics, receiving, schemas, secured)

print_lock = threading.Lock()


def report(scenario, status, detail="", notes=None, started=None):
    ms = 0 if started is None else round((time.monotonic() - started) * 1000)
    line = dict(scenario=scenario, status=status, detail=detail, notes=notes or {}, ms=ms)
    with print_lock:
        print(json.dumps(line), flush=True)


def run_one(config, scenarios, name):
    started = time.monotonic()
    if name in UNSUPPORTED:
        return report(name, "unsupported", UNSUPPORTED[name])
    action = scenarios.get(name)
    if action is None:
        return report(name, "failed", "the driver has no such scenario")
    context = Context(config, name)
    done = threading.Event()

    def late():
        if not done.wait(config["timeoutMs"] / 1000):
            frames = sys._current_frames().get(worker)
            place = "".join(traceback.format_stack(frames)[-2:]) if frames else ""
            report(name, "failed", f"not done in time: {place.strip()[-600:]}", context.notes, started)
            context.is_late = True

    worker = threading.get_ident()
    threading.Thread(target=late, daemon=True).start()
    try:
        action(context)
        status, detail = "ok", ""
    except Unsupported as error:
        status, detail = "unsupported", str(error)
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)
        lines = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in place[-3:]]
        status, detail = "failed", f"{type(error).__name__}: {error} ({' '.join(lines)})"
    finally:
        done.set()
    if not context.is_late:
        report(name, status, detail, context.notes, started)
        context.end()


def main():
    config = json.loads(sys.argv[1])
    scenarios = {name: action for module in MODULES for name, action in scenarios_of(module).items()}
    if config.get("list"):
        print(json.dumps(sorted([*scenarios, *UNSUPPORTED])))
        return
    names = sorted(config["scenarios"], key=lambda name: name not in SLOW)
    pool = concurrent.futures.ThreadPoolExecutor(config.get("workers", 4))
    wait = [pool.submit(run_one, config, scenarios, name) for name in names]
    concurrent.futures.wait(wait, timeout=config["timeoutMs"] / 1000 * len(wait))
    sys.stdout.flush()
    # A client that hangs must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
