"""Clips in one row of tokens: what each gives and keeps alone, counted tokens, and what no row can do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from audioprune.errors import UserError
from audioprune.models import packed
from audioprune.models.build import build_model, make_pruner
from audioprune.models.family import Classifier
from audioprune.models.native import any_length
from audioprune.models.packed import Packed, Row
from audioprune.models.pruner import Pruning
from audioprune.models.trace import trace
from benchmarks._parts.packed import by_clip

CPU = torch.device("cpu")
COLUMNS = (3, 8, 1, 5, 3)  # of the model's 8
BACKBONES = ("ast-tiny", "audiomae-tiny")
METHODS = (
    ("none", {}), ("topk", {"score": "cls"}), ("intensity", {}), ("variation", {}), ("uniform", {}), ("random", {}),
)  # fmt: skip


def model_of(backbone: str, method: str, options: dict, keep_rate: float = 0.5) -> Classifier:
    model = any_length(build_model(backbone, frames=128, num_classes=4).eval())
    model.pruning = Pruning(make_pruner(method, model.tokens, options), blocks=(3, 6, 9), keep_rate=keep_rate)
    return model


def clips(columns: tuple[int, ...] = COLUMNS) -> Tensor:
    """As the front end gives them: padded with each clip's minimum to the longest."""
    x = torch.randn(len(columns), 16 * max(columns), 128, generator=torch.Generator().manual_seed(1))
    for clip, own in zip(x, columns, strict=True):
        clip[16 * own :] = clip[: 16 * own].min()
    return x


@torch.inference_mode()
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize(("method", "options"), METHODS, ids=[name for name, _ in METHODS])
def test_a_clip_in_a_row_gives_and_keeps_what_it_does_alone(backbone, method, options):
    model, x = model_of(backbone, method, options), clips()
    row = Packed(model, by_clip)
    logits = row(x, COLUMNS)
    _, survivors, own = row.encode(x, COLUMNS)
    for i, columns in enumerate(COLUMNS):
        alone = trace(model, x[i : i + 1, : 16 * columns])
        assert torch.allclose(logits[i], alone.logits[0], atol=1e-5, rtol=0)
        if method != "none":
            kept = survivors.patch_ids[i, survivors.prefix : own.lengths[i]]
            assert kept.tolist() == alone.kept[9][0].tolist()  # also in this order


@torch.inference_mode()
@pytest.mark.parametrize(("backbone", "prefix"), [("ast-tiny", 2), ("audiomae-tiny", 1)])
def test_no_token_is_computed_but_those_of_the_clips(backbone, prefix):
    """8 tokens a column; at each of three blocks half of them stay, rounded up: of 24 12, 6 and 3."""
    seen = []

    def counting(q, k, v, row):
        seen.append(row.lengths)
        assert len(q) == len(k) == len(v) == sum(row.lengths)
        return by_clip(q, k, v, row)

    Packed(model_of(backbone, "topk", {"score": "cls"}), counting)(clips((3, 8, 1)), (3, 8, 1))
    by_hand = {0: (24, 64, 8), 4: (12, 32, 4), 7: (6, 16, 2), 10: (3, 8, 1)}
    assert len(seen) == 12
    for block, tokens in by_hand.items():
        assert seen[block] == tuple(prefix + n for n in tokens)


@torch.inference_mode()
@pytest.mark.parametrize("keep_rate", [1.0, 0.5])
def test_what_lies_in_the_row_beside_a_clip_changes_nothing(keep_rate):
    model, x = model_of("ast-tiny", "topk", {"score": "cls"}, keep_rate), clips()
    other = x.clone()
    other[1] = 7 * other[1].flip(0)
    row = Packed(model, by_clip)
    one, two = row(x, COLUMNS), row(other, COLUMNS)
    rest = [0, 2, 3, 4]
    assert torch.equal(one[rest], two[rest])
    assert not torch.allclose(one[1], two[1], atol=1e-3)


@torch.inference_mode()
def test_attention_from_the_class_token_by_hand():
    """Two clips of 2 and 3 tokens, one of them prefix, one head of one channel, q = 1: the softmax of a clip's keys."""
    row = Row([2, 3], CPU)
    k = torch.tensor([0.0, 1.0, 0.0, 2.0, 0.0])[:, None, None]
    found = packed.received(torch.ones(5, 1, 1), k, row)
    e = torch.e
    wanted = [[1 / (1 + e), e / (1 + e), 0], [1 / (2 + e**2), e**2 / (2 + e**2), 1 / (2 + e**2)]]
    assert torch.allclose(found, torch.tensor(wanted))


def test_tokens_of_a_row_are_spread_and_joined():
    row = Row([2, 1], CPU)
    assert row.starts.tolist() == [0, 2, 3]
    assert row.starts.dtype == torch.int32  # what the kernel takes
    x = torch.tensor([[1.0], [2.0], [3.0]])
    assert row.spread(x, -9).squeeze(2).tolist() == [[1, 2], [3, -9]]
    assert torch.equal(row.joined(row.spread(x, -9)), x)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("method", "options"),
    [("topk", {"score": "global"}), ("topk", {"score": "global_literal"}), ("tome", {}),
     ("intensity", {"variant": "as_released"})],
)  # fmt: skip
def test_what_a_row_cannot_do_is_refused(method, options):
    with pytest.raises(UserError, match="use bucketed"):
        Packed(model_of("audiomae-tiny", method, options), by_clip)(clips(), COLUMNS)


@torch.inference_mode()
def test_a_changed_selection_is_refused():
    model = model_of("ast-tiny", "topk", {"score": "cls"})
    model.pruning.pruner.change = lambda order, view: order[:, : view.count]
    with pytest.raises(UserError, match="use bucketed"):
        Packed(model, by_clip)(clips(), COLUMNS)


def test_overlapping_patches_are_refused():
    model = build_model("ast-tiny", frames=128, num_classes=4, stride=10)
    with pytest.raises(UserError, match="patches of 16 side by side"):
        Packed(model, by_clip)


@pytest.mark.parametrize(
    ("device", "precision"), [("cpu", "bf16"), ("cpu", "fp32"), ("cuda", "fp32"), ("cuda", "tf32")]
)
def test_a_kernel_needs_a_gpu_and_half_precision(device, precision):
    with pytest.raises(UserError, match="packed needs a CUDA GPU and fp16 or bf16: use bucketed"):
        packed.kernel_of(torch.device(device), precision)
    assert packed.kernel_of(torch.device("cuda"), "bf16") is packed.flash


def test_the_kernel_gets_the_row_as_its_documentation_asks(monkeypatch):
    """varlen_attn(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k): totals by head by width, int32 sums from 0."""
    given = []
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", lambda *values: given.append(values) or values[2])
    q, k, v = (torch.full((5, 2, 4), float(i)) for i in range(3))
    assert packed.flash(q, k, v, Row([2, 3], CPU)) is v
    ((*tensors, own, theirs, most, widest),) = given
    assert [float(x[0, 0, 0]) for x in tensors] == [0, 1, 2]
    assert own.tolist() == theirs.tolist() == [0, 2, 5]
    assert (most, widest) == (3, 3)
