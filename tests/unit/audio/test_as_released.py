"""The variant `as_released` against what the released models compute, on padded clips whose ranks tie at the cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import audioprune
from audioprune.audio.patches import patch_mean, patch_std, to_tokens
from audioprune.models.trace import Trace
from tests import REPOSITORY

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"
RECORDED = np.load(PARITY / "as_released.npz")
CASES = sorted({name.partition("/")[0] for name in RECORDED.files})
INPUTS = {  # where their normalised inputs are recorded
    "audiomae_spc2": "audiomae_spc2_kr0.7",
    "audiomae_esc50": "audiomae_esc50_kr0.5",
    "ast_spc2": "ast_spc2_kr0.7",
}
PREFIX = {"audiomae": 1, "ast": 2}
STATISTICS = {"intensity": patch_mean, "variation": patch_std}


def given(case: str) -> torch.Tensor:
    """Normalised log-mel (2, T, 128)."""
    family, dataset, _, _ = case.split("_")
    return torch.from_numpy(np.load(PARITY / f"{INPUTS[f'{family}_{dataset}']}.npz")["fbank"])


def seen(case: str, kernel: str = "fused", variant: str = "as_released") -> Trace:
    family, _, method, rate = case.split("_")
    classes = RECORDED[f"{case}/logits"].shape[1]
    model = audioprune.load_model(
        family,
        PARITY / f"{family}_tiny_official_format.pth",
        PARITY / f"{family}_head{classes}.npz",
        frames=given(case).shape[1],
        num_classes=classes,
        num_heads=4,
        method=method,
        keep_rate=float(rate.removeprefix("kr")),
        kernel=kernel,
        variant=variant,
    )
    return audioprune.trace(model, given(case))


def test_both_families_statistics_and_ties_at_the_cut_are_among_them():
    assert len(CASES) == 5
    for case in CASES:
        family, _, method, _ = case.split("_")
        ranks = to_tokens(STATISTICS[method](given(case)), "freq" if family == "ast" else "time")  # (2, P)
        count = RECORDED[f"{case}/block-3.topk_idx"].shape[1]
        ordered = ranks.sort(dim=1, descending=True).values
        assert (ordered[:, count - 1] == ordered[:, count]).any()


@pytest.mark.parametrize("kernel", ["eager", "fused"])
@pytest.mark.parametrize("case", CASES)
def test_recorded_logits_and_kept_patches(case, kernel):
    found = seen(case, kernel)
    np.testing.assert_allclose(found.logits.numpy(), RECORDED[f"{case}/logits"], rtol=0, atol=1e-5)
    prefix, patches = PREFIX[case.split("_")[0]], found.entering[0].shape[1]
    sequence = np.tile(np.r_[[-1] * prefix, :patches], (2, 1))
    for block in (3, 6, 9):
        sequence = np.take_along_axis(sequence, RECORDED[f"{case}/block-{block}.topk_idx"].astype(int), axis=1)
        assert np.array_equal(found.kept[block].numpy(), sequence)


def test_the_fixed_variant_goes_by_place_where_ranks_tie():
    """The 58 of 64 patches kept of a clip with 32 identical ones: the first 26 of these, in their order."""
    case = "audiomae_spc2_intensity_kr0.9"
    ranks = to_tokens(patch_mean(given(case)), "time")[0]
    padding = (ranks == ranks.min()).nonzero().flatten().tolist()
    kept = seen(case, variant="fixed").kept[3][0].tolist()
    assert (len(padding), len(kept)) == (32, 58)
    assert kept[32:] == padding[:26]
