"""Position embeddings: the sin-cos table, and which of its places shorter inputs use."""

import pytest
import torch

from audioprune.models.position import Window, leading, middle, sincos
from audioprune.models.weights import read_checkpoint
from tests import REPOSITORY

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"


def places(window: Window, columns: int = 64) -> list[int]:
    """Numbers of the table's rows, prefix tokens not counted, that a model uses."""
    table = torch.arange(-window.prefix, 8 * columns).view(1, -1, 1)
    return window.of(table).flatten().tolist()


def test_sincos_by_hand():
    table = sincos(8, 2, 3)  # omega 1 and 1/100
    column, row = torch.tensor(2.0), torch.tensor(1.0)
    expected = [f(p * w) for p in (column, row) for f in (torch.sin, torch.cos) for w in (1.0, 0.01)]
    assert torch.allclose(table[1 * 3 + 2], torch.stack(expected))
    assert table[0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    with pytest.raises(ValueError, match="4 divides, not 6"):
        sincos(6, 2, 2)


def test_sincos_is_the_official_table():
    official = read_checkpoint(PARITY / "audiomae_tiny_official_format.pth")[0]["pos_embed"]
    assert torch.allclose(sincos(48, 8, 64), official[0, 1:], atol=5e-6)
    assert official[0, 0].abs().max() == 0


@pytest.mark.parametrize(
    ("frames", "times"),
    [
        (1024, list(range(64))),
        (512, [t for start in range(0, 64, 8) for t in range(start, start + 4)]),
        (256, [t for start in range(0, 64, 8) for t in range(start, start + 2)]),
        (128, [0, 8, 16, 24, 32, 40, 48, 56]),
        (64, [0, 8, 16, 24]),
    ],
)
def test_audiomae_keeps_frequency_and_strides_over_time(frames, times):
    found = places(leading(64, 8, frames // 16, 8))
    assert [place % 8 for place in found] == [i % 8 for i in range(frames // 2)]  # token i has frequency i % 8
    assert [place // 8 for place in found[::8]] == times


def test_audiomae_is_the_first_columns_of_each_row_where_eight_divides_them():
    assert places(leading(64, 8, 32, 8)) == [64 * row + column for row in range(8) for column in range(32)]
    assert places(leading(64, 8, 8, 8)) == [64 * row + column for row in range(8) for column in range(8)]
    assert leading(64, 8, 63, 8).count == 64
    assert len(places(leading(64, 8, 63, 8))) == 63 * 8


@pytest.mark.parametrize(("columns", "start"), [(64, 0), (32, 16), (8, 28), (4, 30), (5, 30), (1, 32)])
def test_ast_takes_the_middle_columns(columns, start):
    found = places(middle(64, 8, columns))
    assert found == [64 * row + start + column for row in range(8) for column in range(columns)]


def test_adopt():
    window = middle(64, 8, 8)
    table = torch.zeros(1, 514, 4)
    whole = torch.rand(1, 514, 4)
    assert window.adopt(table, whole) is whole
    short = torch.rand(1, 66, 4)
    adopted = window.adopt(table, short)
    assert torch.equal(window.of(adopted), short[:, 2:])
    assert torch.equal(adopted[:, :2], short[:, :2])
    assert adopted[:, 2:].count_nonzero() == 64 * 4
    other = torch.rand(1, 67, 4)
    assert window.adopt(table, other) is other


def test_adopt_where_only_the_first_tokens_count():
    window = leading(64, 8, 4, 8)  # 64 frames
    short = torch.rand(1, 33, 4)
    assert torch.equal(window.of(window.adopt(torch.zeros(1, 513, 4), short)), short[:, 1:])
