"""Recognisers with a CTC head learn: units, the loss against all alignments, order, and a language of two words."""

from __future__ import annotations

import math
from itertools import groupby, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from audioprune.audio.store import WaveformStore, write_store
from audioprune.cells.cell import Cell
from audioprune.errors import UserError
from audioprune.facts.recogniser import CTC
from audioprune.facts.units import OFFICIAL, Units, needed, units_of
from audioprune.models.ctc import Listener
from audioprune.records import RECORD, write_json
from audioprune.settings.data import AudioSettings, UserFolder
from audioprune.settings.speech import RecogniseSettings, TranscribeSettings
from audioprune.settings.training import Recipe
from audioprune.steps import recognise as step
from audioprune.steps import transcribe as hearing
from audioprune.steps._run import Job
from audioprune.training.ctc import Clips, alignable, loss_of_columns, sorted_order
from audioprune.training.resume import ResumePoint
from tests.fakes.listeners import official_weights, small

DIGITS = Units("words", ("-", "eight", "one", "two"))
LETTERS = Units("chars", OFFICIAL)

# --- units ------------------------------------------------------------------------------------------------------------


def test_repeats_are_one_and_blanks_nothing():
    assert DIGITS.transcript([1, 1, 0, 1, 2, 2]) == "eight eight one"
    assert DIGITS.transcript([0, 0]) == ""
    heard = [OFFICIAL.index(one) for one in "||H-EE-LL-L-O||||-W-ORLLD|"]
    assert LETTERS.transcript(heard) == "HELLO WORLD"


def test_units_are_of_the_training_transcripts():
    assert units_of("words", ["two one", "eight  one"]) == DIGITS
    assert units_of("chars", ["to be", "or"]).names == ("-", "b", "e", "o", "r", "t", "|")


def test_numbers_and_back():
    assert DIGITS.numbers("two one two", "a") == [3, 2, 3]
    assert LETTERS.numbers("IT'S  A", "a") == [OFFICIAL.index(one) for one in "IT'S|A"]
    assert LETTERS.transcript(LETTERS.numbers("IT'S A", "a")) == "IT'S A"


@pytest.mark.parametrize(
    ("units", "transcript", "words"),
    [
        (DIGITS, "  ", "clip7 has an empty transcript"),
        (DIGITS, "two nine", "clip7 holds 'nine', which is none of eight one two; say units: chars, or fix the CSV"),
        (LETTERS, "IT S é", "clip7 holds 'é'"),
    ],
)
def test_transcripts_that_cannot_be_learnt_are_named(units, transcript, words):
    with pytest.raises(UserError, match=words):
        units.numbers(transcript, "clip7")


def test_words_that_no_output_can_match_are_counted():
    assert DIGITS.unknown("two nine ten one") == 2
    assert LETTERS.unknown("ITS ÉTÉ 7") == 2


def test_columns_that_a_transcript_takes():
    assert needed([1, 1]) == 3  # a blank between
    assert needed([1, 2, 1]) == 3
    assert alignable([3, 2, 3], [[1, 1], [1], [2]], ["a", "b", "c"], "strip 4").tolist() == [0, 1, 2]


def test_clips_that_are_too_short_are_set_aside_or_too_many():
    wanted = [[1, 1]] + [[1]] * 149
    assert alignable([2] + [1] * 149, wanted, [str(i) for i in range(150)], "strip 4").tolist() == list(range(1, 150))
    with pytest.raises(UserError, match=r"2 of 3 clips.*strip 8: b \(1 columns, needs 5\), a \(2 columns, needs 3\)"):
        alignable([2, 1, 9], [[1, 1], [1, 1, 1], [1]], ["a", "b", "c"], "strip 8")


# --- the loss ---------------------------------------------------------------------------------------------------------


def over_all_alignments(logits: torch.Tensor, wanted: list[int]) -> float:
    """Minus the log of the summed probability of every path (columns ** units of them) that says `wanted`."""
    said = logits.double().softmax(-1)
    total = 0.0
    for path in product(range(logits.shape[1]), repeat=len(logits)):
        if [unit for unit, _ in groupby(path) if unit] == wanted:
            total += math.prod(said[column, unit].item() for column, unit in enumerate(path))
    return -math.log(total)


