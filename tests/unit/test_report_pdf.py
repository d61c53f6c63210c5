"""report.pdf: the content of the HTML, text never read as markup, the same bytes each time."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from fakes import HOSTILE, report_again
from fakes import shared_report as report

from audioprune.exhibits import escape
from audioprune.reporting import html, pdf

TEMPLATES = Path(__file__).parents[2] / "report"


@cache
def source() -> str:
    return pdf.source(report(), TEMPLATES)


@cache
def compiled() -> bytes:
    return pdf.render(report(), TEMPLATES)


@cache
def literals() -> frozenset[str]:
    """All string literals of the source, read as Typst reads them."""
    return frozenset(re.sub(r"\\(.)", r"\1", s) for s in re.findall(r'"((?:[^"\\]|\\.)*)"', source()))


def test_it_is_a_pdf_of_several_pages():
    assert compiled().startswith(b"%PDF-1.")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", compiled())) >= 4


def test_same_records_give_the_same_bytes():
    assert pdf.render(report_again(), TEMPLATES) == compiled()
    assert b"/CreationDate" not in compiled()


def test_every_text_of_the_html_is_in_the_pdf():
    found = literals()
    assert escape.clean(report().title) in found
    for exhibit in report().exhibits:
        assert {escape.clean(exhibit.heading), escape.clean(exhibit.caption)} <= found
        assert exhibit.status == "" or exhibit.status in found
        assert any(exhibit.rebuild in text for text in found)
    for section in report().sections:
        assert {escape.clean(section.heading), escape.clean(section.text)} <= found
    assert {escape.clean(note) for note in report().notes} <= found
    for line in report().verdicts:
        assert {line.claim, escape.clean(line.question), line.verdict, escape.clean(line.evidence), line.label} <= found
    assert {escape.clean(sentence) for sentence in report().lead} <= found


def test_every_number_of_the_html_is_in_the_pdf():
    page = html.render(report(), TEMPLATES)
    shown = set(re.findall(r"<td class=\"right[^\"]*\">([−+0-9.]+)<", page))
    assert len(shown) > 200
    assert shown <= literals()


def test_figures_are_the_same_drawings():
    for exhibit in report().exhibits:
        if exhibit.svg:
            assert exhibit.svg in literals()


def test_data_are_attached():
    for exhibit in report().exhibits:
        assert exhibit.csv in literals()
        assert f"mini-{exhibit.name}.csv" in literals()
        assert f"mini-{exhibit.name}.csv".encode() in compiled()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_inside_literals(text):
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", source())
    assert text not in outside
    assert "eval" not in outside
    assert escape.clean(text) in literals()
