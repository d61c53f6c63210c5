"""report/claims: every file is valid and complete, and what is wrong in one is said by file."""

from __future__ import annotations

import pytest

from audioprune import registry
from audioprune.claims.claim import FOLDER, load, predicate
from audioprune.errors import UserError

DRAFTS = {f"000-{n}" for n in range(1, 12)} | {f"001-{n}" for n in range(1, 8)}
MISREAD = {"000-6", "000-7", "000-8", "000-9", "000-10", "000-11", "001-4", "001-5"}
EXPECTED = {
    "000-1": "partly",
    "000-3": "partly",
    "000-4": "partly",
    "000-5": "supported",
    **dict.fromkeys(MISREAD, "misstated"),
}


def test_all_rows_of_both_drafts_are_there_once():
    ids = [one for claim in load() for one in claim.ids]
    assert {one for one in ids if one[0] == "0"} == DRAFTS
    assert len(ids) == len(set(ids))
    assert len([one for one in ids if one.startswith("P0-")]) == 15
    assert sorted(claim.ids for claim in load() if len(claim.ids) == 2) == [
        ("000-1", "001-1"),
        ("000-2", "001-7"),
        ("000-3", "001-2"),
        ("000-5", "001-3"),
    ]
    assert [claim.name for claim in load()][:11] == [f"000-{n}" for n in (*range(1, 12),) if n <= 11]


@pytest.mark.parametrize("claim", load(), ids=lambda claim: claim.name)
def test_every_claim_is_whole(claim):
    assert (FOLDER / f"{claim.name}.yaml").is_file()
    assert callable(predicate(claim))
    assert predicate(claim).__doc__
    known = {"000": "draft 000", "001": "draft 001", "P0": "P0"}  # a claim of one's own names its own document
    for source, one in zip(claim.sources, claim.ids, strict=True):
        assert source.document == known.get(one.partition("-")[0], source.document)
    assert claim.expected == EXPECTED.get(claim.name, claim.expected)
    assert bool(claim.withdrawn) == (claim.expected == "superseded")
    assert bool(claim.corrected) == (claim.expected == "misstated") == (claim.tier == "published")
    if claim.corrected:
        assert claim.quantities["macs"].unit == "pct_reduction"
        assert claim.corrected.units["macs"] == "pct_remaining"
        printed = f"{claim.quantities['macs'].value:f}%"
        assert all(printed in source.quote for source in claim.sources)


def test_every_predicate_is_used():
    families = {claim.predicate.partition(".")[0] for claim in load()}
    assert families == set(registry.names("predicates"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('value: "86.0"', "value: 86.0", "in quotes"),
        ("unit: pct_reduction", "unit: percent", "quantities.macs.unit"),
        ("predicate: costs.remaining", "predicate: cost.remaining", "did you mean 'costs'"),
        ("predicate: costs.remaining", "predicate: costs.remain", "has no attribute 'remain'"),
        ("datasets: [as20k]", "datasets: [as20]", "did you mean 'as20k'"),
        ("exhibit: table1", "exhibit: tabel1", "did you mean 'table1'"),
        ("ids: [000-6]", "ids: [000-6, 000-7]", "2 ids need as many sources, not 1"),
        ("ids: [000-6]", "ids: [000-66]", "must be named after its first id, 000-66.yaml"),
        ("profile: p2", "profile: p2\ncolour: red", "colour: Extra inputs"),
        ("on AS-20K?", "on AS-20K.", "must end with a question mark"),
        ("score: mAP}", "scores: mAP}", "unknown quantities"),
        ("expected: misstated", "expected: wrong", "expected: Input should be"),
        ("ids: [000-6]", "ids: [000-6", "expected ',' or ']'"),
    ],
)
def test_what_is_wrong_is_said_by_file(tmp_path, old, new, message):
    text = (FOLDER / "000-6.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "000-6.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError) as error:
        load(tmp_path)
    assert message in str(error.value)
    assert str(tmp_path / "000-6.yaml") in str(error.value)


def test_all_errors_come_at_once_and_a_row_belongs_to_one_file(tmp_path):
    text = (FOLDER / "000-6.yaml").read_text(encoding="utf-8")
    (tmp_path / "000-6.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "000-7.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "000-8.yaml").write_text("ids: []", encoding="utf-8")
    with pytest.raises(UserError) as error:
        load(tmp_path)
    assert "000-6 is in" in str(error.value)
    assert "must be named after" in str(error.value)
    assert "000-8.yaml" in str(error.value)
