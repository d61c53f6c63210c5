"""A fixed order of patches of which every prefix is spread evenly over time and frequency (ordered dithering).

In the 8 x 8 Bayer matrix every prefix of the order is spread evenly in both directions (half of it is a chessboard, a
quarter every second row and column); several tiles are filled in turn.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audioprune.facts.tokens import Tokens, token_order
from audioprune.models.pruner import View

BITS = 3
TILE = 1 << BITS


class Grid(nn.Module):
    place: Tensor

    def __init__(self, tokens: Tokens):
        super().__init__()
        places = token_order(tokens.orientation, tokens.time, tokens.freq)
        self.register_buffer("place", grid_order(places), persistent=False)

    def forward(self, view: View) -> Tensor:
        return -self.place[view.patches]  # (B, n)


def grid_order(places: list[tuple[int, int]]) -> Tensor:
    """Place of each patch (time, freq) in the fixed order, (P,) int64; 0 stays longest."""
    keys = [(bayer(t % TILE, f % TILE), reverse_bits(t // TILE, 10), f // TILE) for t, f in places]
    place = torch.empty(len(places), dtype=torch.int64)
    place[torch.tensor(sorted(range(len(places)), key=keys.__getitem__))] = torch.arange(len(places))
    return place


def bayer(t: int, f: int) -> int:
    """Threshold 0..63 of a cell of the 8 x 8 Bayer matrix: the bits of t ^ f and f interleaved, lowest bits first."""
    value = 0
    for bit in range(BITS):
        value = value << 2 | ((t ^ f) >> bit & 1) << 1 | (f >> bit & 1)
    return value


def reverse_bits(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)
