"""How a verdict is disputed: an address that holds the claim, the verdict, the cells and the version; or the text."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from audioprune.config.design import Reporting
from audioprune.planning.exhibits import disputes
from audioprune.reporting import dispute, html
from audioprune.reporting.cards import Card, Part
from audioprune.reporting.facts import Facts
from tests import REPOSITORY
from tests.fakes.studies import HOSTILE, collected, shared

CELLS = tuple(f"evaluate/ast-tiny/esc10/{i:016x}" for i in range(40))
PART = Part("measured", "refuted", "1", "", "", "", "", CELLS)
FACTS = Facts("2026-01-02", "0.1.0", "0123456789ab")


def card(**given) -> Card:
    words = dict.fromkeys(Card.__dataclass_fields__, "") | {"claim": "P0-1†", "question": "Is it so?"}
    words |= {"where": "refuted on synthetic audio", "statement": "It is so.", "parts": (PART,)}
    return Card(**(words | given))


def opened(address: str) -> tuple[str, str]:
    """Subject and body, as what opens the address reads them."""
    asked = parse_qs(urlsplit(address).query)
    (subject,), (body,) = (
        (own for name, own in asked.items() if name in SUBJECTS),
        (own for name, own in asked.items() if name not in SUBJECTS),
    )
    return subject[0], body[0]


SUBJECTS = ("title", "subject", "issue[title]")


@pytest.mark.parametrize(
    ("to", "start"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/issues/new?title="),
        ("https://codeberg.org/a/b/", "https://codeberg.org/a/b/issues/new?title="),
        ("https://gitlab.example.org/a/b", "https://gitlab.example.org/a/b/-/issues/new?issue[title]="),
        ("someone@example.org", "mailto:someone@example.org?subject="),
    ],
)
def test_the_address_opens_a_message_that_says_which_verdict_is_meant(to, start):
    found = dispute.address(to, dispute.message(card(), "demo", FACTS))
    assert found.startswith(start)
    subject, body = opened(found)
    assert subject == "Dispute of P0-1†: refuted on synthetic audio"
    for said in (
        "Claim: P0-1† (Is it so?)",
        "Judged: It is so.",
        "study demo; commit 0123456789ab; data of 2026-01-02; audioprune 0.1.0",
        "- evaluate 000000000000001d\n- and 10 more",
    ):
        assert said in body
    assert len(found) < 8000  # what servers take


def test_without_an_address_there_is_a_text_alone():
    told = dispute.message(card(parts=()), "demo", FACTS)
    assert dispute.address("", told) == ""
    assert told.text.startswith("Dispute of P0-1†: refuted on synthetic audio\n\nClaim: ")
    assert "Cells:" not in told.text


def test_every_card_of_a_page_has_its_link_or_its_text():
    found = collected(shared(), [("table", "claims")])
    cards = [own for group in found.claims for own in group.cards]
    for to in ("https://github.com/a/b", ""):
        page = html.render(replace(found, disputes=to), REPOSITORY / "report")
        led = re.findall(r'<a class="dispute" href="(https://github.com/a/b/issues/new[^"]+)"', page)
        texts = re.findall(r'<details class="dispute tools">.*?<pre>(.*?)</pre>', page, re.S)
        assert (len(led), len(texts)) == ((len(cards), 0) if to else (0, len(cards)))
        for own, told in zip(cards, [opened(unescape(one))[1] for one in led] or texts, strict=True):
            assert f"Claim: {own.claim} (" in told


def test_no_word_of_a_claim_ends_the_address_or_adds_to_it():
    for text in (*HOSTILE, "&body=else#at"):
        found = dispute.address("https://github.com/a/b", dispute.message(card(statement=text), "demo", FACTS))
        assert not set('<>" ') & set(found)
        assert f"Judged: {text}" in opened(found)[1]


def test_the_study_names_the_address_else_the_citation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    silent, own = (SimpleNamespace(study=SimpleNamespace(report=Reporting(disputes=to))) for to in ("", "a@b.org"))
    assert (disputes(silent), disputes(own)) == ("", "a@b.org")
    (tmp_path / "CITATION.cff").write_text("cff-version: 1.2.0\nrepository-code: https://github.com/a/b\n")
    assert (disputes(silent), disputes(own)) == ("https://github.com/a/b", "a@b.org")


def test_only_an_address_of_the_web_or_of_mail_is_taken():
    for good in ("", "https://github.com/a/b", "http://localhost:3000/a/b", "a.b@example.org"):
        assert Reporting(disputes=good).disputes == good
    for bad in ("javascript:alert(1)", "ftp://a/b", "a b@c", 'https://a/"><script>', "data:text/html,x@y"):
        with pytest.raises(ValidationError, match="disputes"):
            Reporting(disputes=bad)
