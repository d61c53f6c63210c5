"""report.html: everything in one file, nothing loaded, everything escaped, the same bytes each time."""

from __future__ import annotations

import gzip
import io
import re
from base64 import b64decode, b64encode
from functools import cache
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import escape as jinja_escape
from matplotlib.image import imread, imsave

from audioprune.claims import ledger
from audioprune.claims.claim import load
from audioprune.exhibits import display, escape, forms, latex, named
from audioprune.exhibits.table import Column, Row, Table
from audioprune.reporting import html, paper, pdf, provenance
from audioprune.reporting.answers import learnt
from audioprune.reporting.svg import inline
from audioprune.results import published
from audioprune.results.evaluations import tidy
from audioprune.results.study import Results
from tests import REPOSITORY
from tests.fakes.studies import DEVICE, HOSTILE, collected, exhibits, fake_study, report_again, shared
from tests.fakes.studies import shared_report as report

TEMPLATES = REPOSITORY / "report"
SHOWN = exhibits()
VOID = {"meta", "br", "link", "img", "hr", "input"}


@cache
def page() -> str:
    return html.render(report(), TEMPLATES)


class Reader(HTMLParser):
    """Collects elements, identifiers and text; fails where tags do not nest."""

    def __init__(self):
        super().__init__()
        self.stack, self.elements, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@cache
def read() -> Reader:
    reader = Reader()
    reader.feed(page())
    assert reader.stack == []
    return reader


def section(name: str) -> str:
    """What stands in the element with this identifier, a section, an item or a division."""
    start = re.search(rf'<(section|li|div) id="{name}"', page())
    depth = 0
    for tag in re.finditer(rf"<(/?){start[1]}\b", page()[start.start() :]):
        depth += -1 if tag[1] else 1
        if not depth:
            return page()[start.start() : start.start() + tag.end()]
    raise AssertionError(f"{name} does not end")


def test_nothing_is_loaded():
    for tag, attributes in read().elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            outside = tag == "a" and attributes.get(name) in paper.ADDRESSES
            assert outside or (attributes.get(name) or "#").startswith(("#", "data:"))
        assert tag != "script" or "src" not in attributes
    assert len(re.findall(r"https?:", page())) == len(paper.ADDRESSES)
    assert not re.search(r"url\((?!#)|@import", page())


def test_the_page_of_every_exhibit_is_below_the_limit():
    """4 MB, of which the data of all exhibits, compressed, are a small part."""
    assert len(page().encode()) < 4e6
    held = re.findall(r'href="data:application/gzip;base64,([^"]+)"', page())
    assert sum(map(len, held)) < 0.35 * sum(len(one.csv) for one in report().exhibits)


def test_links_lead_to_sections_and_no_identifier_occurs_twice():
    identifiers = [a["id"] for _, a in read().elements if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    inside = [a["href"] for tag, a in read().elements if tag == "a" and a["href"].startswith("#")]
    assert {f"#{name}" for _, name in SHOWN} <= set(inside)  # each has at least its own permanent link
    assert {f"#{section.id}" for section in report().sections} <= set(inside)
    assert {f"#{card.id}" for group in report().claims for card in group.cards} <= set(inside)
    assert {link[1:] for link in inside} <= set(identifiers)
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page())
    assert {a or b for a, b in used} <= set(identifiers)


@pytest.mark.parametrize(("kind", "name"), SHOWN)
def test_every_exhibit_has_caption_data_and_command(kind, name):
    module, own = named.get(kind, name), unescape(section(name))
    assert module.TITLE in own
    assert escape.clean(module.CAPTION) in own
    (exhibit,) = [e for e in report().exhibits if e.name == name]
    shown = exhibit.how != "files"
    assert ("<table" in own) == (kind == "table" and shown)
    assert ("<svg" in own) == (kind == "figure" and shown)
    assert exhibit.label in own
    assert f"snakemake results/mini/{name}.{'tex' if kind == 'table' else 'svg'}" in own
    data = re.search(rf'download="mini-{name}.csv.gz" href="data:application/gzip;base64,([^"]+)"', own).group(1)
    assert gzip.decompress(b64decode(data)).decode() == exhibit.csv


def test_status_is_said_wherever_withdrawn_numbers_are_shown():
    said = dict.fromkeys(("table1", "table4", "table7"), "Published values") | {"forensics": "Values"}
    for name, what in (said | {"claims": "Claims"}).items():
        assert f'class="status">{what} marked † are from P0' in section(name)
        assert "withdrawn" in section(name)
    for name, exhibit in ((e.name, e) for e in report().exhibits):
        assert ("†" in section(name)) == bool(exhibit.status)


def test_numbers_are_those_of_the_predictions():
    for row in tidy(shared()).itertuples():
        if row.runs and row.perturbation == "none":
            assert re.search(rf">{row.value:.1f}( \[|<)|>{row.value:.2f}( \[|<)", section("table1"))
    printed = published.load("table1")
    value = printed[(printed["dataset"] == "spc2") & (printed["metric"] == "top1") & (printed["keep_rate"] == 0.7)]
    assert f"{value['value'].iloc[0]:.2f}<sup>†</sup>" in section("table1")


