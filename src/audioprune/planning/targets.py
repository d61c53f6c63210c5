"""What a target of the workflow needs: a study's name, `all`, or the path of an exhibit or report."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.errors import UserError
from audioprune.planning.cells import Cell

if TYPE_CHECKING:
    from audioprune.planning.plan import Plan

DEFAULT_STUDY = "paper"  # its results lie in results/ itself
Exhibit = tuple[str, str, str]  # study, kind, name


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


def cells_of_targets(plan: Plan, targets: frozenset[str]) -> dict[str, Cell]:
    """{path: cell} of what Snakemake was asked for; targets that are no exhibits (a cell's record) bring nothing."""
    rules = {study.replace("-", "_"): study for study in plan.config.studies}
    found: dict[str, Cell] = {}
    for target in targets or {"all"}:
        try:
            exhibits = exhibits_of(plan, rules.get(target, target))
        except UserError:
            continue
        found.update(cells_of(plan, exhibits))
    return found