@pytest.mark.parametrize("wanted", [[[1]], [[1, 1]], [[1, 2, 1]], [[2], [1, 2]]])
def test_loss_is_that_over_all_alignments(wanted):
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(len(wanted), 5, 3, generator=draw, dtype=torch.float64).float()
    columns = [5, 3][: len(wanted)]
    by_hand = [over_all_alignments(one[:n], units) / len(units) for one, n, units in zip(logits, columns, wanted)]
    assert loss_of_columns(logits, columns, wanted).item() == pytest.approx(np.mean(by_hand), abs=1e-6)


def test_its_gradient_is_the_slope():
    logits = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    loss_of_columns(logits, [4], [[1, 2]]).backward()
    for column, unit in product(range(4), range(3)):
        ends = []
        for step_ in (-1e-3, 1e-3):
            moved = logits.detach().double().clone()
            moved[0, column, unit] += step_
            ends.append(over_all_alignments(moved[0], [1, 2]) / 2)
        assert logits.grad[0, column, unit].item() == pytest.approx((ends[1] - ends[0]) / 2e-3, abs=1e-4)


def test_padding_has_no_part_in_the_loss():
    logits = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(2))
    changed = logits.clone()
    changed[1, 3:] = 99.0
    assert loss_of_columns(logits, [6, 3], [[1], [2]]) == loss_of_columns(changed, [6, 3], [[1], [2]])


# --- order ------------------------------------------------------------------------------------------------------------


def test_batches_of_an_epoch_hold_every_clip_once_and_clips_of_like_length():
    lengths = np.random.default_rng(0).integers(10, 400, size=203)
    batches = sorted_order(lengths, 8, seed=3, epoch=1)
    assert sorted(np.concatenate(batches).tolist()) == list(range(203))
    assert {len(one) for one in batches} <= {7, 8}
    padded = sum(len(one) * lengths[one].max() for one in batches) / lengths.sum()
    whole = np.split(np.random.default_rng(1).permutation(203)[:200], 25)
    assert padded < 1.3 < sum(len(one) * lengths[one].max() for one in whole) / lengths[np.concatenate(whole)].sum()
    again, other = sorted_order(lengths, 8, seed=3, epoch=1), sorted_order(lengths, 8, seed=3, epoch=2)
    assert [one.tolist() for one in again] == [one.tolist() for one in batches] != [one.tolist() for one in other]


# --- two words --------------------------------------------------------------------------------------------------------

HERTZ = {"low": 400.0, "high": 2500.0}
RECIPE = Recipe(
    epochs=6, batch_size=8, base_lr=2e-3, betas=(0.9, 0.98), weight_decay=0.05, layer_decay=1.0, drop_path=0.0,
    warmup_epochs=0.6,
)  # fmt: skip


def record(folder: Path, settings, **results) -> Path:
    write_json(folder / RECORD, {"settings": settings.model_dump(mode="json"), "results": results})
    return folder


@pytest.fixture(scope="module")
def audio(tmp_path_factory) -> Path:
    """200 strings of two to four of two made words, tones of 0.15 s in faint noise with pauses; 40 are for tests."""
    folder, draw = tmp_path_factory.mktemp("audio"), np.random.default_rng(0)

    def rows():
        for i in range(200):
            said = draw.choice(list(HERTZ), size=int(draw.integers(2, 5)))
            parts = []
            for word in said:
                time = np.arange(2400) / 16000
                parts += [np.zeros(int(draw.integers(800, 1600))), np.sin(2 * np.pi * HERTZ[word] * time)]
            wave = np.concatenate([*parts, np.zeros(800)])
            wave = 0.1 * wave + 0.003 * draw.standard_normal(len(wave))
            about = {"clip": f"c{i:03}", "speaker": f"s{i // 5 % 5}", "split": "test" if i % 5 == 0 else "train"}
            yield about | {"recording": f"r{i}", "transcript": " ".join(said)}, wave.astype(np.float32)

    write_store(folder, rows())
    user = UserFolder(folder="f", csv="c", task="transcription", classes=(), frames=128)
    return record(folder, AudioSettings(dataset="tones", user=user))


