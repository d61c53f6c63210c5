"""What a target of the workflow needs: a study's name, `all`, or the path of an exhibit or report."""

from __future__ import annotations

import contextlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.errors import UserError
from audioprune.planning.cells import Cell
from audioprune.planning.sheets import Exhibit

if TYPE_CHECKING:
    from audioprune.planning.plan import Plan

DEFAULT_STUDY = "paper"  # its results lie in results/ itself


def exhibits_of(plan: Plan, target: str) -> list[Exhibit]:
    """Exhibits that a target consists of; raises UserError with the nearest valid name."""
    studies = plan.config.studies
    if target in ("all", *studies):
        study = DEFAULT_STUDY if target == "all" else target
        return [(study, *found) for found in plan.exhibits(study)] + [(study, "report", "report")]
    parts = PurePosixPath(target).parts
    if len(parts) in (2, 3) and parts[0] == "results" and (len(parts) == 2 or parts[1] in studies):
        study = parts[1] if len(parts) == 3 else DEFAULT_STUDY
        name = PurePosixPath(target).stem
        if name == "report":
            return exhibits_of(plan, study)
        for kind, folder in (("table", "tables"), ("figure", "figures")):
            if name in registry.names(folder):
                return [(study, kind, name)]
        valid = [*registry.names("tables"), *registry.names("figures"), "report"]
        raise UserError(f"{target}: no exhibit named {name!r}{registry.nearest(name, valid)}")
    raise UserError(f"{target!r} is no target{registry.nearest(target, ['all', *studies])}")


def cells_of(plan: Plan, exhibits: list[Exhibit]) -> dict[str, Cell]:
    """{path: cell} of everything the exhibits show and are made from."""
    shown = [plan.exhibit_cells(*exhibit) for exhibit in exhibits if exhibit[1] != "report"]
    return {cell.path: cell for cells in shown for cell in cells}


def asked_for(plan: Plan, targets: frozenset[str]) -> list[list[Exhibit]]:
    """The exhibits of each thing that Snakemake was asked for; other targets (a cell's record) bring nothing."""
    rules = {study.replace("-", "_"): study for study in plan.config.studies}
    found = []
    for target in sorted(targets or {"all"}):
        with contextlib.suppress(UserError):
            found.append(exhibits_of(plan, rules.get(target, target)))
    return found


def drawn_together(asked: list[list[Exhibit]]) -> list[Exhibit]:
    """Of what was asked for, the exhibits that are wanted for a report only."""
    alone = {exhibit for exhibits in asked if len(exhibits) == 1 for exhibit in exhibits}
    found = dict.fromkeys(exhibit for exhibits in asked for exhibit in exhibits if exhibit[1] != "report")
    return [exhibit for exhibit in found if exhibit not in alone]
