"""Token merging: against loops over single tokens and patches, its invariants, and what it is not defined for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cosine_similarity

from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.models.merge import Merge, match, split
from audioprune.models.perturb import perturb
from audioprune.models.pruner import Survivors
from audioprune.models.trace import trace
from audioprune.pruning.tome import build
from audioprune.training.device import prepare

BACKBONES = ("audiomae-tiny", "ast-tiny", "ast-mp-tiny")


def inputs(clips: int = 2, frames: int = 64) -> torch.Tensor:
    return torch.randn(clips, frames, 128, generator=torch.Generator().manual_seed(0))


def merged_by_loops(tokens: list[dict], keys: torch.Tensor, prefix: int, r: int) -> list[dict]:
    """One step on one clip: tokens {x (D,), patches: numbers it stands for}, keys (N, d)."""
    sources = [i for i in range(prefix, len(tokens)) if i % 2 == 0]
    targets = [i for i in range(prefix, len(tokens)) if i % 2 == 1]
    best = {}
    for i in sources:
        alike = [cosine_similarity(keys[i], keys[j], dim=0).item() for j in targets]
        best[i] = (max(alike), targets[alike.index(max(alike))])
    leave = sorted(sources, key=lambda i: -best[i][0])[:r]
    groups = {j: [tokens[j], *(tokens[i] for i in leave if best[i][1] == j)] for j in targets}
    one = {
        j: {
            "x": sum(t["x"] * len(t["patches"]) for t in group) / sum(len(t["patches"]) for t in group),
            "patches": [p for t in group for p in t["patches"]],
        }
        for j, group in groups.items()
    }
    return [*tokens[:prefix], *(tokens[i] for i in sources if i not in leave), *(one[j] for j in targets)]


@torch.no_grad()
def tokens_by_loops(model, clip: torch.Tensor, merges: dict[int, int], proportional: bool = True) -> list[dict]:
    """One clip through all blocks; proportional attention as what it stands for: a key for each patch of a token."""
    e, before = model.tokens.prefix, {}
    handle = model.blocks[0].register_forward_pre_hook(lambda _, given: before.update(x=given[0][0]))
    model.encode(clip[None])
    handle.remove()
    tokens = [{"x": x, "patches": [i - e]} for i, x in enumerate(before["x"])]
    for number, block in enumerate(model.blocks):
        x = torch.stack([t["x"] for t in tokens])  # (N, D)
        q, k, v = block.attn.split(block.attn.qkv(block.norm1(x))[None])  # (1, H, N, d)
        times = torch.tensor([len(t["patches"]) if proportional else 1 for t in tokens])
        every_k, every_v = k.repeat_interleave(times, dim=2), v.repeat_interleave(times, dim=2)
        attention = (q @ every_k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(3)
        x = x + block.attn.proj((attention @ every_v)[0].transpose(0, 1).flatten(1))
        tokens = [t | {"x": one} for t, one in zip(tokens, x, strict=True)]
        if merges.get(number):
            tokens = merged_by_loops(tokens, k[0].mean(0), e, merges[number])
        tokens = [t | {"x": t["x"] + block.mlp(block.norm2(t["x"][None]))[0]} for t in tokens]
    return tokens


@torch.no_grad()
def logits_by_loops(model, tokens: list[dict]) -> torch.Tensor:
    e = model.tokens.prefix
    if hasattr(model, "fc_norm"):
        patches = [t["x"] for t in tokens[e:] for _ in t["patches"]]
        return model.head(model.fc_norm(torch.stack(patches).mean(0)))
    normed = [t | {"x": model.v.norm(t["x"])} for t in tokens]
    if model.tokens.score == "cls":
        return model.mlp_head((normed[0]["x"] + normed[1]["x"]) / 2)
    return model.mlp_head(torch.stack([t["x"] for t in normed[e:] for _ in t["patches"]]).mean(0))


@pytest.mark.parametrize("kernel", ["eager", "fused"])
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize(
    ("given_", "merges"),
    [
        ({"options": {"r": 3}}, dict.fromkeys(range(9), 3) | {9: 2, 10: 1, 11: 1}),  # at most half
        ({"options": {"r": 2, "proportional": False}}, dict.fromkeys(range(12), 2)),
        ({"keep_rate": 0.7}, {3: 9, 6: 6, 9: 5}),  # 32 -> 23 -> 17 -> 12
        ({"keep_rate": 0.5, "blocks": (1, 4)}, {1: 16, 4: 8}),
    ],
)
def test_agrees_with_loops_over_tokens_and_patches(backbone, kernel, given_, merges):
    model = build_model(backbone, frames=64, num_classes=5, method="tome", kernel=kernel, seed=3, **given_).eval()
    with torch.no_grad():
        torch.nn.init.normal_(dict(model.named_parameters())[model.rules.head["head.weight"]], std=0.5)
        ours, left = model(inputs()), model.encode(inputs())
    for clip, logits, x in zip(inputs(), ours, left, strict=True):
        tokens = tokens_by_loops(model, clip, merges, given_.get("options", {}).get("proportional", True))
        torch.testing.assert_close(x, torch.stack([t["x"] for t in tokens]), atol=2e-4, rtol=2e-4)
        torch.testing.assert_close(logits, logits_by_loops(model, tokens), atol=2e-4, rtol=2e-4)
        assert sorted(p for t in tokens for p in t["patches"]) == list(range(-model.tokens.prefix, 32))


def step(keys, x, sizes, prefix, count, proportional=True):
    patch_ids = torch.arange(-prefix, x.shape[1] - prefix).expand(x.shape[:2])
    survivors = Survivors(patch_ids, torch.zeros(x.shape[0], 1, 1), prefix, prefix, sizes)
    return Merge(proportional)(x, survivors, keys, count)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2), st.integers(2, 13), st.data())
def test_one_step_conserves_mass_and_patches(prefix, n, data):
    count = data.draw(st.integers(1, n // 2))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    x = torch.randn(3, prefix + n, 4, generator=generator)
    keys = torch.randn(3, prefix + n, 2, generator=generator)
    sizes = torch.randint(1, 5, (3, prefix + n), generator=generator).float()
    after, survivors = step(keys, x, sizes, prefix, count)
    assert after.shape == (3, prefix + n - count, 4)
    assert torch.equal(survivors.sizes.sum(1), sizes.sum(1))
    torch.testing.assert_close((after * survivors.sizes[..., None]).sum(1), (x * sizes[..., None]).sum(1))
    assert torch.equal(after[:, :prefix], x[:, :prefix])
    assert torch.equal(survivors.sizes[:, :prefix], sizes[:, :prefix])
    torch.testing.assert_close(survivors.bias.exp(), survivors.sizes)
    for own in survivors.patch_ids.tolist():
        assert len(set(own)) == len(own)
        assert set(range(n)) >= set(own[prefix:])
    assert step(keys, x, sizes, prefix, count, proportional=False)[1].bias is None


def test_by_hand():
    """Patches 0 and 2 are targets, 1 and 3 sources (one prefix token): 3 is most like 2, 1 like 0."""
    keys = torch.tensor([[[9.0, 9.0], [1.0, 0.0], [1.0, 0.2], [0.0, 1.0], [0.0, 2.0]]])
    x = torch.tensor([[[7.0], [1.0], [2.0], [3.0], [5.0]]])
    assert split(1) == (slice(2, None, 2), slice(1, None, 2))
    stay, leave, into = match(keys, 1, 1)
    assert (stay.tolist(), leave.tolist(), into.tolist()) == ([[0]], [[1]], [[1]])
    after, survivors = step(keys, x, None, 1, 1)
    assert after[0, :, 0].tolist() == [7.0, 2.0, 1.0, 4.0]  # prefix, the source that stays, targets
    assert survivors.patch_ids.tolist() == [[-1, 1, 0, 2]]
    assert survivors.sizes.tolist() == [[1, 1, 1, 2]]


def test_equal_tokens_merge_to_themselves():
    x = torch.tensor([0.3, -1.7, 2.0]).expand(1, 9, 3)
    after, survivors = step(x, x, None, 1, 4)
    torch.testing.assert_close(after, x[:, :5])
    assert sorted(survivors.sizes[0].tolist()) == [1, 1, 1, 1, 5]  # of equal likeness the first target takes all


@pytest.mark.parametrize("kernel", ["eager", "fused"])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_no_merge_is_the_identity(backbone, kernel):
    shape = {"frames": 64, "num_classes": 5, "kernel": kernel, "seed": 2}
    plain = build_model(backbone, **shape).eval()(inputs())
    assert torch.equal(build_model(backbone, method="tome", options={"r": 0}, **shape).eval()(inputs()), plain)
    off = build_model(backbone, method="tome", options={"r": 4}, **shape).eval()
    assert not torch.equal(off(inputs()), plain)
    off.keep_rate = 1.0
    assert torch.equal(off(inputs()), plain)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("given_", [{"options": {"r": 2}}, {"keep_rate": 0.6}])
def test_kernels_and_gradients_agree(backbone, given_):
    found = {}
    for kernel in ("eager", "fused"):
        model = build_model(backbone, frames=64, num_classes=5, method="tome", kernel=kernel, **given_).train()
        logits = model(inputs())
        logits.square().sum().backward()
        found[kernel] = logits.detach(), {name: p.grad for name, p in model.named_parameters()}
    torch.testing.assert_close(found["eager"][0], found["fused"][0], atol=1e-5, rtol=1e-4)
    for name, gradient in found["eager"][1].items():
        torch.testing.assert_close(gradient, found["fused"][1][name], atol=1e-5, rtol=1e-3)
    unpruned = build_model(backbone, frames=64, num_classes=5).train()
    unpruned(inputs()).square().sum().backward()
    for name, parameter in unpruned.named_parameters():
        assert (found["fused"][1][name].abs().sum() > 0) == (parameter.grad.abs().sum() > 0), name


def test_training_is_deterministic_to_the_bit():
    prepare("audiomae-tiny")
    found = []
    for _ in range(2):
        model = build_model("ast-mp-tiny", frames=64, num_classes=5, method="tome", keep_rate=0.6, drop_path=0.3)
        optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-3)
        torch.manual_seed(0)
        for _ in range(2):
            optimizer.zero_grad()
            model(inputs()).square().sum().backward()
            optimizer.step()
        found.append(model.state_dict())
    for name, one in found[0].items():
        assert torch.equal(one, found[1][name]), name


def test_every_token_gets_its_share_of_the_gradient():
    """Of the sum over patches, each token's gradient is the number of patches that it stood for, merged or not."""
    generator = torch.Generator().manual_seed(1)
    x, keys = torch.randn(2, 9, 4, generator=generator), torch.randn(2, 9, 3, generator=generator)
    sizes = torch.randint(1, 5, (2, 9), generator=generator).float()
    after, survivors = step(keys, x.requires_grad_(), sizes, 1, 3)
    (after * survivors.sizes[..., None]).sum().backward()
    torch.testing.assert_close(x.grad, sizes[..., None].expand_as(x))


