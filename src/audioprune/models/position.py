"""Position embeddings: one table for a full-length input (1024 frames), of which shorter inputs use some columns.

A table is (1, e + R C, D): e prefix tokens, then R rows x C columns; with 16 x 16 patches R = 8 and C = 64. A model
of c time columns takes columns start .. start + c - 1 of every row, read row by row:

AudioMAE  start 0. The sin-cos table was generated on a frequency x time grid but is added to time-major tokens, and
          shorter inputs take the first c columns of its 8 rows (released code: models_vit.py). With 8 frequency rows
          and c a multiple of 8, a token keeps its frequency but gets a strided choice of times: for 512 frames 0-3,
          8-11, 16-19, ..., for 128 frames 0, 8, 16, ...  Needed as it is to use official checkpoints.
          # DIFFERS: where 8 does not divide c (the paper has no such input), taking c columns would give tokens of one
          frequency the embeddings of another. Such a model takes those of the next longer input that 8 divides, of
          which its tokens are the first: 64 frames have times 0, 8, 16, 24.
AST       the middle c columns, start (C - c) // 2 rounded as C // 2 - c // 2 (released code: ast_models.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def sincos(width: int, rows: int, columns: int) -> Tensor:
    """Fixed 2-D sin-cos embedding of a rows x columns grid: (rows * columns, width) float32.

    The first half of the width encodes the column, the second the row; each half is sines, then cosines, of the index
    times 10000 ** (-k / (width / 4)) (He et al. 2022, masked autoencoders).
    """
    if width % 4:
        raise ValueError(f"a 2-D sin-cos embedding needs a width that 4 divides, not {width}")
    omega = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))

    def one(index: Tensor) -> Tensor:
        angle = index.reshape(-1, 1).double() * omega  # (rows * columns, width / 4)
        return torch.cat([angle.sin(), angle.cos()], dim=1)

    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.cat([one(column), one(row)], dim=1).float()


@dataclass(frozen=True)
class Window:
    """What a model uses of a table: `count` columns of each of `rows` rows, and of those the first `tokens`."""

    prefix: int
    rows: int
    start: int
    count: int
    tokens: int

    def of(self, table: Tensor) -> Tensor:
        """(1, e + R C, D) -> (1, tokens, D)."""
        grid = table[:, self.prefix :].unflatten(1, (self.rows, -1))  # (1, R, C, D)
        return grid[:, :, self.start : self.start + self.count].flatten(1, 2)[:, : self.tokens]

    def adopt(self, table: Tensor, found: Tensor) -> Tensor:
        """A checkpoint's embedding in the form of this model's table; what fits neither way is given back as it is.

        One of just this model's tokens, as in checkpoints of models fine-tuned with short inputs, goes to the places
        that this model reads.
        """
        if found.shape == table.shape or found.shape != (1, self.prefix + self.tokens, table.shape[2]):
            return found
        places = (
            self.of(torch.arange(-self.prefix, table.shape[1] - self.prefix)[None, :, None]).flatten() + self.prefix
        )
        adopted = table.clone()
        adopted[:, : self.prefix] = found[:, : self.prefix]
        adopted[:, places] = found[:, self.prefix :]
        return adopted


def leading(columns: int, rows: int, count: int, freq: int) -> Window:
    """AudioMAE's window for `count` time-major columns of `freq` tokens."""
    return Window(prefix=1, rows=rows, start=0, count=min(columns, -(-count // freq) * freq), tokens=count * freq)


def middle(columns: int, rows: int, count: int) -> Window:
    """AST's window, which starts at column 32 - c // 2 of 64."""
    return Window(prefix=2, rows=rows, start=columns // 2 - count // 2, count=count, tokens=rows * count)
