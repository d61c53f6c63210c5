"""Official checkpoints: exact lists of keys, and files that are damaged, or more than weights."""

import argparse
import os
import pickle
import shutil

import pytest
import torch
from safetensors.torch import save_file

from audioprune.errors import UserError
from audioprune.models.build import build_model, load_checkpoint
from audioprune.models.weights import HEAD_KEYS, read_checkpoint, read_head
from tests import REPOSITORY

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"
AUDIOMAE, AST = PARITY / "audiomae_tiny_official_format.pth", PARITY / "ast_tiny_official_format.pth"
SHAPE = {"width": 48, "num_heads": 4}


def audiomae(frames=128, classes=5):
    return build_model("audiomae-tiny", frames=frames, num_classes=classes, **SHAPE)


def ast(frames=128, classes=5):
    return build_model("ast-tiny", frames=frames, num_classes=classes, **SHAPE)


def test_audiomae_lists():
    loaded = load_checkpoint(audiomae(), read_checkpoint(AUDIOMAE)[0])
    assert loaded.missing == ("fc_norm.bias", "fc_norm.weight", "head.bias", "head.weight")
    assert loaded.dropped == ("norm.bias", "norm.weight")
    assert loaded.head == "fresh"


def test_audiomae_decoder_is_expected_and_dropped():
    state, _ = read_checkpoint(AUDIOMAE)
    decoder = [
        "mask_token",
        "decoder_pos_embed",
        "decoder_embed.weight",
        "decoder_norm.bias",
        "decoder_pred.weight",
        "decoder_blocks.3.attn.relative_position_bias_table",
    ]
    loaded = load_checkpoint(audiomae(), state | {key: torch.zeros(1) for key in decoder})
    assert set(loaded.dropped) == {"norm.bias", "norm.weight", *decoder}


def test_ast_lists():
    model = ast(classes=527)
    loaded = load_checkpoint(model, read_checkpoint(AST)[0], head="own")
    assert loaded.missing == ()
    assert loaded.dropped == ("v.head.bias", "v.head.weight", "v.head_dist.bias", "v.head_dist.weight")
    assert torch.equal(model.mlp_head[1].weight, read_checkpoint(AST)[0]["mlp_head.1.weight"])


def test_a_fresh_head_stays_even_where_the_checkpoints_would_fit():
    model = ast(classes=527)
    before = model.mlp_head[1].weight.clone()
    state, _ = read_checkpoint(AST)
    load_checkpoint(model, state)
    assert torch.equal(model.mlp_head[1].weight, before)
    assert torch.equal(model.v.blocks[7].mlp.fc1.weight, state["v.blocks.7.mlp.fc1.weight"])


def test_other_keys_are_errors_that_name_them():
    state, _ = read_checkpoint(AUDIOMAE)
    with pytest.raises(UserError, match=r"unexpected: blocks\.12\.norm1\.weight, extra"):
        load_checkpoint(audiomae(), state | {"extra": torch.zeros(1), "blocks.12.norm1.weight": torch.zeros(1)})
    del state["blocks.4.attn.qkv.bias"]
    with pytest.raises(UserError, match=r"my\.pth is no checkpoint .* missing: blocks.4.attn.qkv.bias"):
        load_checkpoint(audiomae(), state, source="my.pth")
    whole, _ = read_checkpoint(AUDIOMAE)
    with pytest.raises(UserError, match=r"missing: fc_norm\.bias, fc_norm\.weight, head\.bias"):
        load_checkpoint(audiomae(), whole | {"head.weight": torch.zeros(5, 48)})
    with pytest.raises(UserError, match=r"unexpected: .*mlp_head.0.bias.*missing: .*cls_token"):
        load_checkpoint(audiomae(), read_checkpoint(AST)[0])


