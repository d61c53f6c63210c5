"""What a change of code consists of: compares existing cells with the current code and lists the changes to accept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from audioprune.errors import UserError
from audioprune.fingerprints.accepted import Change, Changes, indexed
from audioprune.fingerprints.fingerprint import counted


@dataclass(frozen=True)
class Made:
    """A cell or an exhibit that was made before."""

    path: str
    roots: tuple[str, ...]  # its step and the pluggable modules that it names
    code: dict[str, str]  # {module: hash} as it counted then


def find(made: list[Made], before: Changes) -> dict[str, Change]:
    """{module: change} which make the present code count as that of all `made`; {} when it does already.

    A change drops what all cells with the old module took in and some no longer would. `before` are the changes that
    were accepted earlier. Raises UserError when the cells disagree about a module, or
    when no change of single modules says what happened.
    """
    now = {cell.roots: counted(cell.roots, before) for cell in made}
    pairs = {
        (module, old, now[cell.roots][module])
        for cell in made
        for module, old in cell.code.items()
        if now[cell.roots].get(module, old) != old
    }
    if disagreeing := [m for m, n in Counter(module for module, _, _ in pairs).items() if n > 1]:
        raise UserError(_disagreement(made, sorted(disagreeing)))
    hashes = {module: (old, new) for module, old, new in sorted(pairs)}
    own = {module: [cell for cell in made if module in cell.code] for module in hashes}
    found = {
        module: Change(old=old, new=new, brought=_brought(module, own[module], now, hashes, before))
        for module, (old, new) in hashes.items()
    }
    partly = indexed([found], before)
    reached = {cell.path: counted(cell.roots, partly).keys() for cell in made}
    missing = {cell.path: cell.code.keys() - reached[cell.path] for cell in made}
    for module, change in found.items():
        there = [cell for cell in own[module] if module in reached[cell.path]]
        gone = {name: cell.code[name] for cell in there for name in missing[cell.path]}
        dropped = {name: gone[name] for name in sorted(gone) if all(name in cell.code for cell in own[module])}
        for cell in there:
            missing[cell.path] -= dropped.keys()
        found[module] = change.model_copy(update={"dropped": dropped})
    after = indexed([found], before)
    if wrong := [cell for cell in made if counted(cell.roots, after) != cell.code]:
        raise UserError(
            f"the change of {wrong[0].path} is more than changed modules ({_sets(wrong[0], now)}), so it cannot be "
            "accepted; keep the old module's name where others import it, or let the cells be made again"
        )
    return found


def _brought(
    module: str,
    own: list[Made],
    now: Mapping[tuple[str, ...], dict[str, str]],
    hashes: Mapping[str, tuple[str, str]],
    before: Changes,
) -> dict[str, str]:
    """Modules that the new code of `module` takes in and its old code did not, with the hash that counts."""
    reached = counted((module,), before)
    new = {name for cell in own for name in now[cell.roots] if name in reached and name not in cell.code}
    return {name: hashes[name][0] if name in hashes else reached[name] for name in sorted(new)}


def _disagreement(made: list[Made], modules: list[str]) -> str:
    lines = []
    for module in modules:
        for value in dict.fromkeys(cell.code[module] for cell in made if module in cell.code):
            with_it = [cell.path for cell in made if cell.code.get(module) == value]
            lines.append(f"  {module} {value[:12]}: {len(with_it)} cells, such as {with_it[0]}")
    return "\n".join(
        [
            "the cells were not all made with the same old code:",
            *lines,
            "say which code counts by naming one cell made with it: --like CELL; the others are made again",
        ]
    )


def _sets(cell: Made, now: Mapping[tuple[str, ...], dict[str, str]]) -> str:
    added = sorted(now[cell.roots].keys() - cell.code.keys())
    gone = sorted(cell.code.keys() - now[cell.roots].keys())
    return f"new: {', '.join(added) or 'none'}; gone: {', '.join(gone) or 'none'}"
