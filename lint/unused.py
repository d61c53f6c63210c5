"""What no code uses, but for what is excused, with a reason, in lint/excused.toml.

By vulture, and for functions and classes by following names to their modules (`lint.reached`). Tests are no users: a
function that only its test calls is found. Users that are not Python are read by patterns.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from vulture import Vulture

from lint.names import PACKAGE
from lint.reached import unreached

EXCUSED = Path("lint/excused.toml")
MIN_CONFIDENCE = 60  # as vulture rates functions, classes and variables; imports have 90, unreachable code 100
# What Python, pydantic, logging, jinja2 and torch use.
OF_OTHERS = ["__getattr__", "__dir__", "model_config", "handleError", "filters", "fill_uninitialized_memory"]
DECORATORS = ["@model_validator", "@field_validator"]
USERS = {
    "Snakefile": r"(?:\.|import |, )(\w+)",
    "workflow/rules/*.smk": r"\.(\w+)",
    "*/config.yaml": r"import (\w+)",  # profiles
    "report/*.jinja": r"\.(\w+)",
    "report/claims/*.yaml": r"predicate: \w+\.(\w+)",
    "src/audioprune/generators/_kinds.py": r'"(\w+)"',  # sounds, which are looked up by name
}


def violations(root: Path) -> list[str]:
    """One line for each function, class, method, variable and import that nothing uses, and for each wrong excuse."""
    file = root / EXCUSED
    excused = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    users = {
        name
        for pattern, names in USERS.items()
        for path in root.glob(pattern)
        for name in re.findall(names, path.read_text(encoding="utf-8"))
    }
    unnamed = by_name(root, users)
    unused = (unnamed | unreached(root, users, kept=excused)) - set(excused)
    idle = set(excused) - unnamed - unreached(root, users)
    return [
        *(f"{name}: nothing uses it; delete it, use it, or say in {EXCUSED} why it stays" for name in sorted(unused)),
        *(f"{name}: used, or gone; take it off {EXCUSED}" for name in sorted(idle)),
        *(f"{name}: excused without a reason in {EXCUSED}" for name, reason in excused.items() if not reason.strip()),
    ]


def by_name(root: Path, users: set[str]) -> set[str]:
    """Dotted names, without the package's, of what vulture finds."""
    found, folder = Vulture(ignore_names=OF_OTHERS, ignore_decorators=DECORATORS), (root / PACKAGE).resolve()
    found.scavenge([str(folder)])
    found.used_names.update(users)
    items = found.get_unused_code(min_confidence=MIN_CONFIDENCE)
    return {".".join((*item.filename.relative_to(folder).with_suffix("").parts, item.name)) for item in items}