def test_hostile_names_are_text():
    for text in (HOSTILE[0], HOSTILE[2]):
        assert escape.clean(text) in "".join(read().text)
    assert "alert('x')</script>" not in page()
    assert "\u202e" not in page()


def test_findings_stand_first_and_link_to_what_shows_them():
    own = section("findings")
    assert page().index('<section id="findings"') < page().index('<section id="costs"')
    assert own.count("<li>") == len(report().findings) == 3
    for finding in report().findings:
        assert f"<strong>{escape.html(display.text(finding.title))}.</strong>" in own
        assert f'<a href="#{finding.exhibit}">{finding.label}</a>' in own
    assert own.count("<svg") == 2
    assert "arXiv:2504.01690" in page()[: page().index('<section id="findings"')]


def test_answers_stand_in_the_section_of_the_exhibit_that_gives_them():
    assert report().answers
    for i, part in enumerate(report().sections):
        start = page().index(f'<section id="{part.id}"')
        end = page().index(f'<section id="{report().sections[i + 1].id}"') if i + 1 < len(report().sections) else None
        own = page()[start:end]
        assert own.count('class="answer"') == len(part.answers)
        for answer in part.answers:
            assert escape.html(display.text(answer.question)) in own
            assert f'<a href="#{answer.exhibit}">' in own


def test_first_page_says_what_was_run():
    lead = " ".join(report().lead)
    assert "audiomae-tiny, ast-tiny and audiomae-b on fsdd-digits, esc10, birds and spc2" in lead
    assert "at keep-rates 1, 0.7 and 0.5, one seed." in lead
    made = sum(r.ok for r in shared().all())
    assert f"{made} of {made + 3} planned runs were made; 3 were not" in lead
    assert f"in all on {DEVICE}." in lead
    assert "2 clips were set aside." in lead
    first = page()[: page().index('<section id="costs"')]
    for said in ("What does token pruning do to audio transformers?", "Real audio and small models", "real miniature"):
        assert said in first
    assert "data of 2026-01-02" in first
    assert "commit 0123456789ab " in first
    assert "@software{audioprune," in first
    assert "doi = {10.3233/FAIA251136}" in first


def test_the_first_screen_counts_verdicts_and_every_claim_is_a_card():
    first, own = section("findings"), section("claims")
    for verdict, count in report().tally.items():
        assert f'href="#verdict-{verdict}">' in first
        assert f"{count} {verdict}</a>" in first
        assert f'id="verdict-{verdict}"' in own
    found = [card for group in report().claims for card in group.cards]
    assert (
        len(found) == len([one for one in load() if not one.cells.recognisers]) == own.count('class="words"') - 1
    )  # and the fold of one misreading
    for card in found:
        assert f'<div id="{card.id}"' in own
        assert str(jinja_escape(escape.clean(card.statement))) in own
        assert str(jinja_escape(escape.clean(card.thresholds))) in own
        assert f">{escape.html(display.text(card.where))}</span>" in own
    assert "“86.0 % of the MACs saved” is 86.0 % of the MACs remaining; ".replace(" %", "\u00a0%") in own
    assert "exactly 86.07 % remaining, 13.93 % saved. Corrected: ".replace(" %", "\u00a0%") in own


def test_what_scrolls_has_a_name_and_tables_a_caption():
    names = [a.get("aria-label", "") for _, a in read().elements if a.get("tabindex") == "0"]
    assert len(names) > 40
    assert all(names)
    tables = [tag for tag, _ in read().elements if tag in ("table", "caption")]
    assert tables.count("table") == tables.count("caption") > 25


def test_alternative_texts_say_what_is_seen():
    drawings = {a["aria-label"] for tag, a in read().elements if tag == "svg"}
    (own,) = [text for text in drawings if "Published share of signal" in text]
    assert "the 36 values of AudioMAE, global score lie from −0.1 to +0.2 points off it" in own
    (own,) = [text for text in drawings if "What pruning costs" in text]
    assert "points, from " in own
    shown = [one for one in report().exhibits if one.svg and one.how != "files" and one.seen]
    assert len(shown) > 4  # others have nothing to show of this study
    assert all(any(escape.clean(display.text(one.seen)) in text for text in drawings) for one in shown)


def test_rows_of_models_at_chance_are_dim():
    """The one that has not learnt is told by backbone, dataset and recipe; rows of no model are never dim."""
    models = [{"backbone": "a", "dataset": "b", "variant": "", "outcome": "left out"}]
    rows = [{"backbone": "a", "dataset": "b"}, {"backbone": "a", "dataset": "c"}, {"x": 1}]
    table = Table((Column("x", "X"),), tuple(Row({"x": 1} | row, group=str(i % 2)) for i, row in enumerate(rows)))
    made = forms.html(table, "T", lambda cells: not learnt(cells, models))
    assert re.findall(r"<tr( class=\"chance\")?><td", made) == [' class="chance"', "", ""]


