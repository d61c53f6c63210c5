"""Checkpoints in the repository: pinned, small, with the records of what made them, and nothing of an evaluation."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from audioprune import records
from audioprune.cli import checkpoints
from audioprune.errors import UserError
from audioprune.generators import corpus, words
from audioprune.generators._voices import VOICES
from audioprune.models.build import build_model, load_checkpoint
from audioprune.models.weights import read_checkpoint
from audioprune.planning.plan import Plan
from audioprune.reporting.stored import sentences
from audioprune.settings.data import FetchSettings
from audioprune.settings.training import PretrainSettings
from audioprune.sources import catalogue, stored
from audioprune.steps import fetch as step
from audioprune.steps._run import Job
from tests import REPOSITORY

NAMES = ("checkpoint-audiomae-tiny", "checkpoint-ast-tiny")
by_source = pytest.mark.parametrize("source", NAMES)


def made_by(source: str) -> dict[str, dict]:
    return {record["kind"]: record for record in stored.records_of(source)}


def fetched(source: str, out: Path) -> dict:
    out.mkdir()
    return step.fetch(Job("fetch", source, "0" * 16, FetchSettings(source=source), {}, out, out / "resume"))


def test_these_lie_in_the_repository():
    assert stored.names() == NAMES


@by_source
def test_the_weights_are_small_and_are_what_is_declared(source, tmp_path):
    weights = stored.weights_of(source)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    declared = hashlib.sha256(f"{sha256} {weights.name}\n".encode()).hexdigest()  # as sources.yaml explains it
    assert weights.stat().st_size <= 3_000_000
    results = fetched(source, tmp_path / "out")
    assert (results["content"], results["bytes"]) == (declared, weights.stat().st_size)
    assert (tmp_path / "out" / "files" / weights.name).read_bytes() == weights.read_bytes()


def test_other_weights_than_the_declared_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    (tmp_path / "ast-tiny.safetensors").write_bytes(b"other")
    with pytest.raises(UserError, match=r"ast-tiny.safetensors is not what was committed: restore it"):
        fetched("checkpoint-ast-tiny", tmp_path / "out")


@by_source
def test_the_records_beside_them_are_of_the_cells_that_made_just_these_weights(source):
    made = made_by(source)
    assert list(made) == ["generate", "features", "pretrain"]
    weights = stored.weights_of(source).read_bytes()
    assert made["pretrain"]["files"]["checkpoint.safetensors"]["sha256"] == hashlib.sha256(weights).hexdigest()
    assert made["pretrain"]["inputs"] == {"audio": made["generate"]["key"], "features": made["features"]["key"]}
    assert made["features"]["inputs"] == {"audio": made["generate"]["key"]}
    for record in made.values():
        assert len(record["made"]["git"]["commit"]) == 40
        assert not record["made"]["git"]["dirty"]


@by_source
def test_they_were_made_on_the_corpus_and_audiomae_without_labels(source):
    made = made_by(source)
    assert made["generate"]["settings"]["generator"] == "corpus"
    assert made["features"]["settings"]["dataset"] == "demo-corpus"
    objective = "mae" if source == "checkpoint-audiomae-tiny" else "supervised"
    assert made["pretrain"]["settings"]["objective"] == objective
    passes = made["pretrain"]["results"]["clips"] * made["pretrain"]["results"]["epochs"]
    assert passes >= 10 * 1200  # ten times what their first recipe had


def test_no_word_and_no_voice_of_the_corpus_is_evaluated():
    assert not set(corpus.WORDS) & set(words.WORDS)
    assert not {voice.file for voice in corpus.VOICES} & {voice.file for voice in VOICES}


@by_source
def test_fine_tuning_can_start_from_them(source):
    backbone = source.removeprefix("checkpoint-")
    model = build_model(backbone, frames=128, num_classes=10, seed=0)
    state, _ = read_checkpoint(stored.weights_of(source))
    assert load_checkpoint(model, state, source=source).head == "fresh"


@by_source
def test_the_recipe_that_made_them_is_a_block_of_the_configuration_and_its_cells_are_planned(source, monkeypatch):
    """So that `make checkpoints` has something to run."""
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    monkeypatch.chdir(REPOSITORY)
    plan = Plan()
    cell = plan.planner.pretrained(catalogue.load()[source].pretraining, source.removeprefix("checkpoint-"))
    assert plan.cell(cell.path) is cell
    settings = json.loads(PretrainSettings(**made_by(source)["pretrain"]["settings"]).model_dump_json())
    assert settings == json.loads(cell.settings.model_dump_json())


def test_studies_that_start_from_them_take_them_in_as_a_source(monkeypatch):
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    monkeypatch.chdir(REPOSITORY)
    for study in ("demo", "mini"):
        cells = Plan().study(study)
        assert {cell.settings.source for cell in cells.cells("fetch")} >= set(NAMES)
        assert not cells.cells("pretrain")


@pytest.fixture
def old(tmp_path, monkeypatch):
    """The stored checkpoints, AST's made by other code of its step."""
    for source in NAMES:
        made = stored.records_of(source)
        for record in made:
            record["code"] = stored.code_of_kind(record["kind"], tuple(record["plugins"]))[1]
            record.pop("counts_as", None)
        if source == "checkpoint-ast-tiny":
            made[-1]["code"] = made[-1]["code"] | {"audioprune.training.loop": "0" * 64}
        records.write_json(tmp_path / f"{source.removeprefix('checkpoint-')}.json", made)
    monkeypatch.setattr(stored, "FOLDER", tmp_path)


def test_a_report_says_which_were_made_by_other_code_than_todays(old):
    cells = [SimpleNamespace(kind="fetch", settings=FetchSettings(source=source)) for source in NAMES]
    commit = stored.records_of("checkpoint-ast-tiny")[-1]["made"]["git"]["commit"][:12]
    assert list(sentences(SimpleNamespace(all=lambda: cells))) == [
        f"checkpoint-ast-tiny was made at commit {commit}, before changes to audioprune.training.loop: "
        '"make checkpoints" makes it again with today\'s code.'
    ]
    assert list(sentences(SimpleNamespace(all=lambda: cells[:1]))) == []


def test_the_report_is_made_again_when_that_code_changes(old, monkeypatch):
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    monkeypatch.chdir(REPOSITORY)
    key = Plan().exhibit("demo", "report").key
    monkeypatch.setattr(stored, "changed", lambda source: ("audioprune.training.masked",))
    assert Plan().exhibit("demo", "report").key != key


def test_the_command_enters_digest_and_size_into_its_row_alone():
    text = "# x\na:\n  content: 1\n  bytes: 2\n\nb:\n  # note\n  content: 3\n  bytes: 4\nc:\n  content: 5\n  bytes: 6\n"
    new = checkpoints.entered(text, "b", "f" * 64, 7)
    assert yaml.safe_load(new) == {
        "a": {"content": 1, "bytes": 2}, "b": {"content": "f" * 64, "bytes": 7}, "c": {"content": 5, "bytes": 6},
    }  # fmt: skip
    with pytest.raises(UserError, match="has no row 'd'"):
        checkpoints.entered(text, "d", "f" * 64, 7)
