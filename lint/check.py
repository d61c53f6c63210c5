"""Fail where the code breaks a rule that its list does not have, or no longer breaks one that it has.

python -m lint.check [private] [mypy] [vulture] [--write | --allow-new]

A list has one violation a line, without line numbers, so that moving code changes nothing; `3 x` says how often. A
fence without a list allows none.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from lint import private, typed, unused

ROOT = Path(__file__).resolve().parent.parent
LISTS = Path("lint")
FENCES = {"private": private.violations, "mypy": typed.violations, "vulture": unused.violations}


def read(path: Path) -> Counter[str]:
    """{violation: how often} as listed."""
    entries = re.findall(r"^(?:(\d+) x )?(.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return Counter({violation: int(times or 1) for times, violation in entries})


def shown(violations: Counter[str]) -> str:
    """The text of a list, in order."""
    ordered = sorted(violations.items())
    return "".join(f"{times} x {violation}\n" if times > 1 else f"{violation}\n" for violation, times in ordered)


def compare(name: str, listed: Counter[str], found: Counter[str]) -> str:
    """What is wrong and what to do; empty when the list says what is there."""
    new, gone = found - listed, listed - found
    command = f"python -m lint.check {name}"
    said = ""
    if new:
        said += f"{name}: new; mend these, or if code was only moved: {command} --allow-new\n{shown(new)}"
    if gone:
        said += f"{name}: gone; remove these lines from {LISTS}/{name}.txt: {command} --write\n{shown(gone)}"
    return said


def check(name: str, found: Counter[str], root: Path, write: bool, allow_new: bool) -> str:
    """Compare what was found with the list, which `write` shortens first, and `allow_new` writes anew."""
    path = root / LISTS / f"{name}.txt"
    if not path.exists():
        return f"{name}: mend these\n{shown(found)}" if found else ""
    if write or allow_new:
        path.write_text(shown(found if allow_new else read(path) & found), encoding="utf-8")
    return compare(name, read(path), found)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lint.check", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("fences", nargs="*", choices=[*FENCES, "all"], default="all", help="all by default")
    parser.add_argument("--write", action="store_true", help="remove from the lists what is gone")
    parser.add_argument("--allow-new", action="store_true", help="write them anew, as when a module was moved")
    options = parser.parse_args(argv)
    failed = False
    for name in FENCES if "all" in options.fences else options.fences:
        found = Counter(FENCES[name](ROOT))
        said = check(name, found, ROOT, options.write, options.allow_new)
        print(said or f"{name}: {found.total()} violations, all listed")
        failed = failed or bool(said)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
