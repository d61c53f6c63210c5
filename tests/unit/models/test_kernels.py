"""Both attention kernels give the same output, scores and gradients, and agree with the definition."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from audioprune.models import scores
from audioprune.models.build import build_model
from audioprune.models.pruner import gather_kept
from audioprune.models.vit import Attention, DropPath

KINDS = ("global", "global_literal", "cls")


def attention(kernel: str) -> Attention:
    made = Attention(width=8, num_heads=2, kernel=kernel)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return made


def by_definition(x: torch.Tensor, weights: Attention, kind: str, prefix: int) -> torch.Tensor:
    """Scores by loops over clips and heads."""
    rows = []
    for clip in x:
        qkv = clip @ weights.qkv.weight.T + weights.qkv.bias
        maps = []
        for head in range(2):
            q, k = qkv[:, 4 * head : 4 * head + 4], qkv[:, 8 + 4 * head : 12 + 4 * head]
            maps.append(torch.softmax(q @ k.T / 2, dim=1))
        mean = sum(maps) / 2
        if kind == "cls":
            rows.append(mean[0, prefix:])
        else:
            rows.append(mean[(prefix if kind == "global" else 0) :, prefix:].mean(0))
    return torch.stack(rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", [1, 2])
@pytest.mark.parametrize("tokens", [5, 70, 300])
def test_scores(kind, prefix, tokens):
    x = torch.randn(3, tokens, 8, generator=torch.Generator().manual_seed(1))
    eager, fused = attention("eager"), attention("fused")
    out, score = eager(x, kind, prefix)
    out_fused, score_fused = fused(x, kind, prefix)
    assert score.shape == (3, tokens - prefix)
    assert torch.allclose(out, out_fused, atol=1e-5)
    assert torch.allclose(score, score_fused, atol=1e-6)
    assert torch.allclose(score, by_definition(x, eager, kind, prefix), atol=1e-6)
    assert not score.requires_grad
    assert not score_fused.requires_grad


def test_no_score_unless_asked():
    assert [attention(kernel)(torch.zeros(1, 3, 8))[1] for kernel in ("eager", "fused")] == [None, None]


class Largest(TorchDispatchMode):
    """The most elements of any tensor made."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return out


def test_no_map_in_memory():
    q, k = torch.randn(1, 4, 513, 2), torch.randn(1, 4, 513, 2)
    with Largest() as seen:
        scores.without_map(q, k, "global", 1)
    assert seen.elements <= 4 * scores.CHUNK * 513
    with Largest() as seen:
        scores.without_map(q, k, "cls", 1)
    assert seen.elements <= q.numel()


@pytest.mark.parametrize("backbone", ["audiomae-tiny", "ast-tiny", "ast-mp-tiny"])
@pytest.mark.parametrize("keep_rate", [1.0, 0.7])
def test_models_and_gradients(backbone, keep_rate):
    x = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(2))
    found = {}
    for kernel in ("eager", "fused"):
        model = build_model(backbone, frames=128, num_classes=5, method="topk", keep_rate=keep_rate, kernel=kernel)
        logits = model(x)
        logits.square().sum().backward()
        found[kernel] = logits.detach(), {name: p.grad for name, p in model.named_parameters()}
    assert torch.allclose(found["eager"][0], found["fused"][0], atol=1e-5)
    for name, gradient in found["eager"][1].items():
        assert torch.allclose(gradient, found["fused"][1][name], atol=1e-5), name


def test_drop_path_keeps_the_mean_and_whole_clips():
    drop = DropPath(0.25).train()
    torch.manual_seed(0)
    out = drop(torch.ones(4000, 2, 3))
    assert out.unique().tolist() == pytest.approx([0, 4 / 3])
    assert torch.equal(out.amin((1, 2)), out.amax((1, 2)))
    assert out.mean().item() == pytest.approx(1, abs=0.03)
    assert torch.equal(drop.eval()(out), out)


def test_kept_patches_equal_a_model_of_these_patches_alone():
    """A class token's output depends on kept patches only; a dropped patch's pixels change nothing."""
    model = build_model("audiomae-tiny", frames=128, num_classes=5).eval()
    x = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(3))
    keep = torch.tensor([[0, 9, 63], [5, 6, 7]])
    changed = x.clone()
    changed[0, 16:32, :16] += 1  # patch (time 1, frequency 0) is token 8, not kept
    assert torch.equal(model(x, keep), model(changed, keep))
    assert model.encode(x, keep).shape == (2, 4, 64)
    everything = torch.arange(64).expand(2, 64)
    assert torch.allclose(model.encode(x, everything), model.encode(x), atol=1e-6)
    assert torch.equal(model.pixels(x)[0, 8], x[0, 16:32, :16].flatten())
    assert gather_kept(model.pixels(x), keep, 0).shape == (2, 3, 256)
