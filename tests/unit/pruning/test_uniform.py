"""The uniform grid: even over time and frequency at every stage, for both token orders."""

import pytest
import torch

from audioprune.audio.patches import token_order
from audioprune.facts.tokens import Tokens
from audioprune.models.build import make_pruner
from audioprune.models.dithering import bayer
from audioprune.models.pruner import View


def kept(orientation: str, time: int, count: int) -> torch.Tensor:
    """(time, 8) true where a patch stays."""
    patches = time * 8
    patch_ids = torch.arange(-1, patches)[None]
    pruner = make_pruner("uniform", Tokens(1, orientation, time, 8, "global"), {})
    keep = pruner(View(3, count, 1, patch_ids, torch.zeros(1, patches, 4), None))
    mask = torch.zeros(time, 8, dtype=torch.bool)
    place = token_order(orientation, time, 8)[keep[0]]
    mask[place[:, 0], place[:, 1]] = True
    return mask


def test_thresholds_are_a_bayer_matrix():
    matrix = [[bayer(t, f) for f in range(8)] for t in range(8)]
    assert sorted(value for row in matrix for value in row) == list(range(64))
    assert (matrix[0][0], matrix[4][4], matrix[4][0], matrix[0][4]) == (0, 1, 2, 3)


@pytest.mark.parametrize("orientation", ["time", "freq"])
@pytest.mark.parametrize("time", [4, 8, 32])
def test_half_is_a_chessboard_and_a_quarter_a_grid(orientation, time):
    t, f = torch.meshgrid(torch.arange(time), torch.arange(8), indexing="ij")
    assert torch.equal(kept(orientation, time, time * 4), (t + f) % 2 == 0)
    assert torch.equal(kept(orientation, time, time * 2), (t % 2 == 0) & (f % 2 == 0))


@pytest.mark.parametrize("count", [45, 32, 23, 16, 8])
def test_every_quarter_of_the_picture_keeps_its_share(count):
    mask = kept("time", 8, count).view(2, 4, 2, 4)
    shares = mask.sum((1, 3))
    assert shares.sum() == count
    assert shares.max() - shares.min() <= 1


def test_orders_agree_and_later_stages_thin_the_same_grid():
    assert torch.equal(kept("time", 32, 180), kept("freq", 32, 180))
    assert (kept("time", 32, 89) <= kept("time", 32, 126)).all()
