"""The report explains the words that it uses, from docs/glossary.md."""

from __future__ import annotations

from html import unescape

import pytest

from audioprune.reporting import glossary, html
from audioprune.reporting.content import collect
from tests import REPOSITORY
from tests.fakes.studies import drawn, shared

DOCUMENT = """# Glossary

What it is.

**keep-rate**: Share of the tokens that stay at a
pruning block.

**p**: A probability, of a [test](paper.md).

**pruning block**: One that prunes.

**tau***: Another.

**WER**: Word error rate.
"""


def shown(*said: str) -> list[str]:
    table = glossary.table(glossary.parse(DOCUMENT), said)
    return [row.cells["term"] for row in table.rows] if table else []


def test_terms_in_the_order_of_the_document_as_one_line_each():
    terms = glossary.parse(DOCUMENT)
    assert list(terms) == ["keep-rate", "p", "pruning block", "tau*", "WER"]
    assert terms["keep-rate"] == "Share of the tokens that stay at a pruning block."
    with pytest.raises(ValueError, match="no definition: A stray line"):
        glossary.parse(DOCUMENT + "\nA stray line.\n")


def test_only_what_is_said_is_explained_and_what_its_definition_leads_to():
    assert shown("Keep-rates of all models.") == ["keep-rate", "pruning block"]
    assert shown("The WER, and", "p below 0.05") == ["p", "WER"]
    assert shown("P and ANSWERS, a pre-WER") == []  # symbols as they are written, words as a whole
    assert shown("Correlation (tau*)") == ["tau*"]


def test_words_of_links_are_shown_and_their_addresses_not():
    table = glossary.table(glossary.parse(DOCUMENT), ["p"])
    assert [row.cells["meaning"] for row in table.rows] == ["A probability, of a test."]


def test_a_report_has_it():
    terms = glossary.parse((REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8"))
    report = collect(shared(), drawn(), terms=terms)
    section = next(one for one in report.details if one.name == "glossary")
    explained = {row.cells["term"]: row.cells["meaning"] for row in section.table.rows}
    assert {"keep-rate", "TopK", "ratio A", "gamma", "signal", "MACs"} <= set(explained)
    assert "lease" not in explained  # which no exhibit speaks of
    page = unescape(html.render(report, REPOSITORY / "report"))
    assert explained["keep-rate"] in page
    assert 'id="glossary"' in page
