"""What no code uses, by vulture: it goes by name, so what it finds is unused, and not all that is unused is found.

Tests are no users: a function that only its test calls is found. Users that are not Python are read by patterns.
"""

from __future__ import annotations

import re
from pathlib import Path

from vulture import Vulture

MIN_CONFIDENCE = 60  # as vulture rates functions, classes and variables; imports have 90, unreachable code 100
# What Python, pydantic, logging, jinja2 and torch use.
OF_OTHERS = ["__getattr__", "__dir__", "model_config", "handleError", "filters", "fill_uninitialized_memory"]
DECORATORS = ["@model_validator", "@field_validator"]
USERS = {
    "Snakefile": r"\.(\w+)",
    "workflow/rules/*.smk": r"\.(\w+)",
    "report/*.jinja": r"\.(\w+)",
    "report/claims/*.yaml": r"predicate: \w+\.(\w+)",
    "src/audioprune/generators/_kinds.py": r'"(\w+)"',  # sounds, which are looked up by name
}


def violations(root: Path) -> list[str]:
    """One line for each function, class, method, variable, attribute and import that nothing uses."""
    found = Vulture(ignore_names=OF_OTHERS, ignore_decorators=DECORATORS)
    found.scavenge([str(root / "src")])
    for pattern, name in USERS.items():
        for file in root.glob(pattern):
            found.used_names.update(re.findall(name, file.read_text(encoding="utf-8")))
    items = found.get_unused_code(min_confidence=MIN_CONFIDENCE)
    return [f"{item.filename.relative_to(root).as_posix()}: unused-{item.typ}: {item.name}" for item in items]
