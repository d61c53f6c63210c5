"""Clips of any length: of a shorter one its own columns alone, at the positions they have in the model; of a longer one
windows in which each column counts once.
"""

import copy

import pytest
import torch

from audioprune.errors import UserError
from audioprune.facts.lengths import columns_of, windows
from audioprune.models.build import build_model
from audioprune.models.native import AnyLength, any_length, first_columns

BACKBONES = ("audiomae-tiny", "ast-tiny", "ast-mp-tiny")
METHODS = (("none", {}), ("topk", {}), ("uniform", {}), ("intensity", {}), ("intensity", {"variant": "as_released"}))
FRAMES = 256


def made(backbone: str = "audiomae-tiny", method: str = "topk", keep_rate: float = 0.5, frames: int = FRAMES, **more):
    model = build_model(
        backbone, frames=frames, num_classes=5, method=method, keep_rate=keep_rate, blocks=(1, 2), depth=4, **more
    )
    model = any_length(any_length(model)).eval()  # twice is once
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # positions and heads that matter
        for name, value in model.named_parameters():
            if "pos_embed" in name or "head" in name:
                value.copy_(0.3 * torch.randn(value.shape, generator=generator))
    return model


def clips(frames: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, frames, 128, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("frames", "columns"), [(1, 1), (16, 1), (17, 2), (98, 7), (498, 32), (512, 32)])
def test_columns_that_hold_sound(frames, columns):
    assert columns_of(frames) == columns  # 1 s of sound are 98 frames, 5 s 498


@pytest.mark.parametrize(
    ("columns", "found"),
    [(8, [(0, 8)]), (9, [(0, 8), (1, 1)]), (16, [(0, 8), (8, 8)]), (21, [(0, 8), (8, 8), (13, 5)])],
)
def test_windows_abut_and_the_last_one_ends_with_the_clip(columns, found):
    assert windows(columns, 8) == found
    assert sum(new for _, new in found) == columns


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_first_columns_of_both_orders_of_tokens(backbone):
    tokens = made(backbone).tokens
    found = first_columns(tokens, 3).tolist()
    time = list(range(24)) if "audiomae" in backbone else [16 * freq + t for freq in range(8) for t in range(3)]
    assert found == time


@torch.no_grad()
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize(("method", "options"), METHODS)
def test_a_shorter_clip_is_what_a_model_of_its_length_gives_with_these_positions(backbone, method, options):
    long = made(backbone, method, 1.0 if method == "none" else 0.5, options=options)
    columns = 7
    short = made(backbone, method, 1.0 if method == "none" else 0.5, frames=16 * columns, options=options)
    weights = long.state_dict()
    table = next(name for name in weights if name.endswith("pos_embed"))
    prefix, start = long.tokens.prefix, weights[table].clone()
    rows = long.window.of(torch.arange(-prefix, 512)[None, :, None]).flatten()[first_columns(long.tokens, columns)]
    its = short.window.of(torch.arange(-prefix, 512)[None, :, None]).flatten()
    start[:, its + prefix] = weights[table][:, rows + prefix]
    short.load_state_dict(weights | {table: start})
    x = clips(16 * columns)
    assert torch.allclose(long(x), short(x), atol=1e-5)
    assert not torch.allclose(long(x), long(clips(FRAMES)), atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("keep_rate", [1.0, 0.5])
def test_full_length_is_what_it_always_was(backbone, keep_rate):
    model = made(backbone, keep_rate=keep_rate)
    x = clips(FRAMES)
    everything = torch.arange(model.tokens.patches).expand(len(x), -1)
    with_all = model(x, everything)
    assert torch.equal(model(x), type(model).__mro__[2].forward(model, x))
    assert torch.equal(model(x), with_all)


@torch.no_grad()
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("method", ["topk", "random", "intensity", "tome", "uniform"])
def test_of_a_batch_each_clip_is_as_alone_and_its_last_column_is_padded_with_its_minimum(backbone, method):
    model = made(backbone, method)
    x = clips(98)
    together = model(x)
    assert torch.allclose(together, torch.cat([model(one[None]) for one in x]), atol=1e-6)
    by_hand = torch.cat(
        [x, x.amin((1, 2), keepdim=True).expand(-1, 14, 128)], dim=1
    )  # 98 frames end in column 7 of 112
    assert torch.equal(together, model(by_hand))


@torch.no_grad()
def test_a_longer_clip_is_the_mean_of_its_windows_by_new_columns():
    model = made()
    x = clips(16 * 37 + 3)  # 38 columns: 16, 16, and one window of 16 of which 6 are new
    filled = torch.cat([x, x.amin((1, 2), keepdim=True).expand(-1, 13, 128)], dim=1)
    parts = [model(filled[:, 16 * first : 16 * first + FRAMES]) for first in (0, 16, 22)]
    expected = (16 * parts[0] + 16 * parts[1] + 6 * parts[2]) / 38
    assert torch.allclose(model(x), expected, atol=1e-6)


@torch.no_grad()
def test_tokens_of_a_shorter_clip():
    model = made()
    counts = []
    handles = [
        block.register_forward_pre_hook(lambda _, inputs: counts.append(inputs[0].shape[1])) for block in model.blocks
    ]
    model(clips(98))
    for handle in handles:
        handle.remove()
    assert counts == [57, 57, 29, 15]  # 1 + 8 x 7, then ceil(56 / 2), ceil(28 / 2)


def test_overlapping_patches_are_refused():
    model = made(stride=10, frames=256)
    with pytest.raises(UserError, match="16 wide and 10 apart: cut or pad a clip of 98 frames to the model's 256"):
        model(clips(98))


@torch.no_grad()
def test_a_copy_is_a_model_of_its_own():
    model = made()
    copied = copy.deepcopy(model)
    assert isinstance(copied, AnyLength)
    copied.head.bias.add_(1)
    assert torch.allclose(copied(clips(98)), model(clips(98)) + 1)
