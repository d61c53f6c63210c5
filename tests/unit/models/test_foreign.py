"""Checkpoints of timm and transformers are read exactly; others are named as what they are, without loading them."""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

import audioprune
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.sources.checkpoints import check, kind_of, stride_of
from audioprune.sources.shapes import shapes_of
from tests import REPOSITORY

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"
SIZE = {"width": 48, "depth": 2, "num_heads": 4}
BLOCKS = {"blocks": (), "keep_rate": 1.0, "num_heads": 4}


def noise(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def vit(**more) -> torch.nn.Module:
    """timm's ViT in the shape of AudioMAE, as its hub has AudioMAE's weights, with noise for weights."""
    given = {"img_size": (1024, 128), "in_chans": 1, "num_classes": 5, "global_pool": "avg"} | more
    model = timm.create_model("vit_base_patch16_224", embed_dim=48, depth=2, num_heads=4, **given).eval()
    state = {name: 0.1 * noise(value.shape, i) for i, (name, value) in enumerate(model.state_dict().items())}
    model.load_state_dict(state)
    return model


def test_timms_audiomae_gives_timms_logits(tmp_path):
    theirs = vit()
    torch.save(theirs.state_dict(), tmp_path / "timm.pth")
    ours = audioprune.load_model("audiomae", tmp_path / "timm.pth", frames=1024, num_classes=5, **BLOCKS)
    x = noise((2, 1024, 128))
    with torch.no_grad():
        assert (ours(x) - theirs(x[:, None])).abs().max() < 1e-4


def test_timms_pre_training_without_a_head_is_the_official_one_with_norm(tmp_path):
    state = vit(num_classes=0).state_dict()
    assert "fc_norm.weight" in state
    save_file(state, tmp_path / "timm.safetensors")
    official = {name.replace("fc_norm.", "norm."): value for name, value in state.items()}
    torch.save({"model": official, "epoch": 3}, tmp_path / "official.pth")
    models = []
    for name in ("timm.safetensors", "official.pth"):
        with pytest.warns(UserWarning, match="has no head"):
            models.append(audioprune.load_model("audiomae", tmp_path / name, frames=128, num_classes=5, **BLOCKS))
    x = noise((1, 128, 128))
    assert torch.equal(models[0](x), models[1](x))


def as_transformers(model: torch.nn.Module) -> dict[str, Tensor]:
    """An AST's weights by the names that ASTForAudioClassification has for them."""
    found = {}
    for name, value in model.state_dict().items():
        if "attn.qkv" in name:
            _, _, number, _, _, kind = name.split(".")
            for one, part in zip(("query", "key", "value"), value.chunk(3), strict=True):
                found[f"{PREFIX}encoder.layer.{number}.attention.attention.{one}.{kind}"] = part.clone()
            continue
        for old, new in RENAMED:
            name = name.replace(old, new)
        found[name] = value
    return found


PREFIX = "audio_spectrogram_transformer."
RENAMED = (
    ("v.cls_token", f"{PREFIX}embeddings.cls_token"),
    ("v.dist_token", f"{PREFIX}embeddings.distillation_token"),
    ("v.pos_embed", f"{PREFIX}embeddings.position_embeddings"),
    ("v.patch_embed.proj", f"{PREFIX}embeddings.patch_embeddings.projection"),
    ("v.blocks", f"{PREFIX}encoder.layer"),
    ("attn.proj", "attention.output.dense"),
    ("norm1", "layernorm_before"),
    ("norm2", "layernorm_after"),
    ("mlp.fc1", "intermediate.dense"),
    ("mlp.fc2", "output.dense"),
    ("v.norm", f"{PREFIX}layernorm"),
    ("mlp_head.0", "classifier.layernorm"),
    ("mlp_head.1", "classifier.dense"),
)


def transformers_forward(state: dict[str, Tensor], x: Tensor, heads: int, stride: int) -> Tensor:
    """ASTForAudioClassification on (B, T, 128), written down from its description, by its own names."""
    state = {name.removeprefix(PREFIX): value for name, value in state.items()}

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(x: Tensor, name: str, eps: float) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)

    at = "embeddings.patch_embeddings.projection"
    patches = F.conv2d(x[:, None].transpose(2, 3), state[f"{at}.weight"], state[f"{at}.bias"], stride=stride)
    tokens = patches.flatten(2).transpose(1, 2)
    prefix = [state[f"embeddings.{one}_token"].expand(len(x), -1, -1) for one in ("cls", "distillation")]
    h = torch.cat([*prefix, tokens], dim=1) + state["embeddings.position_embeddings"]
    for i in range(2):
        layer = f"encoder.layer.{i}"
        y = norm(h, f"{layer}.layernorm_before", 1e-12)
        q, k, v = (
            linear(y, f"{layer}.attention.attention.{one}").unflatten(2, (heads, -1)).transpose(1, 2)
            for one in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        h = h + linear(mixed, f"{layer}.attention.output.dense")
        y = F.gelu(linear(norm(h, f"{layer}.layernorm_after", 1e-12), f"{layer}.intermediate.dense"))
        h = h + linear(y, f"{layer}.output.dense")
    h = norm(h, "layernorm", 1e-12)
    return linear(norm((h[:, 0] + h[:, 1]) / 2, "classifier.layernorm", 1e-5), "classifier.dense")


@pytest.mark.parametrize("stride", [16, 10])
def test_transformers_ast_gives_its_logits(tmp_path, stride):
    made = build_model("ast-tiny", frames=1024, num_classes=5, stride=stride, blocks=(), **SIZE).eval()
    made.load_state_dict({k: 0.3 * noise(v.shape, i) for i, (k, v) in enumerate(made.state_dict().items())})
    state = as_transformers(made)
    assert not set(state) & set(made.state_dict())
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "model.safetensors")
    ours = audioprune.load_model(
        "ast", tmp_path / "model.safetensors", frames=1024, num_classes=5, stride=stride, **BLOCKS
    )
    x = noise((1, 1024, 128))
    with torch.no_grad():
        assert (ours(x) - transformers_forward(state, x, 4, stride)).abs().max() < 1e-4


