"""`audioprune macs --recogniser`: reference values that were worked out by hand, and messages for what cannot be."""

from __future__ import annotations

import json

import pytest

from audioprune.cli.main import main
from audioprune.facts.recogniser import CTC, RECOGNISERS
from audioprune.profiling import ctc_macs, speech_macs, whisper_macs


def run(capsys, *words: str) -> str:
    assert main(["macs", "--recogniser", *words]) == 0
    return capsys.readouterr().out


def counted(capsys, *words: str) -> dict:
    return json.loads(run(capsys, *words, "--json"))


TINY = ("strips-tiny", "--seconds", "3.84", "--outputs", "11")


@pytest.mark.parametrize(
    ("rate", "macs"), [("1", 74_588_160), ("0.9", 64_696_414), ("0.7", 48_522_804), ("0.5", 37_257_000)]
)
def test_strips_of_a_string_of_digits(capsys, rate, macs):
    """96 strips of 4 frames; kept 87, 79, 72; 68, 48, 34; 48, 24, 12."""
    found = counted(capsys, *TINY, "--keep-rate", rate)
    assert (found["total"], found["unpruned"]["total"]) == (macs, 74_588_160)


def test_coarser_strips_cost_less(capsys):
    whole, coarse = (counted(capsys, *TINY, "--strip", strip)["total"] for strip in ("4", "8"))
    assert round(100 * coarse / whole, 1) == 47.2


@pytest.mark.parametrize(("rate", "remaining"), [("0.9", 91.2), ("0.7", 77.2), ("0.5", 67.4)])
def test_a_third_of_wav2vec2_cannot_be_pruned_away(capsys, rate, remaining):
    """499 columns of 10 s; 24.5 G of convolutions, 2.6 G of projection and positions."""
    found = counted(capsys, "wav2vec2-b", "--seconds", "10", "--keep-rate", rate)
    assert round(found["unpruned"]["gmacs"], 2) == 74.14
    assert round(found["pct_remaining"], 1) == remaining
    assert round(found["items"]["front"] / 1e9, 1) == 27.1
    assert found["per_block"][0]["tokens_in"] == 499


@pytest.mark.parametrize(
    ("name", "gmacs"), [("whisper-tiny-en", (21.28, 14.51, 11.81)), ("whisper-small-en", (198.7, 120.4, 90.3))]
)
def test_whispers_on_a_padded_window(capsys, name, gmacs):
    own = (name, "--seconds", "7.42")
    found = [counted(capsys, *own, "--keep-rate", rate)["gmacs"] for rate in ("1", "0.7", "0.5")]
    assert [round(one, 2 if one < 50 else 1) for one in found] == list(gmacs)


def test_within_the_sound_all_padding_stays(capsys):
    """10 s are 500 of 1500 tokens; at block 2, 250 of them go."""
    found = counted(
        capsys, "whisper-base", "--seconds", "10", "--keep-rate", "0.5", "--blocks", "2", "--within", "sound"
    )
    assert [row["tokens_out"] for row in found["per_block"]] == [1500, 1500, 1250, 1250, 1250, 1250]


def test_items_are_those_of_the_closed_forms():
    facts = RECOGNISERS["whisper-base"]
    ours = speech_macs.count("whisper-base", seconds=5, policy="topk", keep_rate=0.5, blocks=(2,), units=7)
    tokens = [1500] * 3 + [750] * 4
    assert ours.total == whisper_macs.encoder(facts, tokens, scored=(2,)) + whisper_macs.decoder(facts, 750, 7)
    assert ours.items["front"] == 3 * 80 * 512 * 3000 + 3 * 512 * 512 * 1500
    tiny = speech_macs.count("strips-tiny", seconds=3.84, policy="blank", keep_rate=0.5, blocks=(3, 6, 9), outputs=11)
    tokens = [96] * 4 + [48] * 3 + [24] * 3 + [12] * 3
    form = ctc_macs.strips(CTC["strips-tiny"], 4, 11, tokens, columns=96, scored=(), blank=96)
    assert tiny.total == form
    assert tiny.items["front"] == 128 * 4 * 96 * 64


def test_the_text_says_what_was_counted(capsys):
    lines = run(capsys, "whisper-base", "--seconds", "10", "--policy", "topk", "--keep-rate", "0.5").splitlines()
    assert lines[:2] == [
        "whisper-base on 10 s of speech",
        "topk, keep-rate 0.5 after blocks 1, 3, 4 (counted from 0)",
    ]
    assert "tokens: 1500 -> 750 -> 375 -> 188" in lines
    assert next(line for line in lines if line.startswith("total")).split()[1] == "22,801,597,241"
    assert lines[-1] == "remaining: 45.37 % of the unpruned model's MACs; reduction: 54.63 %"


BASE = ("--recogniser", "whisper-base", "--seconds", "10")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--recogniser", "whisper-bass", "--seconds", "10"), "did you mean 'whisper-base'"),
        (("--recogniser", "whisper-base"), "give --seconds"),
        (("--recogniser", "whisper-base", "--seconds", "31"), "a window of whisper-base is 30 s"),
        (("--recogniser", "whisper-base", "--seconds", "nan"), "--seconds nan is no length"),
        (("--recogniser", "wav2vec2-b", "--seconds", "0.02"), "--seconds 0.02 is no length of at least 0.025"),
        ((*BASE, "--policy", "topkk"), "did you mean 'topk'"),
        ((*BASE, "--policy", "blank", "--keep-rate", "0.5"), "no policy of whisper-base named 'blank'"),
        ((*BASE, "--policy", "topk"), "takes no token away at keep-rate 1"),
        ((*BASE, "--keep-rate", "0"), "keep_rate=0.0 is not in (0, 1]"),
        ((*BASE, "--blocks", "6"), "blocks=(6,) must be different, rising numbers"),
        ((*BASE, "--strip", "4"), "--strip says nothing of whisper-base"),
        ((*BASE, "--units", "0"), "--units 0 is not a positive whole number"),
        ((*BASE, "--dataset", "esc50"), "--dataset is about a classifier"),
        ((*BASE, "--option", "score=cls"), "--option is about a classifier"),
        (
            ("--recogniser", "strips-tiny", "--seconds", "3", "--within", "sound"),
            "--within says nothing of strips-tiny",
        ),
        (("--backbone", "ast-b", "--dataset", "esc50", "--seconds", "3"), "--seconds is about a recogniser"),
    ],
)
def test_errors_are_one_line(capsys, words, message):
    assert main(["macs", *words]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
