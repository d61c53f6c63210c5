"""docs/own-study.md, word by word: its files are written, its commands are run, and print what stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .conftest import ROOT, Project

PAGE = (ROOT / "docs" / "own-study.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """(language, file, text) of every block of the page."""
    return [match.groups(default="") for match in BLOCK.finditer(PAGE)]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """(command, what it prints) of a console."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def pattern(printed: str) -> str:
    """What is printed as a regular expression: `...` is anything, a line of it alone any lines; blanks are alike."""
    lines = []
    for line in printed.splitlines():
        words = (re.escape(word) if word != "..." else r".*?" for word in re.split(r"(\.\.\.)|\s+", line) if word)
        lines.append(r"(?:.*\n)*?" if line == "..." else r"\s*" + r"\s*".join(words) + r"\s*?\n")
    return "".join(lines)


@pytest.mark.parametrize(
    ("printed", "said", "fits"),
    [
        ("a\n...\nb\n", "a\nx\ny\nb\n", True),
        ("a\n...\nb\n", "a\nb\n", True),
        ("a ... 3\n", "a  17  3\n", True),
        ("a ... 3\n", "a  17  4\n", False),
        ("a\n", "a\nb\n", False),
        ("(x)\n", "x\n", False),
    ],
)
def test_what_stands_for_anything_is_the_dots_alone(printed, said, fits):
    assert bool(re.fullmatch(pattern(printed), said)) == fits


def test_the_page_leads_to_a_report(tmp_path):
    project, ran = Project(tmp_path), []
    for language, file, text in blocks():
        if file:
            (tmp_path / file).write_text(text)
        if language == "python":
            assert f"python {file}" in " ".join(PAGE.split())
            done = project.run("python", file)
            assert done.returncode == 0, done.stderr
        for command, printed in commands(text) if language == "console" else ():
            done = project.run(*command.split(), seconds=600)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            assert re.fullmatch(pattern(printed), done.stdout), f"{command}\n{done.stdout}"
            ran.append(command)
    assert ran[-1] == "audioprune plan mine"
    assert (tmp_path / "results/mine/report.html").is_file()
    assert (tmp_path / "results/mine/report.pdf").is_file()