def test_the_encoder_of_an_ast_alone(tmp_path):
    made = build_model("ast-tiny", frames=1024, num_classes=5, blocks=(), **SIZE)
    torch.save(made.v.state_dict(), tmp_path / "v.pth")
    with pytest.warns(UserWarning, match="has no head"):
        ours = audioprune.load_model("ast", tmp_path / "v.pth", frames=1024, num_classes=5, **BLOCKS)
    assert all(torch.equal(value, made.v.state_dict()[name]) for name, value in ours.v.state_dict().items())


def test_a_stride_that_is_not_the_checkpoints_is_told_with_it(tmp_path):
    made = build_model("ast-tiny", frames=1024, num_classes=5, stride=10, blocks=(), **SIZE)
    torch.save(made.state_dict(), tmp_path / "ast10.pth")
    given = {"frames": 1024, "num_classes": 5} | BLOCKS
    with pytest.raises(UserError, match=r"ast10.pth is an AST checkpoint of stride 10: give stride=10"):
        audioprune.load_model("ast", tmp_path / "ast10.pth", **given)
    with pytest.raises(UserError, match=r"of stride 10, not 16: give stride=10"):
        audioprune.load_model("ast", tmp_path / "ast10.pth", stride=16, **given)
    assert audioprune.load_model("ast", tmp_path / "ast10.pth", stride=10, **given).tokens.patches == 1212


NAMED = {
    "images": ({"num_classes": 3, "in_chans": 3, "img_size": 224}, "for images: its patches have 3 channels"),
    "class token": ({"num_classes": 3, "global_pool": "token"}, "that predicts from its class token, as AudioMAE does"),
}


@pytest.mark.parametrize(("shape", "message"), NAMED.values(), ids=NAMED)
def test_other_models_of_timm_are_named(tmp_path, shape, message):
    torch.save(vit(**shape).state_dict(), tmp_path / "timm.pth")
    with pytest.raises(UserError, match=message):
        audioprune.load_model("audiomae", tmp_path / "timm.pth", **BLOCKS)


def test_official_ones_are_known_by_their_names():
    for family, words in (("audiomae", "the encoder of an AudioMAE pre-training"), ("ast", "an AST checkpoint")):
        shapes = shapes_of(PARITY / f"{family}_tiny_official_format.pth")
        kind = kind_of(shapes)
        assert (kind.family, kind.form, kind.words) == (family, "official", words)
        assert stride_of(shapes, 1 if family == "audiomae" else 2) == 16
        for other in ("audiomae-tiny", "ast-tiny"):
            if not other.startswith(family):
                with pytest.raises(UserError, match=f"is {words}, which cannot initialise {other}"):
                    check(PARITY / f"{family}_tiny_official_format.pth", other)
    with pytest.raises(UserError, match="of 12 blocks, 48 wide, and ast-b has 12 blocks, 768 wide"):
        check(PARITY / "ast_tiny_official_format.pth", "ast-b")


