"""Whether two runs of a study give the same results: to the last digit, but for times, memory, keys, paths, commits.

    python tests/yardstick/compare.py OLD/results/demo NEW/results/demo [--except exceptions.yaml] [--all]

Compared is every table and figure: the rows of its CSV in any order, a table's title, caption, headings, notes and
columns, a figure's picture. What is measured must be there on both sides with any value (`_reading.TIMES`). What is
meant to differ stands in a file of exceptions with its reason (`_exceptions`); `picture` is a column there, too.
Exit codes: 0 the same, 1 something differs, 2 a wrong command line.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import _wording
from _exceptions import Named, load, of
from _matching import Difference, difference
from _reading import Exhibit, exhibits
from _wording import Line, count

CAP = 10  # lines of one exhibit


@dataclass(frozen=True)
class Finding:
    """One exhibit of both runs."""

    name: str
    rows: int  # of the old side
    differs: tuple[str, ...] = ()  # what does, with numbers; nothing: the same
    lines: tuple[Line, ...] = ()
    remarks: tuple[str, ...] = ()
    uses: Counter[int] = field(default_factory=Counter)  # {place of an exception: rows and texts that it covered}
    missing: bool = False  # on one side


def compare(old: dict[str, Exhibit], new: dict[str, Exhibit], exceptions: tuple[Named, ...] = ()) -> list[Finding]:
    """A finding for each exhibit that is in either run, by name."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        own = of(name, exceptions)
        found.append(_excused(_finding(name, old.get(name), new.get(name), own), own))
    return found


def _finding(name: str, old: Exhibit | None, new: Exhibit | None, exceptions: dict[int, Named]) -> Finding:
    if old is None or new is None:
        side, there = ("OLD", old) if old else ("NEW", new)
        return Finding(name, len(there.rows), (f"only in {side}",), missing=True)
    rows = difference(old.rows, new.rows, old.columns, new.columns, exceptions)
    texts = difference(old.texts, new.texts, (), (), exceptions)
    picture, remarks, uses = _picture(old, new, exceptions, rows)
    said = [*_wording.lines(rows, [*old.rows, *new.rows]), *_wording.lines(texts, [*old.texts, *new.texts])]
    differs = [f"{rows.rows} of {count(len(old.rows), 'row')}"] * bool(rows.rows)
    differs += [count(n, what) for n, what in ((rows.columns, "column"), (texts.rows, "text")) if n]
    return Finding(
        name=name,
        rows=len(old.rows),
        differs=(*differs, *["the picture"] * len(picture)),
        lines=(*said, *picture),
        remarks=tuple(remarks),
        uses=rows.uses + texts.uses + uses,
    )


def _picture(
    old: Exhibit, new: Exhibit, exceptions: dict[int, Named], rows: Difference
) -> tuple[list[Line], list[str], Counter[int]]:
    """How a figure's picture differs, what to remark on it, uses of exceptions."""
    said = _wording.picture(old.picture, new.picture)
    skips = [i for i, one in exceptions.items() if one.skips("picture")]
    if not said:
        return [], [], Counter()
    if skips:
        return [], ["picture not compared"], Counter(skips[:1])
    if old.picture and new.picture and (old.timed or new.timed):
        return [], ["picture not compared: it shows times"], Counter()
    if old.picture and new.picture and rows.uses.total():
        return [], ["picture not compared: rows that it shows are exceptions"], Counter()
    return [Line(("picture",), said)], [], Counter()


def _excused(found: Finding, exceptions: dict[int, Named]) -> Finding:
    """Without its differences, where the exhibit may differ as a whole."""
    whole = next((i for i, one in exceptions.items() if one.whole), None)
    if whole is None or not found.differs:
        return found
    remark = f"may differ as a whole: {', '.join(found.differs)}"
    uses = found.uses + Counter({whole: found.rows if found.missing else len(found.lines)})
    return replace(found, differs=(), lines=(), remarks=(remark,), uses=uses, missing=False)


def report(found: list[Finding], exceptions: tuple[Named, ...] = (), cap: int | None = CAP) -> Iterator[str]:
    """The comparison as lines of text."""
    width = max(len(one.name) for one in found)
    for one in found:
        yield f"{one.name:<{width}}  {_verdict(one)}"
        shown = one.lines if cap is None else _wording.some(one.lines, cap)
        yield from (f"    {line.text}" for line in shown)
        if more := len(one.lines) - len(shown):
            yield f"    … and {count(more, 'more line')}: --all shows them"
    yield from _used(exceptions, sum((one.uses for one in found), Counter()))
    yield f"\n{_summary(found)}"


def _verdict(one: Finding) -> str:
    uses = [f"{n} by exception {i + 1}" for i, n in sorted(one.uses.items()) if n]
    if not one.differs:
        return f"same ({'; '.join([count(one.rows, 'row'), *uses, *one.remarks])})"
    aside = f" ({'; '.join([*uses, *one.remarks])})" if uses or one.remarks else ""
    return (one.differs[0].upper() if one.missing else f"DIFFERS: {', '.join(one.differs)}") + aside


def _used(exceptions: tuple[Named, ...], uses: Counter[int]) -> Iterator[str]:
    """Every exception with the number of rows (or texts, pictures, lines) that it covered."""
    if exceptions:
        yield "\nExceptions:"
    for i, one in enumerate(exceptions):
        covered = f"covers {uses[i]}" if uses[i] else "WARNING: unused, nothing here needs it"
        yield f"  {i + 1}. {one.exhibit}, {one.kind}: {covered} – {one.why.strip()}"


def _summary(found: list[Finding]) -> str:
    missing = sum(one.missing for one in found)
    differ = sum(bool(one.differs) for one in found) - missing
    excepted = sum(not one.differs and bool(one.uses.total()) for one in found)
    same = f"{len(found) - differ - missing} the same" + (f" ({excepted} of them by exceptions)" if excepted else "")
    parts = [same, f"{differ} different", f"{missing} on one side only"]
    verdict = "NOT THE SAME" if missing or differ else "SAME RESULTS"
    return f"{verdict}: {count(len(found), 'exhibit')}, {sum(one.rows for one in found)} rows; {', '.join(parts)}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="compare.py", description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="folder of a study's exhibits, such as OLD/results/demo")
    parser.add_argument("new", type=Path, help="the same study of the other run")
    parser.add_argument("--except", dest="exceptions", type=Path, metavar="YAML", help="what may differ, with reasons")
    parser.add_argument("--all", action="store_true", help=f"every difference, not {CAP} lines of each exhibit")
    arguments = parser.parse_args(argv)
    try:
        exceptions = load(arguments.exceptions) if arguments.exceptions else ()
        old, new = exhibits(arguments.old), exhibits(arguments.new)
    except ValueError as error:
        parser.error(str(error))
    for folder, there in ((arguments.old, old), (arguments.new, new)):
        if not there:
            parser.error(f"{folder} holds no exhibit (no .csv): name the folder of a study, such as results/demo")
    found = compare(old, new, exceptions)
    print(f"OLD {arguments.old}\nNEW {arguments.new}\n")
    print("\n".join(report(found, exceptions, None if arguments.all else CAP)))
    return 1 if any(one.differs for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