def job(out: Path, audio: Path, **more) -> Job[RecogniseSettings]:
    own = RecogniseSettings(recogniser="strips-tiny", dataset="tones", **{"recipe": RECIPE, **more.pop("own", {})})
    out.mkdir(parents=True, exist_ok=True)
    return Job("recognise", "a", "k", own, {"audio": audio, **more.pop("inputs", {})}, out, out / "resume", **more)


@pytest.fixture(scope="module")
def base(tmp_path_factory, audio) -> Path:
    out = tmp_path_factory.mktemp("base")
    own = job(out, audio)
    return record(out, own.settings, **step.recognise(own))


def heard(cell: Path, audio: Path, out: Path, validation: Path | None = None, **own) -> tuple[dict, pd.DataFrame]:
    settings = TranscribeSettings(recogniser="strips-tiny", dataset="tones", **own)
    out.mkdir(parents=True, exist_ok=True)
    inputs = {"audio": audio, "recognise": cell} | ({"validation": validation} if validation else {})
    made = hearing.transcribe(Job("transcribe", "a", "k", settings, inputs, out, out / "r"))
    return made, pd.read_parquet(out / "transcripts.parquet")


def test_two_words_are_learnt(tmp_path, base, audio):
    """Unpruned, on clips that it never met: less than one word of twenty is wrong."""
    results, frame = heard(base, audio, tmp_path)
    assert results["wer"] < 0.05
    assert results["clips"] == len(frame) == 40
    words = [one.split() for one in WaveformStore.open(audio).clips.query("split == 'test'")["transcript"]]
    assert results["words"] == sum(map(len, words))
    first = frame.iloc[0]
    assert first["sound"] == first["kept"] == len(first["columns"]) == first["tokens"][0]
    assert first["units"] == len(first["text"].split())
    assert (frame["half"].sum(), frame["decoder_macs"].sum(), frame["runaway"].sum()) == (24, 0, 0)


def test_the_same_bits_a_second_time_and_after_a_stop(tmp_path, base, audio, monkeypatch):
    """Stopped after some steps of the second epoch, and gone on from the resume point."""
    steps = {"n": 0}
    due = ResumePoint.due

    class Stopped(Exception):
        pass

    save = ResumePoint.save

    def stop(self, state):
        save(self, state)
        steps["n"] += 1
        if steps["n"] == 25:
            raise Stopped

    monkeypatch.setattr(ResumePoint, "save", stop)
    monkeypatch.setattr(ResumePoint, "due", lambda self: True)
    with pytest.raises(Stopped):
        step.recognise(job(tmp_path / "again", audio))
    monkeypatch.setattr(ResumePoint, "save", save)
    monkeypatch.setattr(ResumePoint, "due", due)
    step.recognise(job(tmp_path / "again", audio))
    for name in ("last", "best_val"):
        first, second = ((folder / f"{name}.safetensors").read_bytes() for folder in (base, tmp_path / "again"))
        assert first == second


@pytest.mark.parametrize("budget", ["fixed", "threshold"])
def test_at_keep_rate_1_it_is_the_unpruned_recogniser(tmp_path, base, audio, budget):
    whole = heard(base, audio, tmp_path / "whole")[1]
    same = heard(base, audio, tmp_path / "same", policy="topk", keep_rate=1.0, budget=budget)[1]
    pd.testing.assert_frame_equal(whole, same)


def test_it_is_adapted_to_a_policy(tmp_path, base, audio):
    """From the base's own weights and units; what it keeps is counted, and its cost follows from that."""
    pruning = {"policy": "topk", "keep_rate": 0.5, "blocks": (3, 6, 9)}
    recipe = RECIPE.model_copy(update={"epochs": 1, "base_lr": 1e-3, "warmup_epochs": 0.1})
    own = job(tmp_path / "adapted", audio, own={**pruning, "recipe": recipe}, inputs={"recognise": base})
    results = step.recognise(own)
    assert results["units"] == ["-", "high", "low"]
    assert results["clips"] == {"train": 152, "val": 8}
    cell = record(tmp_path / "adapted", own.settings, **results)
    before, after = (
        heard(one, audio, tmp_path / name, **pruning, restore="nearest") for one, name in ((base, "b"), (cell, "a"))
    )
    assert after[0]["wer"] < before[0]["wer"]
    for _, clip in after[1].iterrows():
        n = clip["sound"]
        first, second, third = math.ceil(n / 2), math.ceil(math.ceil(n / 2) / 2), clip["kept"]
        assert clip["tokens"].tolist() == [n] * 4 + [first] * 3 + [second] * 3 + [math.ceil(second / 2)] * 3
        assert len(clip["survivors"]) == third
        assert [len(one) for one in clip["stages"]] == [first, second, third]


