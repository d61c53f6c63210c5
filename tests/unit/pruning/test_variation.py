"""Ranking by the standard deviation of a patch."""

import torch

from audioprune.facts.tokens import Tokens
from audioprune.models.statistic import patch_std
from audioprune.pruning import variation
from tests.fakes.stages import stages

SPREAD = [3.0, 0.0, 1.0, 2.0]  # by descending spread: 0 3 2 1
PIXELS = torch.tensor([[[m - s, m + s, m, m] for m, s in zip([0, 9, 1, 5], SPREAD, strict=True)]])


def test_unbiased_deviation():
    expected = [(2 * s * s / 3) ** 0.5 for s in SPREAD]  # squares s^2 twice over n - 1 = 3
    assert torch.allclose(patch_std(PIXELS), torch.tensor([expected]))


def test_fixed_and_released():
    tokens = Tokens(1, "time", 4, 1, "global")
    assert stages(variation.build(tokens), PIXELS, 1, 0.5) == [[-1, 0, 3], [-1, 0]]
    # ranked 0 3 2, looked up in [prefix, 0, 1, 2, 3]; then ceil(0.75 (3 - 1)) = 2
    assert stages(variation.build(tokens, variant="as_released"), PIXELS, 1, 0.75) == [[-1, 2, 1], [-1, 2]]
