"""trace: by hooks, on an untouched model."""

import pytest
import torch

import audioprune
from audioprune.errors import UserError
from audioprune.models.build import build_model


def model_of(backbone="audiomae-tiny", **settings):
    return build_model(backbone, **{"frames": 128, "num_classes": 3, "method": "topk", "keep_rate": 0.5} | settings)


X = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(0))


def hooks(model) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_shapes_and_numbering():
    seen = audioprune.trace(model_of(), X)
    n = [64] * 4 + [32] * 3 + [16] * 3 + [8] * 2
    for kind in ("global", "cls"):
        assert [tuple(seen.scores[kind][i].shape) for i in range(12)] == [(2, k) for k in n]
    assert [tuple(seen.entering[i].shape) for i in range(12)] == [(2, k) for k in n]
    assert {block: tuple(kept.shape) for block, kept in seen.kept.items()} == {3: (2, 32), 6: (2, 16), 9: (2, 8)}
    for block in (3, 6, 9):
        assert torch.equal(seen.kept[block], seen.entering[block + 1])
    assert all(norm.shape == (2,) and (norm > 0).all() for norm in seen.norms.values())


def test_kept_are_the_highest_scores_of_the_block():
    for backbone, kind in (("audiomae-tiny", "global"), ("ast-tiny", "cls")):
        seen = audioprune.trace(model_of(backbone), X)
        for block, kept in seen.kept.items():
            order = seen.scores[kind][block].argsort(dim=1, descending=True, stable=True)[:, : kept.shape[1]]
            assert torch.equal(kept, seen.entering[block].gather(1, order))


def test_norms_by_hand():
    model = model_of(keep_rate=1.0).eval()
    inputs, branches = [], []
    model.blocks[5].register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    model.blocks[5].attn.register_forward_hook(lambda _, given, out: branches.append(out[0]))
    seen = audioprune.trace(model, X)
    ratio = inputs[0].square().sum(2).sqrt() / branches[0].square().sum(2).sqrt()  # (2, 65)
    assert torch.allclose(seen.norms[5], ratio.mean(1))


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training):
    model = model_of(drop_path=0.5).train(training)
    seen = audioprune.trace(model, X)
    assert model.training is training
    assert hooks(model) == 0
    assert torch.equal(seen.logits, model.eval()(X))
    assert not seen.logits.requires_grad


def test_hooks_go_even_after_an_error():
    model = model_of()
    with pytest.raises(UserError, match="this model takes"):
        audioprune.trace(model, X[:, :64])
    assert hooks(model) == 0


def test_kept_patches_are_numbered_as_in_the_input():
    keep = torch.stack([torch.arange(8, 40), torch.arange(32)])
    seen = audioprune.trace(model_of(method="intensity", keep_rate=0.25, blocks=(3,)), X, keep)
    assert torch.equal(seen.entering[0], keep)
    means = model_of().pixels(X).mean(2).gather(1, keep)
    assert torch.equal(seen.kept[3], keep.gather(1, means.argsort(dim=1, descending=True)[:, :8]))


def test_released_gather_shows_prefix_tokens_as_minus_one():
    options = {"variant": "as_released"}
    x = X.clone()
    x[:, :16, :32] += 5  # the two loudest patches are 0 and 1: looked up, they are a prefix token and patch 0
    seen = audioprune.trace(model_of(method="intensity", options=options), x)
    first = seen.kept[3]
    assert set(first[0, :2].tolist()) == {-1, 0}
    assert (first >= 0).sum() == 2 * 31
    assert [seen.kept[block].shape[1] for block in (3, 6, 9)] == [32, 16, 8]  # ceil(0.5 (K - 1))
    assert torch.equal(seen.kept[6], first[:, :16])
    assert torch.equal(seen.kept[9], first[:, :8])
    assert torch.equal(seen.entering[4], first)
    assert seen.scores["global"][4].shape == (2, 32)
    assert sorted(seen.scores["cls"]) == [0, 1, 2, 3]
    assert torch.allclose(seen.scores["global"][4].sum(1), torch.ones(2))  # every token is counted as a key


def test_random_and_uniform_leave_the_same_numbers_as_bookkeeping():
    for method in ("random", "uniform", "variation"):
        seen = audioprune.trace(model_of("ast-tiny", method=method), X)
        assert set(seen.kept[9][0].tolist()) < set(seen.kept[6][0].tolist()) < set(seen.kept[3][0].tolist())
