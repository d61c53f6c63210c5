"""Facts of backbones, methods and datasets: read without torch, and what the models built from them really are."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from audioprune import registry
from audioprune.facts.backbone import SIZES
from audioprune.facts.tokens import grid, token_order
from audioprune.models.build import build_model

READ = """
import sys
from audioprune import registry
for name in registry.names("backbones"):
    print(name, registry.backbone(name))
for name in registry.names("pruning"):
    print(name, registry.method(name))
for name in registry.names("datasets"):
    print(name, registry.dataset(name).name)
heavy = {"torch", "numpy", "pandas", "matplotlib"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_facts_are_read_without_torch():
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == sum(len(registry.names(k)) for k in ("backbones", "pruning", "datasets"))


@pytest.mark.parametrize("kind", ["backbones", "pruning", "datasets"])
def test_each_says_its_own_name(kind):
    """As its file is named, but for a backbone's size."""
    for name in registry.names(kind):
        own = registry.get(kind, name).FACTS.name
        assert own == (name.removesuffix("-tiny").removesuffix("-b") if kind == "backbones" else name)


def test_published_facts_of_the_families():
    """P0 section 3 and the released code: class token and mean pooling; class and distillation token; P0 section 5."""
    facts = {name: registry.family(name) for name in ("audiomae", "ast", "ast-mp")}
    shown = {name: (f.prefix, f.orientation, f.pooling, f.score, f.like) for name, f in facts.items()}
    assert shown == {
        "audiomae": (1, "time", "mean", "global", ""),
        "ast": (2, "freq", "prefix", "cls", ""),
        "ast-mp": (2, "freq", "mean", "global", "ast"),
    }
    assert {name: (s.width, s.depth, s.num_heads) for name, s in SIZES.items()} == {
        "b": (768, 12, 12),  # ViT-B
        "tiny": (64, 12, 4),
    }


@pytest.mark.parametrize("backbone", [name for name in registry.names("backbones") if name.endswith("-tiny")])
def test_facts_are_those_of_the_model(backbone):
    """Tokens, their order, width, depth and heads, seen in the model; test_traced has pooling and norms."""
    facts, frames = registry.backbone(backbone), 64
    model = build_model(backbone, frames=frames, num_classes=3).eval()
    x = torch.randn(1, frames, 128, generator=torch.Generator().manual_seed(0))
    time, freq = grid(frames)
    assert model.encode(x).shape[1] == facts.family.prefix + time * freq
    assert sum(p.numel() for p in model.blocks[0].attn.qkv.parameters()) == 3 * facts.size.width * (
        facts.size.width + 1
    )
    assert (len(model.blocks), model.blocks[0].attn.num_heads) == (facts.size.depth, facts.size.num_heads)
    loud = x.clone()
    loud[0, 16:32, 96:112] += 50  # the patch of time 1, frequency 6
    changed = (model.pixels(loud) != model.pixels(x)).any(2)[0].nonzero().flatten().tolist()
    assert [token_order(facts.family.orientation, time, freq)[token] for token in changed] == [(1, 6)]
