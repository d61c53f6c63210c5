"""What the tests of intensity and variation share: a hand-made view of six patches and two stages of selection."""

import torch

from audioprune.models.pruner import Pruner, Survivors, prune


def stages(pruner: Pruner, pixels: torch.Tensor, prefix: int, keep_rate: float, n: int = 2) -> list[list[int]]:
    """Patch numbers of the whole sequence after each selection; tokens carry their number, and stay in step with it."""
    patch_ids = torch.cat([torch.full((prefix,), -1), torch.arange(pixels.shape[1])])[None]
    survivors = Survivors(patch_ids, pixels, prefix, prefix)
    x, found = patch_ids[..., None].float(), []
    for block in range(n):
        x, survivors = prune(x, survivors, pruner, keep_rate=keep_rate, block=block, score=None)
        assert torch.equal(x[..., 0].long(), survivors.patch_ids)
        found.append(survivors.patch_ids[0].tolist())
    return found
