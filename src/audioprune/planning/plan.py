"""The plan of a configuration: the cells of every study, including its tables, figures and report."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import PurePosixPath

from audioprune import registry
from audioprune.cells.cell import DEFAULT_STUDY, Cell
from audioprune.cells.kinds import KINDS
from audioprune.config.design import Config
from audioprune.config.file import load
from audioprune.errors import UserError
from audioprune.exhibits import named
from audioprune.planning import checks, exhibits
from audioprune.planning.exhibits import REPORT, name_of
from audioprune.planning.stages import Planner
from audioprune.planning.study import StudyPlan, study_of


class Plan:
    """Cells by study and by path, computed when needed. It does not look at existing results and writes nothing."""

    def __init__(self, config: Config | None = None):
        self.config = config or load()
        checks.check(self.config)
        self.planner = Planner(self.config)
        self.study = cache(self._study)
        self.exhibit = cache(self._exhibit)
        self.shown = cache(self._shown)

    def _study(self, name: str) -> StudyPlan:
        """A study's cells without its exhibits."""
        if name not in self.config.studies:
            raise UserError(f"config.yaml has no study {name!r}{registry.nearest(name, self.config.studies)}")
        return study_of(self.planner, name)

    def _exhibit(self, study: str, name: str) -> Cell | None:
        """A study's table, figure or report by its name; None where the study has no cells that it shows."""
        if name == REPORT:
            return exhibits.report(self.planner, self.study(study), self.shown(study))
        return exhibits.exhibit(self.planner, self.study(study), named.kind_of(name), name)

    def shown_as(self, study: str, name: str) -> Cell:
        """A study's table, figure or report; raises UserError where the study has none of that name."""
        cell = self.exhibit(study, name)
        if cell is None:
            raise UserError(f"the study {study!r} plans none of the cells that {name} shows; see config.yaml")
        return cell

    def _shown(self, study: str) -> tuple[Cell, ...]:
        """The tables and figures that a study has cells for."""
        found = (self.exhibit(study, name) for kind in named.PACKAGES for name in named.names(kind))
        return tuple(cell for cell in found if cell)

    def everything(self, study: str) -> dict[str, Cell]:
        """{path: cell} of all that a study plans, each after what it is made from."""
        drawn = (*self.shown(study), self.shown_as(study, REPORT))
        return self.study(study).all | {cell.path: cell for cell in drawn}

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """{path: cell} of all studies."""
        for name in self.config.studies:
            self.everything(name)
        return self.planner.made

    def cell(self, path: str) -> Cell:
        """The planned cell `<kind>/<address>/<key>`; raises UserError where no study plans it."""
        found = self.planner.made.get(path) or self.cells.get(path)
        if found is None:
            raise UserError(
                f"results/cells/{path} is in no study's plan: its settings, data or code have changed. "
                f"See: audioprune why {path}"
            )
        return found

    def asked(self, target: str) -> list[Cell]:
        """The tables, figures and reports that a target consists of: `all`, a study, or a file of one of them.

        Raises UserError with the nearest valid name.
        """
        cell = self.named(target)
        study = cell.settings.study
        return [*self.shown(study), cell] if name_of(cell) == REPORT else [cell]

    def named(self, target: str) -> Cell:
        """The table, figure or report that a target names; of `all` and of a study its report. Raises UserError."""
        studies = self.config.studies
        if target in ("all", *studies):
            return self.shown_as(DEFAULT_STUDY if target == "all" else target, REPORT)
        parts = PurePosixPath(target).parts
        if len(parts) not in (2, 3) or parts[0] != "results":
            raise UserError(f"{target!r} is no target{registry.nearest(target, ['all', *studies])}")
        if len(parts) == 3 and parts[1] not in studies:
            raise UserError(f"{target}: no study is named {parts[1]!r}{registry.nearest(parts[1], studies)}")
        if parts[1:] and parts[-1] in studies:
            folder = target.rstrip("/")
            raise UserError(
                f"{target} is a folder; the target of the whole study is {parts[-1]!r}, that of its report "
                f"{folder}/report.html"
            )
        study = parts[1] if len(parts) == 3 else DEFAULT_STUDY
        name, _, suffix = parts[-1].partition(".")
        try:
            cell = self.shown_as(study, name)
        except UserError as error:
            raise UserError(f"{target}: {error}") from None
        if suffix not in (files := KINDS[cell.kind].files):
            raise UserError(f"{target}: {name} comes as .{', .'.join(files)}{registry.nearest(suffix, files)}")
        return cell
