"""Encodings decoded together: as each alone, by the library's own decoding; and what it would sample anew."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import whisper

from audioprune.recognisers import whisper_decoding as decoding
from tests.unit.recognisers.test_whisper import D, made

LENGTHS = (50, 21, 34, 50, 3)


@pytest.fixture
def model():
    found = made()
    found.encoder = torch.nn.Identity()
    return found


def encodings(lengths=LENGTHS) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(n, D, generator=generator) for n in lengths]


@torch.no_grad()
def test_a_clip_is_decoded_as_if_alone_whatever_its_length(model, monkeypatch):
    monkeypatch.setattr(decoding, "UNITS", 12)
    options = whisper.DecodingOptions(language="en", without_timestamps=True, fp16=False, sample_len=12)
    alone = [model.decode(one[None], options)[0] for one in encodings()]  # the library, without this project's code
    together = decoding._decoded(model, encodings(), sample_len=12)
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    for one, wanted in zip(together, alone, strict=True):
        assert one.avg_logprob == pytest.approx(wanted.avg_logprob, abs=1e-5)
    assert [one.text for one in decoding.heard(model, encodings())] == [one.text for one in alone]
    assert not any("qkv_attention" in vars(block.cross_attn) for block in model.decoder.blocks)


@torch.no_grad()
def test_logits_of_a_batch_are_those_of_single_clips_and_junk_behind_a_clip_counts_for_nothing(model):
    tokens = torch.randint(0, 50000, (len(LENGTHS), 7), generator=torch.Generator().manual_seed(1))
    ones = encodings()
    padded = torch.stack([torch.cat([one, 99 * torch.ones(50 - len(one), D)]) for one in ones])
    with decoding.attending(model, torch.tensor(LENGTHS)):
        together = model.decoder(tokens, padded)
    for i, one in enumerate(ones):
        torch.testing.assert_close(together[i], model.decoder(tokens[i : i + 1], one[None])[0], atol=1e-4, rtol=1e-5)


@torch.no_grad()
def test_equal_lengths_are_decoded_by_the_untouched_library(model):
    with decoding.attending(model, torch.tensor([4, 4])):
        assert not any("qkv_attention" in vars(block.cross_attn) for block in model.decoder.blocks)


def result(units: int, ratio: float = 1.0, logprob: float = -0.2, silent: float = 0.0, text: str = "a"):
    return SimpleNamespace(
        tokens=[0] * units, compression_ratio=ratio, avg_logprob=logprob, no_speech_prob=silent, text=text
    )


def test_every_clip_is_decoded_once_and_again_only_where_it_had_not_ended(monkeypatch):
    """T29: groups of four; clips 2 and 9 run on."""
    asked = []

    def decoded(model, group, *, sample_len):
        asked.append((sample_len, [int(one[0]) for one in group]))
        return [result(min(sample_len, 224 if int(one[0]) in (2, 9) else int(one[0]))) for one in group]

    monkeypatch.setattr(decoding, "_decoded", decoded)
    monkeypatch.setattr(decoding, "TOGETHER", 4)
    found = decoding.heard(None, [torch.tensor([i]) for i in range(10)])
    assert asked == [(32, [0, 1, 2, 3]), (32, [4, 5, 6, 7]), (32, [8, 9]), (224, [2, 9])]
    assert [one.units for one in found] == [225 if i in (2, 9) else i + 1 for i in range(10)]
    assert [one.runaway for one in found] == [i in (2, 9) for i in range(10)]


@pytest.mark.parametrize(
    ("tries", "text", "runaway"),
    [
        ([result(5)], "a", False),
        ([result(5, ratio=2.5), result(5, text="b")], "b", False),
        ([result(5, logprob=-1.1), result(224, ratio=3.0), result(6, text="c")], "c", False),
        ([result(5, logprob=-1.1, silent=0.7)], "", False),  # silence, says the library: nothing was said
        ([result(5, ratio=2.5, silent=0.7), result(5, text="b", silent=0.7)], "b", False),  # likely: no silence
        ([result(224, ratio=3.0, text="d")] * 6, "d", True),
    ],
)
def test_what_the_library_would_distrust_is_sampled_at_its_temperatures(monkeypatch, tries, text, runaway):
    """By the rules of the library: compression ratio above 2.4, mean log-probability below -1, silence."""
    temperatures, waiting = [], list(tries)

    def decoded(model, group, **options):
        if "temperature" in options:
            temperatures.append(options["temperature"])
        else:
            return [tries[0]]
        return [waiting.pop(0)]

    waiting.pop(0)
    monkeypatch.setattr(decoding, "_decoded", decoded)
    (found,) = decoding.heard(None, [torch.ones(2, 2)], fallback=True)
    assert temperatures == [0.2, 0.4, 0.6, 0.8, 1.0][: len(tries) - 1]
    assert (found.text, found.runaway) == (text, runaway)
    assert found.decoded == tuple(len(one.tokens) + 1 for one in tries)


@torch.no_grad()
def test_sampling_depends_on_the_clip_alone(model, monkeypatch):
    monkeypatch.setattr(decoding, "UNITS", 8)
    monkeypatch.setattr(decoding, "trusted", lambda result: result.temperature == 1.0)
    ones = encodings()
    together = decoding.heard(model, ones, fallback=True)
    torch.manual_seed(9)
    for clip in (3, 1):
        (alone,) = decoding.heard(model, [ones[clip]], fallback=True)
        assert alone == together[clip]
    assert len(together[0].decoded) == 6
