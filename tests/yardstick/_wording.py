"""What a researcher reads of a difference: which row, which columns, both values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from _matching import Difference, is_number
from _reading import MEASURED, TEXT, Row, written

NAMING = 8  # columns that say which row it is
SHOWN = 6  # columns that differ, of one row
LABEL = 30  # letters; longer texts name no row
DIGITS = 6  # longer numbers are results, not settings
EXCERPT = 70


class Line(NamedTuple):
    sort: tuple[str, ...]  # of difference: the columns that differ, or the side that has the row
    text: str


def lines(found: Difference, rows: Sequence[Row]) -> list[Line]:
    """One line for each difference; rows that differ alike share one. `rows`: all of both sides."""
    telling, said = _telling(rows), []
    for side, columns in (("OLD", found.old_columns), ("NEW", found.new_columns)):
        said += [Line((c,), f"column {c}: only in {side} ({count(n, 'row')} filled)") for c, n in columns.items()]
    alike: dict[tuple, list[Row]] = defaultdict(list)
    for old, new in found.pairs:
        both = {c: value for c, value in old.items() if new.get(c) == value}
        alike[_changes(old, new)].append(both)
    for changes, same in alike.items():
        more = f" (and {count(len(same) - 1, 'more row')} alike)" if len(same) > 1 else ""
        text = f"{_which(same[0], telling)}: {_listed(changes, same[0])}{more}"
        said.append(Line(tuple(c for c, *_ in changes), text))
    for side, alone in (("OLD", found.old), ("NEW", found.new)):
        said += [Line((side,), f"only in {side}: {_which(row, telling, whole=True)}") for row in alone]
    return said


def some(said: Sequence[Line], most: int) -> list[Line]:
    """At most so many, in order, the first of every sort before the second of any."""
    seen: Counter[tuple] = Counter()
    ranked = []
    for place, line in enumerate(said):
        ranked.append((seen[line.sort], place))
        seen[line.sort] += 1
    return [said[place] for place in sorted(place for _, place in sorted(ranked)[:most])]


def picture(old: str | None, new: str | None) -> str:
    """How two pictures differ; nothing where they do not."""
    if old == new:
        return ""
    if old is None or new is None:
        return f"picture: only in {'NEW' if old is None else 'OLD'}"
    words = [f"written only in {side}: {', '.join(map(repr, some))}" for side, some in _words(old, new)]
    olds, news = old.splitlines(), new.splitlines()
    first = next((i for i, (a, b) in enumerate(zip(olds, news)) if a != b), min(len(olds), len(news)))
    return "picture differs: " + ("; ".join(words) or f"the same words, other shapes or places (SVG line {first + 1})")


def _words(old: str, new: str) -> Iterator[tuple[str, list[str]]]:
    for side, more in (("OLD", written(old) - written(new)), ("NEW", written(new) - written(old))):
        if more:
            yield side, [excerpt(word) for word in list(more)[:5]] + ["…"] * (len(more) > 5)


def _telling(rows: Sequence[Row]) -> list[str]:
    """Columns that tell rows apart, from the left: not all alike, and labels or settings rather than results."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for column, value in row.items():
            seen[column][value] += 1
    varied = {c: values for c, values in seen.items() if len(values) > 1 or values.total() < len(rows)}
    return [c for c, values in varied.items() if all(map(_names, values))]


def _which(row: Row, telling: list[str], whole: bool = False) -> str:
    if TEXT in row:
        rest = [f"{c} {_quoted(value)}" for c, value in row.items() if c != TEXT] if whole else []
        return _told(row[TEXT], rest)
    names = [c for c in telling if c in row and _names(row[c])] or [c for c in row if _names(row[c])]
    return ", ".join(f"{c}={_quoted(row[c])}" for c in names[:NAMING]) or "a row"


def _told(text: str, rest: list[str]) -> str:
    """note "…" for a note, not note: note "…"."""
    if len(rest) == 1 and rest[0].startswith(f"{text.split()[0]} "):
        return text + rest[0].removeprefix(text.split()[0])
    return f"{text}: {', '.join(rest)}" if rest else text


def _names(value: str) -> bool:
    return value != MEASURED and len(value) <= (DIGITS if is_number(value) else LABEL)


def _changes(old: Row, new: Row) -> tuple[tuple[str, str, str], ...]:
    columns = dict.fromkeys([*old, *new])
    return tuple((c, old.get(c, ""), new.get(c, "")) for c in columns if old.get(c) != new.get(c))


def _listed(changes, same: Row) -> str:
    said = []
    for column, old, new in changes[:SHOWN]:
        named = "" if column == same.get(TEXT) else f"{column} "
        said.append(f"{named}{_quoted(old, new)} → {_quoted(new, old)}")
    more = [f"and {len(changes) - SHOWN} more columns"] if len(changes) > SHOWN else []
    return ", ".join([*said, *more])


def _quoted(value: str, other: str = "") -> str:
    """A number or a word as it is, a longer text in quotes, around the place where it differs from the other."""
    if not value:
        return "(nothing)"
    at = next((i for i, (a, b) in enumerate(zip(value, other)) if a != b), min(len(value), len(other)))
    text = excerpt(value, at)
    return text if " " not in text or value == MEASURED else f"“{text}”"


def excerpt(value: str, at: int = 0) -> str:
    start = max(0, min(at - EXCERPT // 3, len(value) - EXCERPT))
    return ("…" if start else "") + value[start : start + EXCERPT] + ("…" if start + EXCERPT < len(value) else "")


def count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"
