"""Two lists of rows against each other: which are the same, which belong together and differ, which stand alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

from _exceptions import Named
from _reading import TEXT, Row

PAIRS = 250_000  # of rows that are scored one by one; beyond, rows are parted first


@dataclass(frozen=True)
class Difference:
    """What is left of one exhibit's rows or texts; rows as they were compared, old labels renamed."""

    pairs: list[tuple[Row, Row]] = field(default_factory=list)
    old: list[Row] = field(default_factory=list)
    new: list[Row] = field(default_factory=list)
    old_columns: dict[str, int] = field(default_factory=dict)  # {column that the new side lacks: filled rows}
    new_columns: dict[str, int] = field(default_factory=dict)
    uses: Counter[int] = field(default_factory=Counter)  # {place of an exception: rows that it covered}

    @property
    def rows(self) -> int:
        """Rows that differ, a pair counted once."""
        return len(self.pairs) + len(self.old) + len(self.new)

    @property
    def columns(self) -> int:
        """Columns that one side lacks."""
        return len(self.old_columns) + len(self.new_columns)


def difference(
    old: Sequence[Row],
    new: Sequence[Row],
    old_columns: Sequence[str],
    new_columns: Sequence[str],
    exceptions: dict[int, Named],
) -> Difference:
    """Match rows as multisets, the order of rows and columns aside; exceptions by their place in the file."""
    uses: Counter[int] = Counter()
    olds = [_Side(_relabelled(row, exceptions, uses), _excused(row, exceptions, "dropped")) for row in old]
    news = [_Side(row, _excused(row, exceptions, "added")) for row in new]
    lone_old = _lone(olds, old_columns, new_columns, exceptions)
    lone_new = _lone(news, new_columns, old_columns, exceptions)
    columns = dict.fromkeys(c for side in (*olds, *news) for c in side.now)
    skips = {i: one for i, one in exceptions.items() if one.columns}

    def skipped(but: int | None = None) -> set[str]:
        held = [one for i, one in skips.items() if i != but]
        return {c for c in columns if c in lone_old or c in lone_new or any(one.skips(c) for one in held)}

    left_old, left_new = _unmatched(olds, news, skipped())
    for i in skips:
        more_old, more_new = _unmatched(olds, news, skipped(but=i))
        uses[i] += max(len(more_old) - len(left_old), len(more_new) - len(left_new))
    for side in (*left_old, *left_new):
        if side.excuse is not None:
            uses[side.excuse] += 1
    alone = [[_kept(side.now, skipped()) for side in left if side.excuse is None] for left in (left_old, left_new)]
    pairs, only_old, only_new = pair(*alone)
    return Difference(pairs, only_old, only_new, lone_old, lone_new, uses)


@dataclass(frozen=True)
class _Side:
    """A row with its new labels, and the place of an exception that lets it stand alone."""

    now: Row
    excuse: int | None


def _relabelled(row: Row, exceptions: dict[int, Named], uses: Counter[int]) -> Row:
    now = row
    for i, one in exceptions.items():
        after = one.relabelled(now)
        uses[i] += after != now
        now = after
    return now


def _excused(row: Row, exceptions: dict[int, Named], side) -> int | None:
    return next((i for i, one in exceptions.items() if one.excuses(row, side)), None)


def _lone(sides: list[_Side], own: Sequence[str], others: Sequence[str], exceptions: dict[int, Named]) -> dict:
    """Columns that the other side lacks, with the number of rows that fill them and that no exception lets go."""
    lone = [c for c in own if c not in others and not any(one.skips(c) for one in exceptions.values())]
    filled = {c: sum(c in side.now for side in sides if side.excuse is None) for c in lone}
    return {c: n for c, n in filled.items() if n}


def _kept(row: Row, skipped: set[str]) -> Row:
    """What is compared of a row."""
    return {c: value for c, value in row.items() if c not in skipped}


def _unmatched(olds: list[_Side], news: list[_Side], skipped: set[str]) -> tuple[list, list]:
    """Rows without an equal one on the other side; of equal ones, those that no exception lets go match first."""
    of_old, of_new = _keyed(olds, skipped), _keyed(news, skipped)
    return _beyond(of_old, of_new), _beyond(of_new, of_old)


def _keyed(sides: list[_Side], skipped: set[str]) -> list[tuple[frozenset, _Side]]:
    """Each row with what is compared of it; without texts of which nothing but the name is."""
    kept = ((_kept(side.now, skipped), side) for side in sides)
    return [(frozenset(row.items()), side) for row, side in kept if list(row) != [TEXT]]


def _beyond(own: list[tuple[frozenset, _Side]], others: list[tuple[frozenset, _Side]]) -> list[_Side]:
    there, left = Counter(key for key, _ in others), []
    for key, side in sorted(own, key=lambda one: one[1].excuse is not None):
        if there[key]:
            there[key] -= 1
        else:
            left.append(side)
    return left


def pair(old: list[Row], new: list[Row]) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Rows side by side that agree most, in texts first and at least in half of what they hold; then the others."""
    pairs, left_old, left_new = [], [], []
    for of_old, of_new in _parts(old, new):
        scored = sorted(
            (tuple(-n for n in _agreement(a, b)), i, j)
            for (i, a), (j, b) in _candidates(of_old, of_new)
            if 2 * _agreement(a, b)[1] >= len({**a, **b})
        )
        taken_old, taken_new = {}, set()
        for _, i, j in scored:
            if i not in taken_old and j not in taken_new:
                taken_old[i] = j
                taken_new.add(j)
        pairs += [(of_old[i], of_new[j]) for i, j in sorted(taken_old.items())]
        left_old += [row for i, row in enumerate(of_old) if i not in taken_old]
        left_new += [row for j, row in enumerate(of_new) if j not in taken_new]
    return pairs, left_old, left_new


def _parts(old: list[Row], new: list[Row]) -> list[tuple[list[Row], list[Row]]]:
    """Everything in one part; where that is much, parts that agree in all columns whose values are on both sides."""
    if len(old) * len(new) <= PAIRS:
        return [(old, new)]
    few, many = sorted((old, new), key=len)
    columns = [c for c in dict.fromkeys(c for row in few for c in row) if _values(few, c) <= _values(many, c)]
    parts: dict[tuple, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((old, new)):
        for row in rows:
            parts[tuple(row.get(c, "") for c in columns)][side].append(row)
    return list(parts.values())


def _candidates(old: list[Row], new: list[Row]) -> Iterable:
    """All pairs; where that is too much, those in the same place."""
    meet = product if len(old) * len(new) <= PAIRS else zip
    return meet(enumerate(old), enumerate(new))


def _values(rows: list[Row], column: str) -> Counter[str]:
    return Counter(row.get(column, "") for row in rows)


def _agreement(a: Row, b: Row) -> tuple[int, int]:
    """(texts, all values) that two rows share."""
    shared = [value for column, value in a.items() if b.get(column) == value]
    return sum(not is_number(value) for value in shared), len(shared)


def is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
