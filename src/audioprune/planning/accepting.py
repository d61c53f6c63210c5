"""What a change of code consists of: from cells made before and the code as it stands, the changes to be accepted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from audioprune.errors import UserError
from audioprune.planning.accepted import Change, Changes, indexed
from audioprune.planning.fingerprint import closure


@dataclass(frozen=True)
class Made:
    """A cell or an exhibit that was made before."""

    path: str
    roots: tuple[str, ...]  # its step and the pluggable modules that it names
    code: dict[str, str]  # {module: hash} as it counted then


def find(made: list[Made], before: Changes) -> dict[str, Change]:
    """{module: change} which make the present code count as that of all `made`; {} when it does already.

    `before` are the changes that were accepted earlier. Raises UserError when the cells disagree about a module, or
    when no change of single modules says what happened.
    """
    now = {cell.roots: closure(cell.roots, before) for cell in made}
    pairs = {
        (module, old, now[cell.roots][module])
        for cell in made
        for module, old in cell.code.items()
        if now[cell.roots].get(module, old) != old
    }
    if disagreeing := [m for m, n in Counter(module for module, _, _ in pairs).items() if n > 1]:
        raise UserError(_disagreement(made, sorted(disagreeing)))
    hashes = {module: (old, new) for module, old, new in sorted(pairs)}
    found: dict[str, Change] = {}
    given: dict[str, set[str]] = {cell.path: set() for cell in made}
    for module, (old, new) in hashes.items():
        own = [cell for cell in made if module in cell.code]
        brought = _brought(module, own, now, hashes, before)
        dropped = _dropped(own, now, given)
        for cell in own:
            given[cell.path] |= dropped.keys()
        found[module] = Change(old=old, new=new, brought=brought, dropped=dropped)
    after = indexed([found], before)
    if wrong := [cell for cell in made if closure(cell.roots, after) != cell.code]:
        raise UserError(
            f"the change of {wrong[0].path} is more than changed modules ({_sets(wrong[0], now)}), so it cannot be "
            "accepted; keep the old module's name where others import it, or let the cells be made again"
        )
    return found


def _brought(module: str, own: list[Made], now, hashes, before: Changes) -> dict[str, str]:
    """Modules that the new code of `module` takes in and its old code did not, with the hash that counts."""
    reached = closure((module,), before)
    new = {name for cell in own for name in now[cell.roots] if name in reached and name not in cell.code}
    return {name: hashes[name][0] if name in hashes else reached[name] for name in sorted(new)}


def _dropped(own: list[Made], now, given: dict[str, set[str]]) -> dict[str, str]:
    """Modules that all these cells took in, that some no longer do, and that no other change accounts for."""
    missing = {
        name: value
        for cell in own
        for name, value in cell.code.items()
        if name not in now[cell.roots] and name not in given[cell.path]
    }
    return {name: value for name, value in sorted(missing.items()) if all(name in cell.code for cell in own)}


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


def _sets(cell: Made, now) -> str:
    added = sorted(now[cell.roots].keys() - cell.code.keys())
    gone = sorted(cell.code.keys() - now[cell.roots].keys())
    return f"new: {', '.join(added) or 'none'}; gone: {', '.join(gone) or 'none'}"
