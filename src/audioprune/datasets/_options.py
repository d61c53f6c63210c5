"""A dataset's own switches, and the folder it is listed from: checked once, with clear messages."""

from __future__ import annotations

from pathlib import Path

from audioprune.errors import UserError
from audioprune.registry import nearest


def options_of(dataset: str, given: dict, **defaults: str | int | float | None) -> dict:
    """`given` laid over the defaults; raises UserError for unknown names and values of another type."""
    errors = []
    for name, value in given.items():
        if name not in defaults:
            errors.append(f"no option {name!r}{nearest(name, defaults)}")
            continue
        default = defaults[name]
        fits = (int, float, type(None)) if isinstance(default, float | type(None)) else type(default)
        if not isinstance(value, fits) or isinstance(value, bool) != isinstance(default, bool):
            errors.append(f"{name}: {value!r} is not like its default {default!r}")
    if errors:
        raise UserError(f"options of dataset {dataset}: " + "; ".join(errors))
    return defaults | given


def listed(root: Path, pattern: str, dataset: str) -> list[str]:
    """Sorted paths, relative to `root` and with slashes, of the files that match; raises UserError for none."""
    if not root.is_dir():
        raise UserError(f"{dataset}: the folder {root} does not exist")
    found = sorted(p.relative_to(root).as_posix() for p in root.glob(pattern))
    if not found:
        raise UserError(f"{dataset}: no files like {pattern} in {root}: it is not the root of this dataset")
    return found


def lines_of(path: Path, dataset: str) -> list[str]:
    """Lines of a list that comes with a dataset, without empty ones; raises UserError when it is missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{dataset}: {path} is missing: the dataset is not complete") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
