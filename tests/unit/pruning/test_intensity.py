"""Ranking by the mean of a patch: the corrected selection, and the released one by hand."""

import pytest
import torch

from audioprune.facts.tokens import Tokens
from audioprune.models.build import build_model
from audioprune.models.statistic import patch_mean
from audioprune.pruning import intensity
from tests.fakes.stages import stages

# patch:     0    1    2    3    4    5      by descending mean: 3 0 5 2 4 1
MEANS = [[4.0, 0.0, 2.0, 5.0, 1.0, 3.0]]
PIXELS = torch.tensor(MEANS)[..., None] + torch.tensor([-1.0, 1.0, 0.5, -0.5])


def pruner(prefix: int, variant: str):
    return intensity.build(Tokens(prefix, "time", 6, 1, "global"), variant=variant)


def test_mean():
    assert patch_mean(PIXELS).tolist() == MEANS


@pytest.mark.parametrize("prefix", [1, 2])
def test_fixed_keeps_the_loudest_patches_and_the_prefix_tokens(prefix):
    found = stages(pruner(prefix, "fixed"), PIXELS, prefix, 0.5)
    assert found == [[-1] * prefix + [3, 0, 5], [-1] * prefix + [3, 0]]  # ceil(3), ceil(1.5)


def test_released_gather_with_one_extra_token():
    # ranked 3 0 5 2; looked up in [prefix, 0, 1, 2, 3, 4, 5]: patch 2, the prefix token, patch 4, patch 1
    # then ceil(0.6 (4 - 1)) = 2: the first two of the sequence
    assert stages(pruner(1, "as_released"), PIXELS, 1, 0.6) == [[2, -1, 4, 1], [2, -1]]


def test_released_gather_with_two_prefix_tokens():
    # ranked 3 0 5 2; looked up in [prefix, prefix, 0, 1, 2, 3, 4, 5]; then ceil(0.6 (4 - 2)) = 2
    assert stages(pruner(2, "as_released"), PIXELS, 2, 0.6) == [[1, -1, 3, 0], [1, -1]]


def test_ties_keep_the_first_patches():
    assert stages(pruner(1, "fixed"), torch.zeros(1, 6, 4), 1, 0.5) == [[-1, 0, 1, 2], [-1, 0, 1]]


@pytest.mark.parametrize(("backbone", "prefix"), [("audiomae-tiny", 1), ("ast-tiny", 2)])
def test_released_model_pools_as_if_the_prefix_tokens_were_there(backbone, prefix):
    x = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(0))
    options = {"variant": "as_released"}
    model = build_model(
        backbone, frames=128, num_classes=3, method="intensity", options=options, keep_rate=0.7, seed=1
    ).eval()
    left = model.encode(x)
    assert left.shape == (2, 21, 64)  # 45, 31, 21: no prefix token any more
    if prefix == 1:
        pooled = model.fc_norm(left[:, 1:].mean(1))
        expected = model.head(pooled)
    else:
        expected = model.mlp_head((model.v.norm(left)[:, 0] + model.v.norm(left)[:, 1]) / 2)
    assert torch.allclose(model(x), expected, atol=1e-6)
    fixed = build_model(backbone, frames=128, num_classes=3, method="intensity", keep_rate=0.7, seed=1).eval()
    assert not torch.allclose(model.encode(x)[:, 0], fixed.encode(x)[:, 0], atol=1e-3)


def test_the_statistic_is_of_the_models_own_patches():
    """Bright patches of a clip stay, whichever way the model numbers them."""
    bright = [(1, 2), (5, 7), (0, 0), (6, 3)]  # (time, frequency)
    x = torch.randn(1, 128, 128, generator=torch.Generator().manual_seed(0)) * 0.01
    for t, f in bright:
        x[0, 16 * t : 16 * t + 16, 16 * f : 16 * f + 16] += 3
    for backbone, number in (("audiomae-tiny", lambda t, f: 8 * t + f), ("ast-tiny", lambda t, f: 8 * f + t)):
        model = build_model(backbone, frames=128, num_classes=3, method="intensity", keep_rate=0.0625, blocks=(3,))
        kept = []
        model.pruning.pruner.register_forward_hook(lambda _, inputs, keep, kept=kept: kept.append(keep))
        model.eval()(x)
        assert set(kept[0][0].tolist()) == {number(t, f) for t, f in bright}
