"""build_model: shapes, initial weights, and what it refuses."""

import math

import pytest
import torch

from audioprune import registry
from audioprune.errors import UserError
from audioprune.models.build import build_model, layer_of

BACKBONES = [name for name in registry.names("backbones") if name.endswith("-tiny")]


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("method", registry.names("pruning"))
def test_every_backbone_with_every_method(backbone, method):
    x = torch.randn(2, 64, 128, generator=torch.Generator().manual_seed(0))
    model = build_model(backbone, frames=64, num_classes=7, method=method, keep_rate=0.6).eval()
    logits = model(x)
    assert logits.shape == (2, 7)
    assert torch.equal(logits, model(x))
    left = 32 if method == "none" else 8  # 32 -> 20 -> 12 -> 8
    assert model.encode(x).shape == (2, model.tokens.prefix + left, 64)
    model.keep_rate = 1.0
    unpruned = build_model(backbone, frames=64, num_classes=7).eval()
    assert torch.equal(model(x), unpruned(x))
    assert list(model.state_dict()) == list(unpruned.state_dict())


@pytest.mark.parametrize(
    ("backbone", "prefix", "orientation", "score"),
    [("audiomae-tiny", 1, "time", "global"), ("ast-tiny", 2, "freq", "cls"), ("ast-mp-tiny", 2, "freq", "global")],
)
def test_facts_of_tokens(backbone, prefix, orientation, score):
    tokens = build_model(backbone, frames=512, num_classes=3).tokens
    assert (tokens.prefix, tokens.orientation, tokens.score) == (prefix, orientation, score)
    assert (tokens.time, tokens.freq, tokens.patches) == (32, 8, 256)


def test_token_orders():
    x = torch.zeros(1, 128, 128)
    x[0, 32:48, 80:96] = 1  # time 2, frequency 5
    assert build_model("audiomae-tiny", frames=128, num_classes=2).pixels(x).mean(2)[0].argmax() == 2 * 8 + 5
    assert build_model("ast-tiny", frames=128, num_classes=2).pixels(x).mean(2)[0].argmax() == 5 * 8 + 2


def test_pixels_meet_the_official_convolution():
    x = torch.randn(1, 128, 128, generator=torch.Generator().manual_seed(0))
    for name, picture in (("audiomae-tiny", x), ("ast-tiny", x.transpose(1, 2))):
        model = build_model(name, frames=128, num_classes=2)
        embed = model.v.patch_embed if name == "ast-tiny" else model.patch_embed
        official = embed.proj(picture[:, None]).flatten(2).transpose(1, 2)  # (1, 64, 64)
        assert torch.allclose(embed(model.pixels(x)), official, atol=1e-5)


def test_stride_10():
    model = build_model("ast-tiny", frames=1024, num_classes=2, stride=10)
    assert (model.tokens.freq, model.tokens.time) == (12, 101)
    assert model.v.pos_embed.shape == (1, 1214, 64)


def test_initial_weights():
    model = build_model("audiomae-tiny", frames=128, num_classes=400, seed=3)
    assert model.head.weight.std().item() == pytest.approx(0.02, rel=0.05)  # narrow: a head that passes gradient on
    published = build_model("audiomae-b", frames=128, num_classes=400, depth=1, blocks=(0,))
    assert published.head.weight.std().item() == pytest.approx(2e-5, rel=0.05)
    assert published.pos_embed[0, 1:].square().mean().item() == pytest.approx(0.5)  # sines and cosines
    assert model.pos_embed[0, 1:].square().mean().item() == pytest.approx(0.3**2 / 2)
    assert model.head.bias.abs().max() == model.fc_norm.bias.abs().max() == 0
    assert model.fc_norm.weight.unique().tolist() == [1]
    fc1 = model.blocks[5].mlp.fc1
    assert fc1.weight.abs().max().item() == pytest.approx(math.sqrt(6 / 320), rel=1e-3)  # Xavier, uniform
    assert fc1.bias.abs().max() == 0
    assert model.cls_token.std().item() == pytest.approx(0.02, rel=0.3)
    assert not model.pos_embed.requires_grad
    assert "pos_embed" in model.state_dict()
    ast = build_model("ast-tiny", frames=128, num_classes=400)
    assert ast.v.pos_embed.std().item() == pytest.approx(0.02, rel=0.02)
    assert ast.v.pos_embed.requires_grad
    assert ast.mlp_head[1].weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_epsilons():
    audiomae = build_model("audiomae-tiny", frames=128, num_classes=2)
    ast = build_model("ast-tiny", frames=128, num_classes=2)
    assert {m.eps for m in audiomae.modules() if isinstance(m, torch.nn.LayerNorm)} == {1e-6}
    assert {m.eps for m in ast.v.modules() if isinstance(m, torch.nn.LayerNorm)} == {1e-6}
    assert ast.mlp_head[0].eps == 1e-5