def test_stride_10():
    """FastAST: 1212 patches and 2 prefix tokens, 20 merges in each of 12 blocks."""
    model = build_model("ast-tiny", frames=1024, num_classes=2, stride=10, method="tome", options={"r": 20}).eval()
    with torch.no_grad():
        assert model.encode(inputs(1, 1024)).shape == (1, 1214 - 240, 64)
    assert model.keep_rate == (1212 - 240) / 1212


@pytest.mark.parametrize("keep_rate", [0.9, 0.7, 0.5])
def test_as_many_tokens_as_topk(keep_rate):
    shape = {"frames": 64, "num_classes": 2, "keep_rate": keep_rate, "blocks": (1, 4, 7)}
    seen = {}
    for method in ("tome", "topk"):
        model = build_model("audiomae-tiny", method=method, **shape).eval()
        seen[method] = []
        for block in model.blocks:
            block.register_forward_pre_hook(lambda _, given, own=seen[method]: own.append(given[0].shape[1]))
        model(inputs(1))
    assert seen["tome"] == seen["topk"]
    assert len(set(seen["tome"])) == 4


def test_masked_patches_are_of_size_one_and_dropped_ones_of_none():
    model = build_model("audiomae-tiny", frames=64, num_classes=5, method="tome", options={"r": 2}).eval()
    keep = torch.tensor([[0, 9, 31, 5, 6, 7, 8], [5, 6, 7, 1, 2, 3, 4]])
    _, survivors = model.survive(inputs(), keep)
    assert survivors.sizes.sum(1).tolist() == [8, 8]  # 7 patches and the class token


