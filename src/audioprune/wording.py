"""Formatting of numbers, names and metrics, the same in tables, figures, claims and sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

METRICS = {"top1": "top-1 accuracy, %", "map": "mAP × 100", "wer": "word error rate, %"}
LEAST_P = 0.001  # smaller ones are said to be below it
BIDI = {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)}


def number(value: float, decimals: int, signed: bool = False) -> str:
    """The one place where numbers become text: fixed decimals, a true minus sign, no negative zero."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+" if signed else "") + text


def p_value(p: float) -> str:
    """'0.045', '< 0.001': two digits at most, and never zero."""
    return f"{p:.2g}" if p >= LEAST_P else f"< {LEAST_P:g}"


def listed(names: Iterable[object]) -> str:
    """a; a and b; a, b and c."""
    *most, last = [*map(str, names)] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last


def clean(text: object) -> str:
    """One line of printable text: white space becomes one space, a number keeps its %, controls and directions go.

    Names of classes, clips and folders come from users: they may hold anything.
    """
    text = re.sub(r"[^\S\u00a0\u202f]+", " ", str(text)).strip()
    text = re.sub(r"(?<=\d) %", "\u00a0%", text)
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs") and c not in BIDI)


def listing(names: Sequence[str], shown: int = 5) -> str:
    """a, b, c and 4 more."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
