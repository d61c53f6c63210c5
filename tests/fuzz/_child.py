"""A process that reads many mutated files: python -m tests.fuzz._child TARGET SEED CASES FOLDER [SECONDS].

It ends with 0 and a line of figures, or at once, where a file is answered otherwise than it may be; that file stays in
the folder. Limits: 10 s for a file, 1 GiB of memory on top of what the process began with.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from pathlib import Path
from random import Random

from tests.fuzz._targets import TARGETS

SECONDS = 10
MEMORY = 1 << 30  # bytes


def main(target: str, seed: int, cases: int, folder: Path, seconds: int = SECONDS) -> None:
    chosen = TARGETS[target]
    folder.mkdir(parents=True)
    seeds = chosen.seeds(folder)
    before = {path.name for path in folder.iterdir()} | {chosen.name}
    start, slowest, refused = _memory(), 0.0, 0
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    for case in range(cases):
        path = folder / chosen.name
        path.write_bytes(chosen.change(seeds, Random(f"{target} {seed} {case}")))
        signal.alarm(seconds)  # whose signal ends the process
        began = time.monotonic()
        try:
            chosen.read(path)
        except chosen.errors:
            refused += 1
        signal.alarm(0)
        slowest = max(slowest, time.monotonic() - began)
        assert {each.name for each in folder.iterdir()} <= before, "it wrote a file"
    grown = (_memory() - start) // 1024
    print(json.dumps({"cases": cases, "refused": refused, "slowest_s": round(slowest, 3), "grown_mib": grown}))


def _memory() -> int:
    """Largest resident size so far, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), *map(int, sys.argv[5:]))
