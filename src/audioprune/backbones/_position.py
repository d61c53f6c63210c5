"""Position embeddings: one table for a full-length input (1024 frames), of which shorter inputs use some columns.

A table is (1, e + R C, D): e extra tokens, then R rows x C columns; with 16 x 16 patches R = 8 and C = 64. A model of c
time columns takes columns start .. start + c - 1 of every row, read row by row:

AudioMAE  start 0. The sin-cos table was generated on a frequency x time grid but is added to time-major tokens, and
          shorter inputs take the first c columns of its 8 rows (released code: models_vit.py). With 8 frequency rows
          and c a multiple of 8, a token keeps its frequency but gets a strided choice of times: for 512 frames 0-3,
          8-11, 16-19, ..., for 128 frames 0, 8, 16, ...  Needed as it is to use official checkpoints.
AST       the middle c columns, start (C - c) // 2 rounded as C // 2 - c // 2 (released code: ast_models.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

FULL_FRAMES = 1024


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


def crop(table: Tensor, *, extra: int, rows: int, start: int, count: int) -> Tensor:
    """Columns start .. start + count - 1 of every row: (1, extra + rows * C, D) -> (1, rows * count, D)."""
    grid = table[:, extra:].unflatten(1, (rows, -1))  # (1, R, C, D)
    return grid[:, :, start : start + count].flatten(1, 2)


def middle(columns: int, count: int) -> int:
    """First of the middle `count` columns, as AST's released code counts it: 32 - c // 2 of 64."""
    return columns // 2 - count // 2


def adopt(table: Tensor, found: Tensor, *, extra: int, rows: int, start: int, count: int) -> Tensor | None:
    """A checkpoint's embedding in the form of this model's table, or None where it cannot be.

    It is taken whole if it is of the table's size; if it is of just this model's tokens, as in checkpoints of models
    fine-tuned with short inputs, it goes to the columns that this model reads.
    """
    if found.shape == table.shape:
        return found
    if found.shape != (1, extra + rows * count, table.shape[2]):
        return None
    adopted = table.clone()
    adopted[:, :extra] = found[:, :extra]
    adopted[:, extra:].unflatten(1, (rows, -1))[:, :, start : start + count] = found[:, extra:].unflatten(1, (rows, -1))
    return adopted