@pytest.mark.parametrize("policy", ["topk", "intensity", "adjacent", "blank"])
def test_thresholds_keep_as_many_of_the_validation_clips_as_the_share_does(tmp_path, base, audio, policy, monkeypatch):
    """Counted by what the thresholds leave of these clips: as many as the fixed share, and one more for each clip
    of which only the best token stays though it does not reach the threshold.
    """
    from audioprune.recognisers._ctc import Listening

    said: list[tuple[int, int]] = []
    calibrate = Listening.calibrate

    def counted(self, waves):
        rows = calibrate(self, waves)
        made = self.model([self.model.read(wave) for wave in waves])
        left = [[len(stages[i]) for stages in made.stages] for i in range(3)]
        said.extend((sum(one), one.count(1)) for one in left)
        return rows

    monkeypatch.setattr(Listening, "calibrate", counted)
    pruning = {"policy": policy, "keep_rate": 0.7, "blocks": (3, 6, 9), "budget": "threshold"}
    results, frame = heard(base, audio, tmp_path, **pruning)
    assert [row["block"] for row in results["thresholds"]] == [3, 6, 9]
    for (left, single), row in zip(said, results["thresholds"], strict=True):
        assert row["target"] <= left <= row["target"] + single
    shares = frame["kept"] / frame["sound"]
    assert shares.nunique() > 5
    assert results["budget"]["achieved"] == pytest.approx(frame["kept"].sum() / frame["sound"].sum())
    assert results["budget"]["matched"] == (abs(results["budget"]["achieved"] - results["budget"]["target"]) <= 0.01)


def test_thresholds_for_another_test_set_are_those_of_the_validation_clips(tmp_path, base, audio):
    """A test set without validation clips: its own five clips, and the thresholds set on the clips of `audio`."""
    store = WaveformStore.open(audio)
    five = store.clips[store.clips["split"] == "test"].head(5)
    named = five[["clip", "speaker", "split", "recording", "transcript"]].to_dict("records")
    write_store(tmp_path / "five", zip(named, map(store.waveform, five.index)))
    user = UserFolder(folder="f", csv="c", task="transcription", classes=(), frames=128)
    other = record(tmp_path / "five", AudioSettings(dataset="five", user=user))
    arm = {"policy": "topk", "keep_rate": 0.7, "blocks": (3, 6, 9), "budget": "threshold"}
    with pytest.raises(UserError, match="no train clips"):
        heard(base, other, tmp_path / "none", **arm)
    wanted, every = heard(base, audio, tmp_path / "all", **arm)
    found, own = heard(base, other, tmp_path / "own", validation=audio, **arm)
    assert found["thresholds"] == wanted["thresholds"]
    pd.testing.assert_frame_equal(own, every[every["clip"].isin(own["clip"])].reset_index(drop=True))


# --- what was published -----------------------------------------------------------------------------------------------


