"""MACs of a Whisper against what torchprofile counts, and against figures computed elsewhere."""

from __future__ import annotations

import pytest
import torch
from torchprofile import profile_macs
from whisper.model import AudioEncoder, disable_sdpa

from audioprune.facts.recogniser import RECOGNISERS, Recogniser
from audioprune.facts.tokens import keep_count
from audioprune.profiling.whisper_macs import decoder, encoder

TINY, SMALL = RECOGNISERS["whisper-tiny-en"], RECOGNISERS["whisper-small-en"]


def tokens(size: Recogniser, first: int, keep_rate: float, blocks: tuple[int, ...]) -> list[int]:
    found = [first]
    for block in range(size.depth):
        found.append(keep_count(keep_rate, found[-1]) if block in blocks else found[-1])
    return found


@pytest.mark.parametrize(
    ("size", "blocks", "first", "keep_rate", "gmacs"),
    [
        (TINY, (1, 2, 3), 1500, 1.0, 21.28),
        (TINY, (1, 2, 3), 1500, 0.7, 14.51),
        (TINY, (1, 2, 3), 1500, 0.5, 11.81),
        (TINY, (1, 2, 3), 371, 1.0, 4.605),
        (TINY, (1, 2, 3), 371, 0.7, 3.34),
        (TINY, (1, 2, 3), 371, 0.5, 2.81),
        (SMALL, (3, 6, 9), 1500, 1.0, 198.68),
        (SMALL, (3, 6, 9), 1500, 0.7, 120.37),
        (SMALL, (3, 6, 9), 1500, 0.5, 90.30),
        (SMALL, (3, 6, 9), 371, 0.5, 22.29),
    ],
)
def test_of_a_clip_of_seven_seconds_and_thirty_units(size, blocks, first, keep_rate, gmacs):
    """tiny.en and small.en on the mean clip of LibriSpeech test-clean, 7.42 s, padded to 30 s and not."""
    left = tokens(size, first, keep_rate, blocks if keep_rate < 1 else ())
    found = encoder(size, left, scored=blocks if keep_rate < 1 else ()) + decoder(size, left[-1], 30)
    assert found / 1e9 == pytest.approx(gmacs, abs=0.005)


def test_the_unpruned_encoder_is_what_torchprofile_counts():
    """Its attention scales queries and keys, 2 n D, where the closed form scales the map, H n n: that is exchanged."""
    size, n = Recogniser("small", 64, 4, 2, False, True), 50
    model = AudioEncoder(80, n, 64, 4, 2).eval()
    with disable_sdpa(), torch.no_grad():
        counted = profile_macs(model, torch.zeros(1, 80, 2 * n))
    own = encoder(size, [n] * 3)
    assert counted == own - size.depth * (size.heads * n * n - 2 * n * size.width)
