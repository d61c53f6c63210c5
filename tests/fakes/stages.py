"""What the tests of intensity and variation share: a hand-made view of six patches and two stages of selection."""

import torch

from audioprune.models.pruner import Pruner, Survivors, prune


def stages(pruner: Pruner, pixels: torch.Tensor, extra: int, keep_rate: float, n: int = 2) -> list[list[int]]:
    """Patch numbers of the whole sequence after each selection; tokens carry their number, and stay in step with it."""
    numbers = torch.cat([torch.full((extra,), -1), torch.arange(pixels.shape[1])])[None]
    survivors = Survivors(numbers, pixels, extra, extra)
    x, found = numbers[..., None].float(), []
    for block in range(n):
        x, survivors = prune(x, survivors, pruner, keep_rate=keep_rate, block=block, score=None)
        assert torch.equal(x[..., 0].long(), survivors.numbers)
        found.append(survivors.numbers[0].tolist())
    return found
