"""TopK by attention: which score is asked for, and that the highest stay."""

import pytest
import torch

from audioprune.facts.tokens import Tokens
from audioprune.models.build import build_model
from audioprune.models.pruner import View
from audioprune.models.trace import trace
from audioprune.pruning import topk


def view(score: list[float], count: int) -> View:
    n = len(score)
    return View(3, count, 1, torch.arange(-1, n)[None], torch.zeros(1, n, 4), torch.tensor([score]))


@pytest.mark.parametrize("default", ["global", "cls"])
def test_default_score_is_the_backbones(default):
    tokens = Tokens(1, "time", 4, 8, default)
    assert topk.build(tokens).attention == default
    assert topk.build(tokens, score="global_literal").attention == "global_literal"


def test_highest_stay_by_descending_score():
    pruner = topk.build(Tokens(1, "time", 1, 5, "global"))
    assert pruner(view([0.1, 0.4, 0.2, 0.4, 0.3], 3)).tolist() == [[1, 3, 4]]


def test_scores_lead_to_different_selections():
    x = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(0))
    seen = {}
    for score in ("global", "global_literal", "cls"):
        model = build_model(
            "audiomae-tiny", frames=128, num_classes=3, method="topk", keep_rate=0.5, options={"score": score}
        )
        seen[score] = trace(model, x).kept[3]
    assert not torch.equal(seen["global"], seen["cls"])
    assert seen["global"].shape == (2, 32)