def test_seed_decides_and_global_random_state_does_not():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_model("ast-tiny", frames=128, num_classes=4, seed=5).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    again = build_model("ast-tiny", frames=128, num_classes=4, seed=5).state_dict()
    other = build_model("ast-tiny", frames=128, num_classes=4, seed=6).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["v.blocks.0.mlp.fc1.weight"], other["v.blocks.0.mlp.fc1.weight"])
    assert not torch.equal(first["mlp_head.1.weight"], other["mlp_head.1.weight"])


def test_drop_path_rises_to_its_rate():
    model = build_model("audiomae-tiny", frames=64, num_classes=2, drop_path=0.11)
    assert [b.drop_path1.rate for b in model.blocks] == pytest.approx([0.01 * i for i in range(12)], abs=1e-7)
    assert [b.drop_path2.rate for b in model.blocks] == pytest.approx([0.01 * i for i in range(12)], abs=1e-7)


def test_base_size_has_the_papers_parameters():
    model = build_model("audiomae-b", frames=512, num_classes=50)
    assert len(model.blocks) == 12
    assert model.blocks[0].attn.num_heads == 12
    per_block = 12 * 768**2 + 13 * 768  # qkv, proj, fc1, fc2 with biases, two norms
    outside = 768 + 768 * 256 + 768 + 2 * 768 + 50 * 768 + 50
    assert sum(p.numel() for p in model.parameters()) == 12 * per_block + outside


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("cls_token", 0),
        ("pos_embed", 0),
        ("patch_embed.proj.weight", 0),
        ("blocks.0.norm1.weight", 1),
        ("blocks.11.mlp.fc2.bias", 12),
        ("fc_norm.weight", 13),
        ("head.bias", 13),
        ("v.dist_token", 0),
        ("v.blocks.4.attn.qkv.weight", 5),
        ("module.v.norm.weight", 13),
        ("mlp_head.1.weight", 13),
    ],
)
def test_layer_of(name, layer):
    assert layer_of(name) == layer


def test_models_know_their_layers_and_undecayed_names():
    model = build_model("ast-tiny", frames=64, num_classes=2, depth=4, blocks=(1, 2))
    assert {model.layer_of(name) for name, _ in model.named_parameters()} == set(range(6))
    assert model.no_weight_decay() == {"v.cls_token", "v.dist_token", "v.pos_embed"}
    assert build_model("audiomae-tiny", frames=64, num_classes=2).no_weight_decay() == {"cls_token", "pos_embed"}


def test_keep_rate_is_settable_and_checked():
    model = build_model("audiomae-tiny", frames=128, num_classes=3, method="topk").eval()
    x = torch.randn(1, 128, 128)
    assert model.keep_rate == 1
    assert model.encode(x).shape[1] == 65
    model.keep_rate = 0.7
    assert model.encode(x).shape[1] == 1 + 23
    with pytest.raises(UserError, match=r"keep_rate=0 is not in \(0, 1\]"):
        model.keep_rate = 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": "audiomea-tiny"}, "did you mean 'audiomae-tiny'"),
        ({"backbone": "audiomae"}, "no backbone named 'audiomae'"),
        ({"backbone": "ast-tiny", "frames": 1040}, "1040 frames make 65 patch columns, but .* has 64"),
        ({"frames": 2048}, "128 patch columns"),
        ({"frames": 100}, "100 frames are not cut evenly by patches of 16: take 96 or 112"),
        ({"frames": 8}, "8 frames"),
        ({"num_classes": 0}, "num_classes=0"),
        ({"width": 66, "num_heads": 4}, "width=66 must be a multiple of num_heads=4"),
        ({"kernel": "flash"}, "kernel='flash' is none of eager, fused"),
        ({"drop_path": 1.0}, "drop_path=1.0"),
        ({"keep_rate": 1.5}, "keep_rate=1.5"),
        ({"blocks": (3, 6, 12)}, "rising numbers from 0 to 11"),
        ({"blocks": (6, 3)}, "rising numbers"),
        ({"method": "top-k"}, "did you mean 'topk'"),
        ({"method": "topk", "options": {"scores": "cls"}}, "no option 'scores'; did you mean 'score'"),
        ({"method": "topk", "options": {"score": "clss"}}, "score='clss' is none of"),
        ({"method": "intensity", "options": {"variant": "released"}}, "variant='released' is none of"),
        ({"stride": 20}, "leave no gaps"),
    ],
)
def test_refused(settings, message):
    with pytest.raises(UserError, match=message):
        build_model(**{"backbone": "audiomae-tiny", "frames": 128, "num_classes": 5} | settings)


def test_released_gather_needs_tokens_to_classify_from():
    options = {"variant": "as_released"}
    with pytest.raises(UserError, match=r"keep_rate=0\.1 leaves 7, 1, 0 of 64 tokens"):
        build_model("ast-tiny", frames=128, num_classes=5, method="intensity", options=options, keep_rate=0.1)


def test_wrong_input_is_named():
    model = build_model("audiomae-tiny", frames=128, num_classes=5)
    with pytest.raises(UserError, match=r"\(1, 64, 128\); this model takes \(clips, 128, 128\)"):
        model(torch.zeros(1, 64, 128))