def test_figures_follow_the_page():
    """White, black and grid are variables of the page; no figure has a white of its own."""
    drawings = "".join(re.findall(r"<svg.*?</svg>", page(), re.S))
    assert "var(--card)" in drawings
    assert "var(--ink)" in drawings
    assert not re.search(r": #(ffffff|000000)", drawings)


def test_statements_of_claims_are_text(monkeypatch):
    claim = load()[5]
    strange = [claim.model_copy(update={"question": f"{text}?", "ids": (text,)}) for text in HOSTILE]
    monkeypatch.setattr(ledger, "load", lambda: tuple(strange))
    found = collected(shared(), [("table", "claims")], title="Hostile", tier="synthetic")
    text = html.render(found, TEMPLATES)
    assert "<script>alert" not in text
    reader = Reader()
    reader.feed(text)
    for one in HOSTILE:
        assert escape.clean(f"{one}?") in "".join(reader.text)
    source = pdf.source(found, TEMPLATES)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", source)
    assert "eval" not in outside
    assert "alert" not in outside
    (table,) = [e.table for e in found.exhibits]
    tex = latex.render(table, name="claims", title="Claims", caption="Hostile.")
    assert r"\input{" not in tex
    assert tex.isascii()


def test_not_run_is_listed_with_reasons():
    own = section("not-run")
    assert "3 planned cells were not run." in own
    assert own.count("needs checkpoint-audiomae-b") == 2  # the fine-tuning, and its two evaluations together


def test_clips_set_aside_are_named():
    assert "bad &lt;b&gt;clip&lt;/b&gt;.wav" in section("set-aside")
    assert "silent" in section("set-aside")


def test_every_cell_is_there_with_its_key_and_wall_time():
    own = section("cells")
    for r in shared().all():
        assert f"<code>{r.key}</code>" in own
        if r.ok:
            assert f", in {r.record['made']['wall_s']:.1f} s on " in own


def test_stages_add_up():
    (stages,) = [s.table for s in report().details if s.name == "stages"]
    *each, total = [row.cells for row in stages.rows]
    for key in ("planned", "made", "wall_s"):
        assert sum(row[key] for row in each) == total[key]
    assert total["wall_s"] == sum(r.record["made"]["wall_s"] for r in shared().all() if r.ok)
    assert total["planned"] == len(shared().all())


def test_mixed_software_is_named(tmp_path):
    results = fake_study(tmp_path)
    assert "All cells were made with the same software" in section("software")
    results.all()[0].record["made"]["versions"]["torch"] = "9.9"
    (own,) = [s for s in provenance.sections(results) if s["name"] == "software"]
    assert own["text"] == "Mixed in this study: torch."
    shown = {(r.cells["what"], r.cells["value"]): r.cells["cells"] for r in own["table"].rows}
    assert shown["torch", "9.9"] == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.4, "4 s"), (59, "59 s"), (2040, "34 min"), (8220, "2 h 17 min"), (7200, "2 h")]
)
def test_spoken(seconds, text):
    assert provenance.spoken(seconds) == text


def test_a_study_with_nothing_is_a_report_too():
    empty = collected(Results("paper", [], shared().dataset), SHOWN, title="Empty", tier="published")
    text = html.render(empty, TEMPLATES)
    assert "Everything that was planned was run." in text
    assert "snakemake results/table1.tex" in text
    assert empty.lead == ("All 0 planned runs were made.", "No clips were set aside.")


def test_targets_are_what_users_type():
    assert named.target("paper", "table4.tex") == "results/table4.tex"
    assert named.target("mini", "report.html") == "results/mini/report.html"


def test_same_records_give_the_same_bytes():
    assert html.render(report_again(), TEMPLATES) == page()


def test_inlined_svg_has_its_own_names():
    svg = '<?xml version="1.0"?>\n<svg xmlns:xlink="http://x" width="72pt" height="36pt" viewBox="0 0 72 36">'
    svg += '<metadata><a/></metadata><path id="m1" d="M 0 0"/><path style="fill: none"/>'
    svg += '<use xlink:href="#m1" clip-path="url(#c)"/></svg>'
    assert inline(svg, "fig", "A label") == (
        '<svg viewBox="0 0 72 36" role="img" aria-label="A label" style="width:119px">'
        '<path id="fig-m1" d="M 0 0"/><use xlink:href="#fig-m1" clip-path="url(#fig-c)"/></svg>'
    )


def test_pictures_inside_figures_are_small_in_the_page_and_look_the_same():
    picture = np.kron(np.random.default_rng(0).random((8, 16, 4)), np.ones((16, 16, 1)))  # patches of colours
    picture[..., 3] = 1
    out = io.BytesIO()
    imsave(out, picture, format="png")
    svg = f'<svg width="72pt"><image href="data:image/png;base64,\n{b64encode(out.getvalue()).decode()}"/></svg>'
    (held,) = re.findall(r'href="data:image/webp;base64,([^"]+)"', inline(svg, "fig", "A label"))
    seen = imread(io.BytesIO(b64decode(held)), format="webp")[..., :3] / 255
    assert seen.shape == (128, 256, 3)
    middle = (slice(8, None, 16), slice(8, None, 16))
    assert np.abs(seen[middle] - picture[..., :3][middle]).max() < 0.1