def test_an_official_checkpoint_is_brought_into_form(tmp_path, audio, monkeypatch):
    """No recipe: its weights but for three rows, its letters, and an auxiliary head of no training."""
    from audioprune.facts.recogniser import Ctc

    monkeypatch.setitem(CTC, "wav2vec2-b", Ctc("wav2vec2-b", "wav2vec2", 32, 4, 4, True, official=True))
    torch.save(official_weights(32), tmp_path / "w.pth")
    monkeypatch.setattr(step, "checkpoint_file", lambda cell: tmp_path / "w.pth")
    (tmp_path / "cell").mkdir()
    own = RecogniseSettings(recogniser="wav2vec2-b", dataset="tones", units="chars")
    inputs = {"audio": audio, "checkpoint": tmp_path}
    results = step.recognise(Job("recognise", "a", "k", own, inputs, tmp_path / "cell", tmp_path / "r"))
    assert results["units"] == list(OFFICIAL)
    assert results["unknown_test_words"] == sum(
        len(one.split()) for one in WaveformStore.open(audio).clips.query("split == 'test'")["transcript"]
    )  # small letters
    cell = record(tmp_path / "cell", own, **results)
    settings = TranscribeSettings(recogniser="wav2vec2-b", dataset="tones", policy="stride", keep_rate=0.5, blocks=(2,))
    (tmp_path / "out").mkdir()
    made = hearing.transcribe(
        Job("transcribe", "a", "k", settings, {"audio": audio, "recognise": cell}, tmp_path / "out", tmp_path / "r")
    )
    assert made["clips"] == 40


def test_what_was_published_needs_test_clips_alone_and_what_learns_needs_others(tmp_path, monkeypatch):
    from audioprune.facts.recogniser import Ctc

    monkeypatch.setitem(CTC, "wav2vec2-b", Ctc("wav2vec2-b", "wav2vec2", 32, 4, 4, True, official=True))
    torch.save(official_weights(32), tmp_path / "w.pth")
    monkeypatch.setattr(step, "checkpoint_file", lambda cell: tmp_path / "w.pth")
    rows = [({"clip": "c", "split": "test", "transcript": "HE BEGAN"}, 0.1 * np.ones(8000, dtype=np.float32))]
    write_store(tmp_path / "audio", rows)
    audio = record(tmp_path / "audio", AudioSettings(dataset="librispeech-clean"))
    inputs = {"audio": audio, "checkpoint": tmp_path}
    own = RecogniseSettings(recogniser="wav2vec2-b", dataset="librispeech-clean", units="chars")
    (tmp_path / "cell").mkdir()
    results = step.recognise(Job("recognise", "a", "k", own, inputs, tmp_path / "cell", tmp_path / "r"))
    assert results["unknown_test_words"] == 0
    with pytest.raises(
        UserError, match="librispeech-clean has no training clips, and wav2vec2-b is to learn from them"
    ):
        learns = own.model_copy(update={"recipe": RECIPE})
        step.recognise(Job("recognise", "a", "k", learns, inputs, tmp_path / "cell", tmp_path / "r"))


def test_what_has_neither_recipe_nor_checkpoint_is_refused(tmp_path, audio):
    with pytest.raises(UserError, match="no recipe, and strips-tiny has no official checkpoint"):
        step.recognise(job(tmp_path, audio, own={"recipe": None}))


def test_a_clip_without_a_column_is_named(tmp_path):
    from audioprune.recognisers._ctc import transcribed

    own = TranscribeSettings(recogniser="wav2vec2-b", dataset="tones")
    with pytest.raises(UserError, match="c7 has 399 samples, of which wav2vec2-b makes no column"):
        transcribed(small("wav2vec2"), "c7", torch.zeros(399), LETTERS, own)


def test_clips_are_read_once_as_far_as_memory_allows(audio, monkeypatch):
    model, store = small(), WaveformStore.open(audio)
    read, calls = model.read, []
    monkeypatch.setattr(Listener, "read", None)
    object.__setattr__(model, "read", lambda wave: calls.append(len(wave)) or read(wave))
    clips = Clips(model, store, torch.device("cpu"))
    first = clips(3)
    assert torch.equal(first, clips(3))
    assert len(calls) == 1
    monkeypatch.setattr("audioprune.training.ctc.HELD", 0)
    other = Clips(model, store, torch.device("cpu"))
    assert torch.equal(other(3), other(3))
    assert len(calls) == 3


def test_cells_know_whether_they_need_a_gpu():
    from audioprune.planning.jobs import small as runs_here

    for name, here in (("strips-tiny", True), ("wav2vec2-b", False)):
        assert runs_here(Cell("recognise", "a", RecogniseSettings(recogniser=name, dataset="a"))) == here
