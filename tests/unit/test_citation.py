"""CITATION.cff by the Citation File Format 1.2.0, of whose schema the parts that it uses are written down here."""

from __future__ import annotations

import jsonschema
import yaml

from audioprune.reporting import paper
from audioprune.version import __version__
from tests import REPOSITORY

TEXT = {"type": "string", "minLength": 1}
ADDRESS = {"type": "string", "pattern": "^(https|http|ftp|sftp)://.+"}
DOI = {"type": "string", "pattern": r"^10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-\.\(\)\[\]\\]+$"}
PERSON = {"type": "object", "additionalProperties": False, "properties": {"family-names": TEXT, "given-names": TEXT}}
ENTITY = {"type": "object", "additionalProperties": False, "required": ["name"], "properties": {"name": TEXT}}
AUTHORS = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"anyOf": [PERSON, ENTITY]}}
IDENTIFIER = {
    "type": "object", "additionalProperties": False, "required": ["type", "value"],
    "properties": {"type": {"const": "other"}, "value": TEXT, "description": TEXT},
}  # fmt: skip
REFERENCE = {
    "type": "object", "additionalProperties": False, "required": ["authors", "title", "type"],
    "properties": {
        "type": {"enum": ["article", "conference-paper", "software"]}, "title": TEXT, "authors": AUTHORS, "doi": DOI,
        "collection-title": TEXT, "conference": ENTITY, "year": {"type": "integer"}, "url": ADDRESS,
        "identifiers": {"type": "array", "minItems": 1, "items": IDENTIFIER},
    },
}  # fmt: skip
SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["authors", "cff-version", "message", "title"],
    "properties": {
        "cff-version": {"const": "1.2.0"}, "message": TEXT, "title": TEXT, "abstract": TEXT, "license": TEXT,
        "version": TEXT, "authors": AUTHORS, "type": {"enum": ["software", "dataset"]},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": TEXT},
        "references": {"type": "array", "minItems": 1, "items": REFERENCE}, "repository-code": ADDRESS,
    },
}  # fmt: skip


def test_it_is_valid_and_says_what_the_report_says():
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    jsonschema.validate(cited, SCHEMA)
    assert str(cited["version"]) == __version__
    (examined,) = cited["references"]
    assert examined["title"] == paper.TITLE
    assert examined["identifiers"][0]["value"] == paper.ARXIV
    assert examined["url"] == paper.ARXIV_AT
    for part in (examined["doi"], examined["collection-title"], str(examined["year"])):
        assert part in paper.bibtex("demo", "0123456", "2026-01-02")
