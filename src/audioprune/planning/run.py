"""One run of Snakemake: which cells are stale, the files that each job waits for, and its job file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple, NoReturn

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.cells.state import State, States, guard
from audioprune.errors import UserError
from audioprune.locks import leases, main
from audioprune.planning import exhibits, jobs
from audioprune.planning.batches import Batch, batches_of
from audioprune.planning.exhibits import REPORT
from audioprune.planning.jobs import JobFile
from audioprune.planning.plan import Plan

DELETING = "--delete-all-output"
MADE = ("results/cells/", "results/logs/")  # targets that are no exhibit: a cell's record, a log


SLURM = ("sbatch", "squeue", "scancel")  # what --profile slurm submits, asks and stops with


class Inputs(NamedTuple):
    """The input files of a job in Snakemake; those of a fresh one are declared `ancient`, so time stamps rerun nothing.

    Those of a stale job are not: otherwise Snakemake would not run it after one of them is made again.
    """

    files: list[str]
    fresh: bool
    guards: list[str]  # a file newer than the outputs, where a stale job has some


class Run:
    """State of Snakemake's main process; `targets()` are the targets of its command line (none: the paper study)."""

    def __init__(self, plan: Plan, targets: Callable[[], Collection[str]]):
        self.plan, self.targets, self.states = plan, targets, States()
        self._waiting: dict[str, JobFile] | None = {}  # files of jobs, until the run begins
        self._file = cache(self._job_file)

    def begin(self, since: float, executor: str = "") -> None:
        """Take the lock of the main process, and write what was planned.

        since     when planning began (time.time())
        executor  Snakemake's name of the executor, such as slurm
        """
        if executor == "slurm" and (missing := [name for name in SLURM if not shutil.which(name)]):
            raise UserError(
                f"--profile slurm needs SLURM's commands, and there is no {', no '.join(missing)} here: run it on a "
                "login node of the cluster; on this machine alone: snakemake --profile local"
            )
        self._lock = main.hold()
        leases.forget_finished(main.LOCK.parent, before=since)
        waiting, self._waiting = self._waiting or {}, None
        for file in waiting.values():
            file.write()

    # --- targets ------------------------------------------------------------------------------------------------

    def refuse(self, target: str) -> NoReturn:
        """Raises UserError with the nearest name for a target that no rule makes."""
        if "/" in target:
            self.plan.asked(target)
        raise UserError(f"{target!r} is no target{registry.nearest(target, ['all', *self._studies])}")

    @cached_property
    def _studies(self) -> dict[str, str]:
        """{name of its rule: name} of each study."""
        return {study.replace("-", "_"): study for study in self.plan.config.studies}

    @cached_property
    def asked(self) -> dict[str, Cell]:
        """{path: cell} of all tables, figures and reports among the targets."""
        named = [self._studies.get(target, target) for target in sorted(self.targets() or {"all"})]
        files = [target for target in named if target.startswith("results/") and not target.startswith(MADE)]
        shown = [target for target in named if target in ("all", *self._studies.values())] + files
        return {cell.path: cell for target in shown for cell in self.plan.asked(target)}

    @cached_property
    def batches(self) -> dict[str, Batch]:
        """{path of a stale cell: the batch that will make it}."""
        wanted: dict[str, Cell] = {}
        for cell in self.asked.values():
            wanted |= cell.upstream()
        return batches_of(cell for cell in wanted.values() if not self.states.of(cell).fresh)

    @cached_property
    def _batches(self) -> dict[str, Batch]:
        return {batch.key: batch for batch in self.batches.values()}

    # --- inputs of jobs -----------------------------------------------------------------------------------------

    def cell_inputs(self, path: str) -> Inputs:
        """Inputs of the job of one cell: records of its input cells.

        A fresh cell does not wait for inputs that are gone or will be made by a batch, as it would be made again with
        them. The copies of exhibits ask for these.
        """
        cell = self.plan.cell(path)
        state = self.states.of(cell)
        if state.fresh:
            there = [c for c in self._taken([cell], missing=False) if c.path not in self.batches]
            return Inputs(self._files(there), True, [])
        self._say(state, f"{path} will be made again")
        return Inputs(self._files(self._taken([cell])), False, _guards(cell.record))

    def batch_inputs(self, path: str) -> Inputs:
        """Inputs of a batch, which is never fresh: it is made up of stale cells only."""
        batch = self._batches[path.rpartition("/")[2]]
        for cell in batch.cells:
            self._say(self.states.of(cell), f"{cell.path} will be made again")
        return Inputs(self._files(self._taken(batch.cells)), False, _guards(batch.stamp))

    def copy_inputs(self, study: str, name: str) -> Inputs:
        """Inputs of the copies of an exhibit, the files that users open by its name.

        A report's copies depend on all other copies of the study: Snakemake restores a missing file only if some job
        needs it.
        """
        cell = self.plan.shown_as(study, name)
        others = self.plan.shown(study) if name == REPORT else ()
        gone = [c for c in cell.upstream().values() if self._gone(c)] if self.states.of(cell).fresh else []
        files = self._files([cell]) + [str(exhibits.first_copy(other)) for other in others] + self._files(gone)
        if not gone and all(self.states.of_copy(each).fresh for each in (cell, *others)):
            return Inputs(files, True, [])
        if self.states.of(cell).fresh and exhibits.first_copy(cell).is_file():
            self._say(self.states.of_copy(cell), f"it is restored from {cell.path}")
        return Inputs(files, False, _guards(exhibits.first_copy(cell)))

    def _gone(self, cell: Cell) -> bool:
        """Whether a cell has to be made although no fresh cell waits for it."""
        return cell.path in self.batches or self.states.of(cell).name == "missing"

    def _taken(self, cells: Collection[Cell], *, missing: bool = True) -> list[Cell]:
        """Cells that the job of these cells waits for; a drawing reads direct and indirect inputs.

        Inputs of a cell in this list are left out, since waiting for the cell includes them, unless the cell is fresh
        and does not wait for them itself.
        """
        taken: dict[str, Cell] = {}
        for cell in cells:
            taken |= cell.upstream() if KINDS[cell.kind].draws else {c.path: c for c in cell.inputs.values()}
        for cell in cells:
            taken.pop(cell.path, None)
        if not missing:
            taken = {path: c for path, c in taken.items() if self.states.of(c).name != "missing"}
        inner = {c.path for cell in taken.values() for c in cell.inputs.values()}
        stale = {path for path, cell in taken.items() if not self.states.of(cell).fresh}
        waited_for = {c.path for path in stale for c in taken[path].inputs.values()}
        return [c for path, c in taken.items() if path not in inner or path in stale - waited_for]

    def _files(self, cells: Iterable[Cell]) -> list[str]:
        """The files by which Snakemake knows cells: their records, or the stamps of the batches that will make them."""
        batches = ((cell, self.batches.get(cell.path)) for cell in cells)
        return list(dict.fromkeys(str(batch.stamp if batch else cell.record) for cell, batch in batches))

    def _say(self, state: State, then: str) -> None:
        if state.name == "damaged":
            print(f"audioprune: {state.why}; {then}", file=sys.stderr)

    # --- job files ----------------------------------------------------------------------------------------------

    def job(self, path: str) -> Path:
        """The file of a job, given `<kind>/<address>/<key>` of its cell, or `<label>/<key>` of its batch."""
        file = self._file(path)
        if self._waiting is None:
            file.write()
        else:
            self._waiting[file.key] = file
        return file.path

    def gpus(self, path: str) -> int:
        return self._file(path).gpus

    def alone(self, path: str) -> bool:
        return self._file(path).alone

    def _job_file(self, path: str) -> JobFile:
        key = path.rpartition("/")[2]
        batch = self._batches.get(key)
        return JobFile(key, batch.cells if batch else [self.plan.cell(path)])


class Submitted:
    """The same in the process of a submitted job, which reads its job file and plans nothing."""

    def cell_inputs(self, path: str) -> Inputs:
        return Inputs([], True, [])

    batch_inputs = cell_inputs

    def job(self, path: str) -> Path:
        return jobs.of_key(path.rpartition("/")[2])

    def gpus(self, path: str) -> int:
        return jobs.read(self.job(path)).gpus

    def alone(self, path: str) -> bool:
        return jobs.read(self.job(path)).alone


def refused(switches: Iterable[str]) -> str:
    """Why Snakemake's command line is refused, for a switch, perhaps shortened, that would leave cells in pieces."""
    if any(DELETING.startswith(switch) and len(switch) > len("--delete-") for switch in switches):
        return (
            f"{DELETING} would delete the records of cells and leave their files. To remove what belongs to no study: "
            "audioprune gc --remove; to remove all results: delete the folder results/; to remake: -f TARGET"
        )
    return ""


def _guards(output: Path) -> list[str]:
    return [str(guard(output))] if output.exists() else []