# --- shapes without torch -------------------------------------------------------------------------------------------

STATE = {"w": noise((3, 4)), "half": noise((2,)).half(), "none": torch.zeros(0, 3), "view": noise((4, 6))[:, ::2]}
SHAPES = {name: tuple(value.shape) for name, value in STATE.items()}


def written(form: str, path: Path) -> Path:
    if form == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file({name: value.contiguous() for name, value in STATE.items()}, path)
    else:
        wrapped = {"model": {f"module.{k}": torch.nn.Parameter(v) for k, v in STATE.items()}, "epoch": 3}
        torch.save(wrapped, path, _use_new_zipfile_serialization=form == "zip")
    return path


@pytest.mark.parametrize("form", ["zip", "old", "safetensors"])
def test_shapes_are_those_that_torch_loads(form, tmp_path):
    assert shapes_of(written(form, tmp_path / "a.pth")) == SHAPES


@pytest.mark.parametrize("form", ["zip", "old", "safetensors"])
def test_every_cut_of_a_checkpoint_is_one_message(form, tmp_path):
    path = written(form, tmp_path / "a.pth")
    whole = path.read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 100)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"a\.\w+ (is no checkpoint|holds no weights)"):
            shapes_of(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_random_bytes_are_one_message(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    for seed in range(200):
        path.write_bytes(bytes(torch.randint(0, 256, (seed * 7,), generator=torch.Generator().manual_seed(seed))))
        with pytest.raises(UserError, match=r"is no checkpoint|is refused|holds no weights"):
            shapes_of(path)


class Runs:
    def __reduce__(self):
        return (Path.touch, (Path("ran"),))


def test_nothing_in_a_pickle_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("a.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"w": Runs()}))
    for data in (Path("a.pth").read_bytes(), old_with(Runs())):
        Path("a.pth").write_bytes(data)
        with pytest.raises(UserError, match="it holds more than tensors"):
            shapes_of(Path("a.pth"))
    assert not Path("ran").exists()


def old_with(value: object) -> bytes:
    out = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}, {"w": value}, []):
        pickle.dump(part, out)
    return out.getvalue()


# --- wrong types ----------------------------------------------------------------------------------------------------

TYPES = (
    {"backbone": None}, {"backbone": 3}, {"checkpoint": None}, {"checkpoint": 3.5}, {"head": 7}, {"frames": "512"},
    {"frames": 512.0}, {"frames": True}, {"frames": 998}, {"num_classes": "50"}, {"num_classes": None},
    {"num_heads": "4"}, {"method": None}, {"method": 3}, {"keep_rate": "0.5"}, {"keep_rate": None},
    {"keep_rate": float("nan")}, {"keep_rate": True}, {"blocks": "3,6,9"}, {"blocks": 3}, {"blocks": None},
    {"blocks": (3, "6")}, {"blocks": (3.0, 6)}, {"kernel": None}, {"kernel": ["fused"]}, {"stride": "16"},
    {"stride": 0}, {"head_seed": "x"}, {"head_seed": -1}, {"perturbation": 3}, {"perturbation": "I", "tau": "low"},
    {"score": 3}, {"score": ["cls"]},
)  # fmt: skip


@pytest.mark.parametrize("wrong", TYPES, ids=str)
def test_values_of_a_wrong_type_are_told(wrong):
    given = {"backbone": "audiomae", "checkpoint": PARITY / "audiomae_tiny_official_format.pth", "num_heads": 4}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UserError) as error:
            audioprune.load_model(**given | wrong)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("x", [None, torch.zeros(2, 64, 128), torch.zeros(2, 128, 64), [[0.0]], torch.zeros(128, 128)])
def test_an_input_of_another_shape_or_type_is_told(x):
    model = build_model("audiomae-tiny", frames=128, num_classes=3)
    with pytest.raises(UserError, match=r"this model takes \(clips, 128, 128\)"):
        audioprune.trace(model, x)
    with pytest.raises(UserError, match="Linear is no model of audioprune"):
        audioprune.trace(torch.nn.Linear(2, 2), torch.zeros(2, 2))
