"""A process that reads many mutated files: python -m tests.fuzz._child TARGET SEED CASES FOLDER [SECONDS].

It ends with 0 and a line of figures, or at once, where a file is answered otherwise than it may be; that file stays in
the folder. Limits for a file: 10 s of the processor (and a minute by the clock, which other programs slow), 1 GiB of
memory on top of what the process began with, and nothing is written, removed or started, wherever that be.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from random import Random

from tests.fuzz._targets import TARGETS

SECONDS = 10
PATIENCE = 6  # times as long by the clock
MEMORY = 1 << 30  # bytes
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ACTS = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
        "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect")  # fmt: skip


def main(target: str, seed: int, cases: int, folder: Path, seconds: int = SECONDS) -> None:
    chosen = TARGETS[target]
    folder.mkdir(parents=True)
    seeds = chosen.seeds(folder)
    before = {path.name for path in folder.iterdir()} | {chosen.name}
    start, slowest, refused = _memory(), 0.0, 0
    done: list[str] = []
    sys.addaudithook(lambda event, given: _note(done, event, given))
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    for case in range(cases):
        path = folder / chosen.name
        path.write_bytes(chosen.change(seeds, Random(f"{target} {seed} {case}")))
        done.clear()
        _limit(seconds)
        began = time.process_time()
        try:
            chosen.read(path)
        except chosen.errors:
            refused += 1
        finally:
            _limit(0)
        slowest = max(slowest, time.process_time() - began)
        assert not done, f"it did what reading does not: {done[:3]}"
        assert {each.name for each in folder.iterdir()} <= before, "it wrote a file"
    grown = (_memory() - start) // 1024
    print(json.dumps({"cases": cases, "refused": refused, "slowest_s": round(slowest, 3), "grown_mib": grown}))


def _limit(seconds: int) -> None:
    """From now on; the signal ends the process. 0: none."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(PATIENCE * seconds)


def _note(done: list[str], event: str, given: tuple) -> None:
    """What Python does to files, processes and the network, as it begins to (`sys.addaudithook`)."""
    if event in ACTS or (event == "open" and isinstance(given[2], int) and given[2] & WRITES):
        done.append(f"{event} {given[0]}")


def _memory() -> int:
    """Largest resident size so far, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), *map(int, sys.argv[5:]))
