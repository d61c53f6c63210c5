"""audioprune as a library: what the released models compute, through load_model and trace as a user calls them."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

import audioprune
from audioprune.errors import UserError
from audioprune.models.build import build_model
from tests import REPOSITORY

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"
RECORDED = {path.stem: path for path in sorted(PARITY.glob("*_kr*.npz"))}
FAMILIES = ("audiomae", "ast")


def checkpoint(family: str) -> Path:
    return PARITY / f"{family}_tiny_official_format.pth"


def test_fixtures_are_there():
    assert sorted(RECORDED) == [
        "ast_spc2_kr0.7",
        "audiomae_esc50_kr0.5",
        "audiomae_spc2_kr0.7",
        "audiomae_spc2_kr1.0",
    ]


@pytest.mark.parametrize("kernel", ["eager", "fused"])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_outputs(name, kernel):
    recorded = np.load(RECORDED[name])
    family, _, rate = name.split("_")
    classes = recorded["logits"].shape[1]
    model = audioprune.load_model(
        backbone=family,
        checkpoint=checkpoint(family),
        head=PARITY / f"{family}_head{classes}.npz",
        frames=recorded["fbank"].shape[1],
        num_classes=classes,
        num_heads=4,
        method="topk",
        keep_rate=float(rate.removeprefix("kr")),
        kernel=kernel,
    )
    x = torch.from_numpy(recorded["fbank"])
    with torch.no_grad():
        assert np.abs(model(x).numpy() - recorded["logits"]).max() < 1e-4
    seen = audioprune.trace(model, x)
    assert np.abs(seen.logits.numpy() - recorded["logits"]).max() < 1e-4
    patches = np.tile(np.arange(recorded["block-0.attn_score"].shape[1]), (len(x), 1))
    for block in range(12):
        score = seen.scores["global"][block].numpy()
        assert np.abs(score - recorded[f"block-{block}.attn_score"]).max() < 1e-4
        assert np.array_equal(seen.entering[block].numpy(), patches)
        if f"block-{block}.topk_idx" in recorded:
            patches = np.take_along_axis(patches, recorded[f"block-{block}.topk_idx"], axis=1)
            assert np.array_equal(seen.kept[block].numpy(), patches)
    assert sorted(seen.kept) == ([] if rate == "kr1.0" else [3, 6, 9])


def test_defaults_are_those_documented():
    model = audioprune.load_model("audiomae", checkpoint("audiomae"), PARITY / "audiomae_head50.npz", num_heads=4)
    assert (model.frames, model.keep_rate, model.training) == (512, 0.5, False)
    assert sorted(model.pruning.blocks) == [3, 6, 9]
    assert model(torch.zeros(1, 512, 128)).shape == (1, 50)


def test_sizes_are_read_off_the_checkpoint(tmp_path):
    made = build_model("ast-tiny", frames=64, num_classes=6, width=32, depth=3, num_heads=2, blocks=(1,))
    torch.save(made.state_dict(), tmp_path / "small.pth")
    model = audioprune.load_model(
        "ast", tmp_path / "small.pth", frames=64, num_classes=6, num_heads=2, blocks=(1,), keep_rate=0.5
    )
    assert len(model.blocks) == 3
    assert model.blocks[0].mlp.fc1.weight.shape == (128, 32)
    made.pruning.pruner, made.keep_rate = model.pruning.pruner, 0.5
    x = torch.randn(2, 64, 128)
    assert torch.equal(model(x), made.eval()(x))


def test_number_of_heads(tmp_path):
    with pytest.raises(UserError, match="has width 48, which is not a multiple of 64: give num_heads="):
        audioprune.load_model("audiomae", checkpoint("audiomae"))
    made = build_model("audiomae-tiny", frames=64, num_classes=6, width=128, depth=2, num_heads=4, blocks=())
    shape = {"frames": 64, "num_classes": 6, "blocks": ()}
    torch.save(made.state_dict(), tmp_path / "a.pth")
    assert audioprune.load_model("audiomae", tmp_path / "a.pth", **shape).blocks[0].attn.num_heads == 2
    save_file(made.state_dict(), tmp_path / "a.safetensors", {"num_heads": "4"})  # as our own files say it
    assert audioprune.load_model("audiomae", tmp_path / "a.safetensors", **shape).blocks[0].attn.num_heads == 4
    with pytest.raises(UserError, match="width=48 must be a multiple of num_heads=5"):
        audioprune.load_model("audiomae", checkpoint("audiomae"), num_heads=5)


def test_own_head_where_the_classes_match():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = audioprune.load_model("ast", checkpoint("ast"), num_classes=527, num_heads=4)
    weights = torch.load(checkpoint("ast"), weights_only=True)["module.mlp_head.1.weight"]
    assert torch.equal(model.mlp_head[1].weight, weights)


@pytest.mark.parametrize(("family", "has"), [("audiomae", "no head"), ("ast", "a head of 527 classes")])
def test_fresh_head_with_a_warning(family, has):
    with pytest.warns(UserWarning, match=f"has {has}, not one of 50: the head is untrained, from seed 0"):
        first = audioprune.load_model(family, checkpoint(family), num_heads=4)
    with pytest.warns(UserWarning, match="from seed 0"):
        again = audioprune.load_model(family, checkpoint(family), num_heads=4)
    with pytest.warns(UserWarning, match="from seed 1"):
        other = audioprune.load_model(family, checkpoint(family), num_heads=4, head_seed=1)
    states = [model.state_dict() for model in (first, again, other)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert {key for key in states[0] if not torch.equal(states[0][key], states[2][key])} == {
        first.rules.head["head.weight"]
    }


def test_off_the_shelf_with_every_option():
    head = PARITY / "ast_head50.npz"
    x = torch.randn(1, 512, 128, generator=torch.Generator().manual_seed(0))
    logits = []
    for method, options in [("topk", {"score": "global"}), ("random", {"seed": 1}), ("random", {"seed": 2})]:
        model = audioprune.load_model("ast", checkpoint("ast"), head, num_heads=4, method=method, **options)
        logits.append(model(x))
    plain = audioprune.load_model("ast", checkpoint("ast"), head, num_heads=4, method="none")
    same = audioprune.load_model("ast", checkpoint("ast"), head, num_heads=4, keep_rate=1.0)
    assert torch.equal(plain(x), same(x))
    assert all(not torch.equal(a, b) for a, b in [(logits[0], plain(x)), (logits[1], logits[2])])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": "audiomay"}, "no backbone named 'audiomay'; did you mean 'audiomae'"),
        ({"num_classes": 51, "head": PARITY / "audiomae_head50.npz"}, r"weights \(50, 48\), expected \(51, 48\)"),
        ({"variant": "fixed"}, "'topk' has no option 'variant'"),
        ({"frames": 1040}, "65 patch columns"),
        (
            {"backbone": "ast"},
            "is the encoder of an AudioMAE pre-training, no checkpoint of this backbone, ast: say backbone='audiomae'",
        ),
        ({"checkpoint": PARITY / "audiomae_head50.npz"}, "truncated or damaged|no AudioMAE or AST"),
        ({"head": PARITY / "nothing.npz"}, "there is no checkpoint"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*the head is untrained")
def test_refused(settings, message):
    given = {"backbone": "audiomae", "checkpoint": checkpoint("audiomae"), "head": PARITY / "audiomae_head50.npz"}
    with pytest.raises(UserError, match=message):
        audioprune.load_model(**given | {"num_heads": 4} | settings)


def test_importing_the_package_loads_no_torch():
    code = "import sys, audioprune; audioprune.__version__; assert 'torch' not in sys.modules; print(dir(audioprune))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['__version__', 'fbank', 'load_model', 'prune_whisper', 'trace']"
    with pytest.raises(AttributeError, match="no attribute 'load_models'"):
        _ = audioprune.load_models


def loaded(**settings):
    given = {"head": PARITY / "audiomae_head50.npz", "num_heads": 4}
    return audioprune.load_model("audiomae", checkpoint("audiomae"), **given | settings)


def test_a_clip_as_long_as_it_is(tmp_path):
    soundfile.write(tmp_path / "dog.wav", np.random.default_rng(0).normal(0, 0.1, 16000), 16000)
    statistics = {"mean": -4.0, "std": 4.0}
    x = audioprune.fbank(tmp_path / "dog.wav", frames=None, **statistics)
    assert x.shape == (1, 98, 128)  # 1 + (16000 - 400) // 160
    model, padded = loaded(), audioprune.fbank(tmp_path / "dog.wav", frames=512, **statistics)
    assert torch.equal(padded[:, :98], x)
    kept = torch.arange(56)[None]  # 7 columns of 8 patches
    with torch.no_grad():
        assert torch.equal(model(x), model(padded, kept))
    seen = audioprune.trace(model, x)
    assert {block: len(tokens[0]) for block, tokens in seen.kept.items()} == {3: 28, 6: 14, 9: 7}
    with pytest.raises(UserError, match=r"one window of 512 frames, and this clip has 600: trace x\[:, :512\]"):
        audioprune.trace(model, torch.zeros(1, 600, 128))