def test_under_autocast_both_kernels_run():
    for kernel in ("eager", "fused"):
        model = build_model("ast-tiny", frames=64, num_classes=5, method="tome", options={"r": 2}, kernel=kernel).eval()
        exact = model(inputs())
        with torch.autocast("cpu", torch.bfloat16):
            near = model(inputs())
        assert torch.isfinite(near).all()
        assert (near.float() - exact).abs().max() < 0.2


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"keep_rate": 0.4}, "at most half of them, 16: use a keep-rate of 0.5 or more"),
        ({"options": {"r": -1}}, "r=-1 is not the number of merges"),
        ({"options": {"r": True}}, "r=True is not the number of merges"),
        ({"options": {"r": 2.5}}, "r=2.5 is not the number of merges"),
        ({"options": {"rate": 2}}, "has no option 'rate'"),
    ],
)
def test_refused(given_, message):
    with pytest.raises(UserError, match=message):
        build_model("audiomae-tiny", frames=64, num_classes=2, method="tome", **given_)


def test_a_merger_has_no_ranks_to_perturb():
    merging = build_model("audiomae-tiny", frames=64, num_classes=2, method="tome", keep_rate=0.7)
    with pytest.raises(UserError, match="tome merges them"):
        perturb(merging.pruning.pruner, "I", 0.0)


def test_a_keep_rate_set_too_low_later_is_refused():
    model = build_model("audiomae-tiny", frames=64, num_classes=2, method="tome", keep_rate=0.5)
    model.keep_rate = 0.25
    with pytest.raises(UserError, match="has to merge 24 of 32 tokens"):
        model(inputs())


def test_a_trace_follows_patches_and_refuses_merged_ones():
    model = build_model("audiomae-tiny", frames=64, num_classes=2, method="tome", keep_rate=0.5)
    with pytest.raises(UserError, match="this model merges patches"):
        trace(model, inputs())
    model.keep_rate = 1.0
    assert trace(model, inputs()).kept == {}
    assert build(model.tokens, r=None).released_gather is False
