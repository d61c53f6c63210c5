"""Text made safe for where it is shown. Names of classes, clips and folders come from users: they may hold anything."""

from __future__ import annotations

import html as _html
import re
import unicodedata

BIDI = {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)}

LATEX = {
    "\0": "{}", "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{''}", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "*": "{*}",
    "−": "$-$", "×": r"$\times$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$", "–": "--",
    "—": "---", "†": r"\textdagger{}", "‡": r"\textdaggerdbl{}", "§": r"\S{}", "·": r"\textperiodcentered{}",
    "µ": r"$\mu$", "μ": r"$\mu$", "°": r"$^\circ$", "…": r"\ldots{}", "‘": "`", "’": "'", "“": "``", "”": "''",
    "\u00a0": "~", "\u202f": "~", "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "å": r"\aa{}", "Å": r"\AA{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ł": r"\l{}", "Ł": r"\L{}",
}  # fmt: skip
ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v", "\u0327": "c"}


def clean(text) -> str:
    """One line of printable text: white space becomes one space, a number keeps its %, controls and directions go."""
    text = re.sub(r"[^\S\u00a0\u202f]+", " ", str(text)).strip()
    text = re.sub(r"(?<=\d) %", "\u00a0%", text)
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs") and c not in BIDI)


def html(text) -> str:
    return _html.escape(clean(text), quote=True)


def latex(text) -> str:
    """LaTeX for pdflatex and its descendants with no package; characters without a command are shown by number."""
    unjoined = re.sub("-(?=-)", "-\0", clean(text))  # two hyphens are not a dash
    return "".join(map(_latex_character, unjoined))


def _latex_character(c: str) -> str:
    if c in LATEX:
        return LATEX[c]
    if c.isascii():
        return c
    base, *accents = unicodedata.normalize("NFD", c)
    if base.isascii() and base.isalpha() and len(accents) == 1 and accents[0] in ACCENTS:
        base = {"i": r"\i", "j": r"\j"}.get(base, base)
        return rf"\{ACCENTS[accents[0]]}{{{base}}}"
    return f"{{[}}U+{ord(c):04X}{{]}}"


def typst(text) -> str:
    """A Typst string literal: shown letter by letter wherever it stands in code, never read as markup."""
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
