"""Text escaped for its format. Names of classes, clips and folders come from users and may contain anything."""

from __future__ import annotations

import html as _html
import re
import unicodedata

from audioprune.wording import clean

LATEX = {
    "\0": "{}", "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{''}", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "*": "{*}",
    "−": "$-$", "×": r"$\times$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$", "–": "--",
    "—": "---", "†": r"$\dagger$", "‡": r"$\ddagger$", "§": r"\S{}", "·": r"$\cdot$", "≈": r"$\approx$",
    "≠": r"$\neq$", "²": "$^2$", "µ": r"$\mu$", "°": r"$^\circ$", "…": r"\ldots{}",
    "‘": "`", "’": "'", "“": "``", "”": "''",
    "\u00a0": "~", "\u202f": "~", "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "å": r"\aa{}", "Å": r"\AA{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ł": r"\l{}", "Ł": r"\L{}",
}  # fmt: skip
GREEK = {
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
LATEX |= {letter: rf"$\{name}$" for letter, name in GREEK.items()}
FORMULAS = {
    "Γ(R_s)": r"$\Gamma(R_s)$", "Γ(R_b)": r"$\Gamma(R_b)$", "R_s": "$R_s$", "R_b": "$R_b$", "τ* − t": r"$\tau^*-t$",
    "τ*": r"$\tau^*$", "τ-b": r"$\tau_b$", "|B − K / N|": "$|B-K/N|$", "B − K / N": "$B-K/N$", "B − K/N": "$B-K/N$",
    "K / N": "$K/N$", "K/N": "$K/N$",
}  # fmt: skip
_FORMULA = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, FORMULAS))})(?!\w)")
ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v", "\u0327": "c"}


def html(text: object) -> str:
    return _html.escape(clean(text), quote=True)


def text(text: object) -> str:
    """HTML between tags, where quotation marks stand for themselves."""
    return _html.escape(clean(text), quote=False)


def css(text: object) -> str:
    """A string of a style sheet, with its quotation marks."""
    return '"' + re.sub(r'["\\\n\r\f<>&]', lambda c: f"\\{ord(c[0]):x} ", clean(text)) + '"'


def latex(text: object) -> str:
    """LaTeX for pdflatex and its descendants with no package; characters without a command are shown by number."""
    parts = _FORMULA.split(clean(text))  # text and formulas in turn
    return "".join(FORMULAS[part] if i % 2 else _latex_text(part) for i, part in enumerate(parts))


def _latex_text(text: str) -> str:
    unjoined = re.sub("-(?=-)", "-\0", text)  # two hyphens are not a dash
    return "".join(map(_latex_character, unjoined))


def _latex_character(c: str) -> str:
    if c in LATEX:
        return LATEX[c]
    if c.isascii():
        return c
    base, *accents = list(unicodedata.normalize("NFD", c))
    if base.isascii() and base.isalpha() and len(accents) == 1 and accents[0] in ACCENTS:
        base = {"i": r"\i", "j": r"\j"}.get(base, base)
        return rf"\{ACCENTS[accents[0]]}{{{base}}}"
    return f"{{[}}U+{ord(c):04X}{{]}}"


def typst(text: object) -> str:
    """A Typst string literal: shown literally anywhere in code, never interpreted as markup."""
    return typst_literal(clean(text))


def typst_literal(text: str) -> str:
    """The same of exactly this text, with its lines and spaces."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
