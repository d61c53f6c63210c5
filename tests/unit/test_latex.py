"""The LaTeX of every table compiles, by a real TeX where there is one; elsewhere its structure is checked."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes import HOSTILE, shared

from audioprune.exhibits import forms, named
from audioprune.exhibits.table import Cell, Column, Row, Table

LONG = ("claims", "forensics", "table6")  # tables of several pages
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
%s
\end{document}
"""


def hostile() -> Table:
    strange = (*HOSTILE, "[1]", "*", r"\\", "--- ?` !`", "é ñ ü ç ř ß ø Ł", "a\u202eb", "%", "\\end{tabular}", "{", "}")
    columns = (
        Column("x", strange[1], "µ%", align="left"),
        Column("y", "Value"),
        Column("y", "Published", part="published"),
    )
    rows = tuple(
        Row({"x": text, "y": Cell(-1.5, published=2.0, mark="†") if i % 2 else Cell(why=text)}, group=strange[i % 3])
        for i, text in enumerate(strange)
    )
    return Table(columns, rows, notes=strange, marks={"†": strange[0]}, status=strange[2])


def tables() -> dict[str, tuple[Table, str, str]]:
    found = {}
    for name in named.names("table"):
        module = named.get("table", name)
        found[name] = (module.build(shared()), module.TITLE, module.CAPTION)
    return found | {"hostile_name": (hostile(), HOSTILE[1], HOSTILE[2])}


def structure(text: str) -> None:
    """Environments and braces balance, rows have as many cells as columns, no special character stands bare."""
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    depth = 0
    for c in re.sub(r"\\[\\{}]", "", text):
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    for spec, body in re.findall(r"\\begin\{tabular\}\{@\{\}(.*?)@\{\}\}(.*?)\\end\{tabular\}", text, re.S):
        columns = len(re.sub(r"p\{6cm\}", "p", spec))
        for row in re.findall(r"^(?!\\multicolumn)(?!\\(?:top|mid|bottom)rule)(.+) \\\\$", body, re.M):
            assert len(re.findall(r"(?<!\\)&", row)) == columns - 1


def compiled(text: str, folder: Path) -> str:
    """Compile by pdflatex or tectonic; '' where neither is installed, else the log."""
    (folder / "t.tex").write_text(DOCUMENT % text, encoding="utf-8")
    if shutil.which("pdflatex"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex"]
    elif shutil.which("tectonic"):
        command = ["tectonic", "--keep-logs", "--untrusted", "t.tex"]
    else:
        return ""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120)
    log = (folder / "t.log").read_text(errors="replace") if (folder / "t.log").is_file() else done.stdout
    assert done.returncode == 0, log[-2000:]
    return log


def test_all_tables_compile_together(tmp_path):
    made = {
        name: forms.latex(table, name=name, title=title, caption=caption)
        for name, (table, title, caption) in tables().items()
    }
    for text in made.values():
        structure(text)
    log = compiled("\n".join(made.values()), tmp_path)
    if log:
        assert (tmp_path / "t.pdf").stat().st_size > 10_000
        assert "Overfull \\hbox" not in log
        assert "Missing character" not in log


@pytest.mark.parametrize("name", named.names("table"))
def test_structure_of_every_table(name):
    table, title, caption = tables()[name]
    text = forms.latex(table, name=name, title=title, caption=caption)
    structure(text)
    floats = text.count(r"\begin{table}")
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == floats >= 1
    assert floats == 1 or name in LONG
    assert rf"\label{{tab:{name}}}" in text
    assert text.isascii()


def test_the_checker_sees_what_is_wrong():
    for broken in (
        r"\begin{a}\end{b}",
        "{",
        "}",
        r"\begin{tabular}{@{}ll@{}}" + "\na & b & c \\\\\n" + r"\end{tabular}",
    ):
        with pytest.raises(AssertionError):
            structure(broken)
