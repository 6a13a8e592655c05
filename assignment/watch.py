"""Run a command again whenever a file is saved."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

LOOK_SECONDS = 0.3


def watch(file: Path, command: list[str]) -> int:
    """Until Ctrl-C. A run that is still going when the file is saved again is stopped for the next."""
    running: subprocess.Popen | None = None
    seen = 0.0
    print(f"watching {file}; Ctrl-C to stop", flush=True)
    try:
        while True:
            saved = saved_at(file)
            if saved and saved != seen:
                seen = saved
                stop(running)
                print(f"\n--- {file.name} as saved at {time.strftime('%H:%M:%S')} ---", flush=True)
                running = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        print("\nstopped watching")
        return 0
    finally:
        stop(running)


def saved_at(file: Path) -> float:
    """0 while there is no such file: some editors replace a file by removing it first."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def stop(running: subprocess.Popen | None) -> None:
    if running is not None and running.poll() is None:
        running.terminate()
        running.wait()