def test_shapes_that_do_not_fit_are_named():
    state, _ = read_checkpoint(AUDIOMAE)
    with pytest.raises(UserError, match=r"cls_token is \(1, 1, 48\), the model's \(1, 1, 64\)"):
        load_checkpoint(build_model("audiomae-tiny", frames=128, num_classes=5), state)
    with pytest.raises(UserError, match=r"pos_embed is \(1, 100, 48\), the model's \(1, 513, 48\)"):
        load_checkpoint(audiomae(), state | {"pos_embed": torch.zeros(1, 100, 48)})
    with pytest.raises(UserError, match=r"no head of its own; missing: fc_norm\.bias"):
        load_checkpoint(audiomae(), state, head="own")


def test_cropped_position_embedding_is_put_where_it_is_read():
    state, _ = read_checkpoint(AST)
    model, short = ast(), torch.rand(1, 66, 48)
    load_checkpoint(model, state | {"v.pos_embed": short})
    assert torch.equal(model.v.window.of(model.v.pos_embed), short[:, 2:])


def test_wrappers_and_prefixes(tmp_path):
    state, _ = read_checkpoint(AST)
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "a.pth")
    save_file(state, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        found, _ = read_checkpoint(tmp_path / name)
        assert set(found) == set(state)
        assert torch.equal(found["v.cls_token"], state["v.cls_token"])


def test_official_pretrainings_carry_their_command_line(tmp_path):
    torch.save({"model": {"a": torch.ones(2)}, "args": argparse.Namespace(lr=1e-4), "epoch": 3}, tmp_path / "a.pth")
    assert read_checkpoint(tmp_path / "a.pth")[0]["a"].tolist() == [1, 1]


@pytest.mark.parametrize("keep", [0, 3, 100, 100_000, -1])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_truncated(tmp_path, suffix, keep):
    path = tmp_path / f"cut{suffix}"
    if suffix == ".pth":
        shutil.copy(AUDIOMAE, path)
    else:
        save_file(read_checkpoint(AUDIOMAE)[0], path)
    data = path.read_bytes()
    path.write_bytes(data[:keep])
    with pytest.raises(UserError, match=f"{path.name} is truncated or damaged"):
        read_checkpoint(path)


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [None, 2, 4, 5])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path, protocol):
    path, made = tmp_path / "evil.pth", tmp_path / "made"
    if protocol is None:
        torch.save({"model": Runs(made)}, path)
    else:
        path.write_bytes(pickle.dumps({"model": Runs(made)}, protocol=protocol))
    with pytest.raises(UserError, match=r"evil\.pth is refused: it holds more than tensors"):
        read_checkpoint(path)
    assert not made.exists()


def test_files_without_weights(tmp_path):
    with pytest.raises(UserError, match=r"there is no checkpoint .*nowhere\.pth"):
        read_checkpoint(tmp_path / "nowhere.pth")
    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(UserError, match="holds no weights"):
        read_checkpoint(tmp_path / "a.pth")
    torch.save(torch.zeros(3), tmp_path / "b.pth")
    with pytest.raises(UserError, match="holds no weights"):
        read_checkpoint(tmp_path / "b.pth")


def test_heads(tmp_path):
    head = read_head(PARITY / "ast_head35.npz")
    assert set(head) == set(HEAD_KEYS)
    assert head["head.weight"].shape == (35, 48)
    save_file(head, tmp_path / "h.safetensors")
    torch.save(head, tmp_path / "h.pth")
    for name in ("h.safetensors", "h.pth"):
        assert torch.equal(read_head(tmp_path / name)["head.bias"], head["head.bias"])
    torch.save({"head.weight": head["head.weight"]}, tmp_path / "part.pth")
    with pytest.raises(UserError, match=r"part\.pth has head\.weight; expected norm\.weight, norm\.bias"):
        read_head(tmp_path / "part.pth")
    (tmp_path / "cut.npz").write_bytes((PARITY / "ast_head35.npz").read_bytes()[:500])
    with pytest.raises(UserError, match=r"cut\.npz is truncated or damaged"):
        read_head(tmp_path / "cut.npz")
