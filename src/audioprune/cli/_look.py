"""Checks before a long run: your own data and checkpoints, the disk of the results, the commands of a site.

`doctor` and `index` say all that they find at once. A finding is ok, or
    absent    not there, and nothing here needs it
    warning   the work can be done, but perhaps not as meant
    error     something that is needed is missing or wrong
and the exit code is that of the worst: 0, 0, 3, 1.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audioprune.cells.cell import RESULTS
from audioprune.facts.dataset import Clip
from audioprune.planning.run import SLURM

Level = Literal["ok", "absent", "warning", "error"]
CODES: dict[Level, int] = {"ok": 0, "absent": 0, "warning": 3, "error": 1}
MARKS: dict[Level, str] = {"ok": "ok     ", "absent": "absent ", "warning": "WARNING", "error": "MISSING"}
SAMPLE = 16  # files of own data that are decoded, unless all are
SHOWN = 5  # bad ones that are named


@dataclass(frozen=True)
class Finding:
    what: str
    level: Level
    text: str
    mend: str = ""

    @property
    def lines(self) -> str:
        mend = "".join(f"\n           {line}" for line in self.mend.strip().splitlines()) if self.level != "ok" else ""
        return f"{MARKS[self.level]}  {self.what}: {self.text}{mend}"


def exit_code(found: Iterable[Finding]) -> int:
    """The exit code of the worst finding."""
    levels = {finding.level for finding in found}
    return CODES["error"] if "error" in levels else CODES["warning"] if "warning" in levels else 0


def audio(name: str, root: Path, clips: Sequence[Clip], *, everything: bool, set_aside: bool) -> Iterator[Finding]:
    """Some of the files of own data, evenly over its table, or all of them, decoded and questioned as by the job."""
    import pandas as pd

    from audioprune.audio.bad_clip import BadClip
    from audioprune.audio.decode import sound
    from audioprune.audio.treated import questioned

    chosen = list(clips) if everything else list(clips)[:: max(1, -(-len(clips) // SAMPLE))]
    bad: dict[str, BadClip] = {}
    found: list[tuple[str, int, float]] = []
    for clip in chosen:
        try:
            one = sound(root / clip.path)
        except BadClip as error:
            bad[clip.id] = error
        else:
            found.append((clip.id, len(one.waveform), one.divisor))
    looked = f"{len(chosen)} of {len(clips)} files decoded" + ("" if everything else " (--all decodes every one)")
    for question in questioned(pd.DataFrame(found, columns=["clip", "length", "divisor"])):
        yield Finding(f"{name}, audio", "warning", question)
    if not bad:
        yield Finding(f"{name}, audio", "ok", looked)
        return
    reasons = ", ".join(f"{number} {reason}" for reason, number in Counter(one.reason for one in bad.values()).items())
    shown = [f"{clip}: {error}" for clip, error in [*bad.items()][:SHOWN]]
    shown += [f"and {len(bad) - SHOWN} more"] * (len(bad) > SHOWN)
    then = "they are set aside" if set_aside else "repair them, remove them from the CSV, or set bad_clips: set_aside"
    level: Level = "warning" if set_aside else "error"
    yield Finding(f"{name}, audio", level, f"{looked}; not to be used: {reasons}", "\n".join([*shown, then]))


def results() -> Iterator[Finding]:
    """Whether the results folder is writable, and whether others may read the files made in it."""
    if RESULTS.is_symlink() and not RESULTS.exists():
        yield Finding("results", "error", f"a link to {RESULTS.readlink()}, which is not there: mount that disk")
        return
    folder = disk_folder()
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        yield Finding("results", "error", f"{folder} cannot be written: Read-only file system")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("results", "error", f"{folder} cannot be written: Permission denied")
    yield _umask(folder)


def disk_folder() -> Path:
    """The folder of the results, or where it will be made."""
    return RESULTS if RESULTS.is_dir() else Path()


def _umask(folder: Path) -> Finding:
    mask = os.umask(0)
    os.umask(mask)
    text = f"{mask:03o}, so files are made with the mode {0o666 & ~mask:03o}"
    if mask & 0o700:
        return Finding("umask", "error", f"{text}: you could not read or write your own", "umask 022")
    shared = bool(folder.stat().st_mode & stat.S_IWGRP)
    if shared and mask & 0o060:
        return Finding("umask", "warning", f"{text}: the group shares {folder}, and could not use them", "umask 002")
    return Finding("umask", "ok", text)


def slurm(*, needed: bool) -> Finding:
    """SLURM's commands, all of which --profile slurm needs."""
    missing = [name for name in SLURM if not shutil.which(name)]
    if not missing:
        return Finding("SLURM", "ok", ", ".join(SLURM))
    text = f"no {', no '.join(missing)} on this machine"
    mend = "run Snakemake on a login node of the cluster, or here: snakemake --profile local"
    return Finding(
        "SLURM", "error" if needed else "absent", text + ("" if needed else "; only for --profile slurm"), mend
    )
