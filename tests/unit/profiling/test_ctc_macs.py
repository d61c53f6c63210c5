"""MACs of recognisers with a CTC head: integers computed elsewhere, torchprofile's counts, and what they consist of."""

from __future__ import annotations

import pytest
import torch
import torchaudio
from torchprofile import profile_macs

from audioprune.facts.recogniser import CTC, convolved
from audioprune.profiling.ctc_macs import strips, wav2vec2, whole
from audioprune.recognisers._ctc import entering
from tests.fakes.listeners import MERGING, RANKING, STRIPS, WAV2VEC2, prunes, small, waves

TINY, BASE = CTC["strips-tiny"], CTC["wav2vec2-b"]
BLOCKS = (3, 6, 9)


@pytest.mark.parametrize(
    ("columns", "keep_rate", "left", "macs", "static"),
    [
        (96, 1.0, (96, 96, 96), 74_588_160, 0),
        (96, 0.9, (87, 79, 72), 64_696_414, 0),
        (96, 0.7, (68, 48, 34), 48_522_804, 0),
        (96, 0.5, (48, 24, 12), 37_257_000, 0),
        (42, 1.0, (42, 42, 42), 29_039_808, 0),
        (42, 0.9, (38, 35, 32), 25_564_239, 115),
        (42, 0.7, (30, 21, 15), 19_341_249, 93),
        (42, 0.5, (21, 11, 6), 14_991_362, 74),
    ],
)
def test_of_strips(columns, keep_rate, left, macs, static):
    """384 and 166 frames, eleven units; a policy that takes no mean of attention saves that."""
    tokens = entering(columns, keep_rate, BLOCKS if keep_rate < 1 else (), TINY.depth)
    assert tuple(tokens[block + 1] for block in BLOCKS) == left
    scored = BLOCKS if keep_rate < 1 else ()
    assert strips(TINY, 4, 11, tokens, columns=columns, scored=scored) == macs
    if static:
        assert strips(TINY, 4, 11, tokens, columns=columns, scored=()) == macs - static


def test_longer_strips_cost_less():
    shares = [100 * whole(TINY, strip, 384, 11) / whole(TINY, 4, 384, 11) for strip in (8, 12)]
    assert shares == pytest.approx([47.2, 31.8], abs=0.05)


@pytest.mark.parametrize(("samples", "macs"), [(16000, 6_915_069_440), (30480, 13_404_532_224)])
def test_of_wav2vec2(samples, macs):
    """What torchprofile counts on torchaudio's model with 29 outputs, whose attention is fused and scales for nothing.

    The second is half of the 26.843 GFLOPs of a published table, for the length that it is for.
    """
    n = convolved(samples)[-1]
    found = wav2vec2(BASE, samples, 29, [n] * 13, columns=n, scored=())
    assert found - BASE.depth * BASE.heads * n * n == macs


def test_of_ten_seconds_of_wav2vec2():
    """74.14 GMACs, of which a third are in the front end and cannot be pruned away."""
    n = convolved(160000)[-1]
    assert n == 499
    unpruned = wav2vec2(BASE, 160000, 29, [n] * 13, columns=n, scored=())
    assert unpruned / 1e9 == pytest.approx(74.14, abs=0.005)
    remains = [
        100 * wav2vec2(BASE, 160000, 29, entering(n, rate, BLOCKS, 12), columns=n, scored=BLOCKS) / unpruned
        for rate in (0.9, 0.7, 0.5)
    ]
    assert remains == pytest.approx([91.2, 77.2, 67.4], abs=0.05)
    assert 1 - wav2vec2(BASE, 160000, 29, [1] + [0] * 12, columns=n, scored=()) / unpruned == pytest.approx(
        0.634, abs=0.01
    )


def test_torchprofile_counts_as_many_in_torchaudios_wav2vec2():
    theirs = torchaudio.models.wav2vec2_model(
        "group_norm", None, False, 32, 0.0, 128, 16, 4, 4, 0.0, 128, 0.0, 0.0, False, 0.0, 5
    ).eval()
    samples = 16000
    with torch.no_grad():
        counted = profile_macs(theirs, torch.zeros(1, samples))
    n = convolved(samples)[-1]
    own = wav2vec2(WAV2VEC2, samples, 5, [n] * 5, columns=n, scored=())
    assert counted == own - 4 * 4 * n * n


@pytest.mark.parametrize(("policy", "keep_rate"), [*((one, 0.5) for one in RANKING), ("topk", 1.0), ("topk", 0.7)])
def test_torchprofile_counts_as_many_in_strips(policy, keep_rate):
    """Run on the eager kernel. The front end's log-mel is left out on both sides, as in classifiers."""
    model, (wave,) = prunes(small(), policy, keep_rate), waves((24440,))
    model.eager = True
    front = model.front([model.read(wave)])
    pixels = front.clips[0].pixels

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixels):
            from dataclasses import replace

            clip = replace(front.clips[0], pixels=pixels)
            tokens = replace(front, x=self.model.embed(pixels) + positions, clips=(clip,))
            self.model.front = lambda _: tokens
            return self.model([wave]).logits

    positions = (front.x - model.embed(pixels)).detach()
    with torch.no_grad():
        counted = profile_macs(Encoder(), pixels)
    n = pixels.shape[1]
    tokens = entering(n, keep_rate, (1, 2, 3) if keep_rate < 1 else (), STRIPS.depth)
    scored = (1, 2, 3) if policy == "topk" and keep_rate < 1 else ()
    blank = n if policy == "blank" else 0
    assert counted == model.macs(len(wave), n, tokens, scored=scored, blank=blank)


@pytest.mark.parametrize("policy", MERGING)
def test_merging_costs_what_its_tokens_do(policy):
    """What is left out, similarities and means, are less than a fiftieth of this small model."""
    model, (wave,) = prunes(small(), policy), waves((24440,))
    with torch.no_grad():
        made = model([model.read(wave)])
    n = made.columns[0]
    assert made.tokens[0] == entering(n, 0.5, (1, 2, 3), STRIPS.depth)
