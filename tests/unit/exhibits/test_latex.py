"""The LaTeX of every table compiles, by a real TeX where there is one; elsewhere its structure is checked."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from audioprune import registry
from audioprune.exhibits import escape, latex, named
from audioprune.exhibits.table import Cell, Column, Row, Table
from tests import REPOSITORY
from tests.fakes.studies import HOSTILE, shared

DOCUMENT = r"""\documentclass{article}
\usepackage{PACKAGES}
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


@cache
def tables() -> dict[str, tuple[Table, str, str]]:
    found = {}
    for name in named.names("table"):
        module = named.get("table", name)
        found[name] = (module.build(shared()), module.TITLE, module.CAPTION)
    return found | {"hostile_name": (hostile(), HOSTILE[1], HOSTILE[2])}


def structure(text: str) -> None:
    """Environments and braces balance, rows have as many cells as columns, no special character stands bare."""
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{([\w*]+)\}", text):
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
    table = r"\\begin\{tabular\*\}\{\\linewidth\}\{@\{\\extracolsep\{\\fill\}\}(.*?)@\{\}\}(.*?)\\end\{tabular\*\}"
    for spec, body in re.findall(table, text, re.S):
        columns = len(re.sub(r">\{.*?\}p\{\d+pt\}", "p", spec))
        for row in re.findall(r"^(?!\\(?:top|mid|bottom)rule)(.+) \\\\$", body, re.M):
            assert len(re.findall(r"(?<!\\)&", row)) == columns - 1


def compiled(text: str, folder: Path) -> str:
    """Compile by pdflatex or tectonic; '' where neither is installed, else the log."""
    (folder / "t.tex").write_text(DOCUMENT.replace("PACKAGES", latex.PACKAGES) % text, encoding="utf-8")
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


def written() -> dict[str, str]:
    return {
        name: latex.render(table, name=name, title=title, caption=caption, source=f"study s, commit c, {name}")
        for name, (table, title, caption) in tables().items()
    }


def test_all_tables_compile_together_and_each_has_one_number(tmp_path):
    made = written()
    for text in made.values():
        structure(text)
    log = compiled("\\clearpage\n".join(made.values()), tmp_path)
    if log:
        assert (tmp_path / "t.pdf").stat().st_size > 10_000
        for wrong in ("Overfull \\hbox", "Overfull \\vbox", "Float too large", "Missing character"):
            assert wrong not in log
        numbers = re.findall(r"\\newlabel\{tab:([^}]+)\}\{\{(\d+)\}", (tmp_path / "t.aux").read_text())
        assert numbers == [(name.replace("_", "-"), f"{i}") for i, name in enumerate(made, start=1)]


def test_no_p_value_is_printed_as_nothing():
    """A small p-value is shown as below 0.001."""
    found = {
        name: [column for column in table.columns if column.key in ("p", "p_holm")]
        for name, (table, _, _) in tables().items()
    }
    assert {name for name, columns in found.items() if columns} >= {"claims", "competence", "contrasts", "ranking"}
    assert {name: column.key for name, columns in found.items() for column in columns if not column.p} == {}


@pytest.mark.parametrize("name", named.names("table"))
def test_structure_of_every_table(name):
    table, title, caption = tables()[name]
    text = latex.render(table, name=name, title=title, caption=caption)
    structure(text)
    floats = len(re.findall(r"\\begin\{(?:sideways)?table\}", text))
    assert (
        text.count(r"\caption") - text.count(r"\captionsetup") == text.count(r"\begin{threeparttable}") == floats >= 1
    )
    assert text.count(r"\ContinuedFloat") == floats - 1
    assert text.count(rf"\label{{tab:{name}}}") == 1
    assert text.isascii()
    assert "resizebox" not in text
    assert "scalebox" not in text


@pytest.mark.parametrize("name", named.names("table"))
def test_names_are_printed_and_not_typed(name):
    table, title, caption = tables()[name]
    text = latex.render(table, name=name, title=title, caption=caption)
    typed = (
        rf"(?<![\w./-])(?:{'|'.join(registry.names('backbones'))}|topk(?:\.\w+)*|tome|esc50|as20k|spc2)(?![\w/-]|\.\w)"
    )
    commands = r"(?:snakemake|audioprune) [^;)]*"
    assert not re.findall(typed, re.sub(commands, "", text.partition("\n")[2]))


def test_every_character_of_the_project_has_a_command_in_latex():
    """What tables and captions say comes from code, exhibits, claims, published values and configuration."""
    report = REPOSITORY / "report"
    files = [*(REPOSITORY / "src").rglob("*.py"), *report.rglob("*.yaml"), *report.rglob("*.csv")]
    files += [REPOSITORY / "config.yaml", *(REPOSITORY / "docs").rglob("glossary.md")]
    used = {c for file in files for c in file.read_text(encoding="utf-8") if not c.isascii()}
    assert {"Γ", "τ", "−", "†"} <= used
    assert [c for c in sorted(used) if "U+" in escape.latex(c)] == []


def test_the_checker_sees_what_is_wrong():
    for broken in (
        r"\begin{a}\end{b}",
        "{",
        "}",
        r"\begin{tabular*}{\linewidth}{@{\extracolsep{\fill}}ll@{}}" + "\na & b & c \\\\\n" + r"\end{tabular*}",
    ):
        with pytest.raises(AssertionError):
            structure(broken)
