"""report.pdf: the content of the HTML, text never read as markup, the same bytes each time."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from audioprune.exhibits import display, escape
from audioprune.reporting import html, paper, pdf
from tests import REPOSITORY
from tests.fakes.studies import HOSTILE, report_again
from tests.fakes.studies import shared_report as report

TEMPLATES = REPOSITORY / "report"


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


def test_what_it_shows_is_there_in_full_and_the_rest_by_name():
    found = literals()
    assert paper.QUESTION in found
    for exhibit in report().exhibits:
        if exhibit.how in ("folded", "files"):
            assert {exhibit.label, escape.clean(exhibit.title), exhibit.rebuild} <= found
        else:
            assert any(escape.clean(exhibit.heading) in text for text in found)
            assert any(exhibit.rebuild in text for text in found)
            assert exhibit.status == "" or exhibit.status in found
    assert {escape.clean(note) for note in report().notes} <= found
    for finding in report().findings:
        assert {escape.clean(display.text(f"{finding.title}.")), escape.clean(display.text(finding.text))} <= found
    for card in (card for group in report().claims for card in group.cards):
        shown = (card.claim, display.text(card.where), display.text(card.brief))
        assert {escape.clean(text) for text in shown} <= found
    assert {escape.clean(display.text(sentence)) for sentence in report().lead} <= found


def test_a_section_of_nothing_says_so():
    sections = tuple(replace(one, exhibits=()) if one.id == "conditions" else one for one in report().sections)
    bare = replace(report(), sections=sections)
    assert [one.id for one in sections if not one.exhibits] == ["conditions"]
    for text in (pdf.source(bare, TEMPLATES), html.render(bare, TEMPLATES)):
        assert text.count("This study has nothing to show of it.") == 1


def test_a_section_of_clips_alone_leads_to_them():
    sections = tuple(replace(one, exhibits=()) if one.id == "kept" else one for one in report().sections)
    bare = replace(report(), sections=sections)
    assert bare.clips.clips
    assert "This study has nothing to show of it." not in html.render(bare, TEMPLATES)
    assert "In report.html: test clips, to hear and to see what is kept of them." in pdf.source(bare, TEMPLATES)


def test_every_number_of_its_tables_is_that_of_the_html():
    for exhibit in report().exhibits:
        if exhibit.table and exhibit.how in ("core", "appendix") and exhibit.name != "claims":
            shown = {
                entry.text for _, rows in exhibit.table.in_print().layout().groups for row in rows for entry in row
            }
            assert {escape.clean(display.text(text)) for text in shown} <= literals(), exhibit.name


def test_figures_are_the_same_drawings_and_described():
    for exhibit in report().exhibits:
        if exhibit.svg and exhibit.how in ("core", "appendix"):
            assert exhibit.svg in literals()
            assert any(escape.clean(exhibit.seen) in text for text in literals())


def test_it_has_a_body_of_twelve_pages_and_an_appendix_of_eight_at_most():
    """Of the faked study, which has every exhibit."""
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", compiled())) <= 24


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
