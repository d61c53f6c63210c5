"""Checks of a model's numbers (tokens, blocks, keep-rate) before it is built or its MACs are counted. No torch.

The library, the closed form of MACs and training ask the same questions here, so that none of them answers what another
refuses. Each raises UserError with the value and what would do instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from audioprune.errors import UserError
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.tokens import FULL_FRAMES, Tokens, grid, keep_counts


def check_whole(**values: object) -> None:
    """Positive whole numbers, by name."""
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UserError(f"{name}={value!r} is not a positive whole number")


def check_cut(frames: int, patch: int, stride: int) -> None:
    """An input of `frames` x 128 mel bins that is cut into patches, which the table of positions can place."""
    check_whole(frames=frames, patch=patch, stride=stride)
    if patch > MEL_BINS or stride > patch:
        raise UserError(f"patch={patch}, stride={stride}: patches must fit {MEL_BINS} mel bins and leave no gaps")
    if stride == patch and MEL_BINS % patch:
        raise UserError(f"{MEL_BINS} mel bins are not cut evenly by patches of {patch}")
    if frames < patch or (stride == patch and frames % patch):
        raise UserError(f"{frames} frames are not cut evenly by patches of {patch}: {_near(frames, patch)}")
    (time, _), (longest, _) = grid(frames, patch, stride), grid(FULL_FRAMES, patch, stride)
    if time > longest:
        raise UserError(
            f"{frames} frames make {time} patch columns, but the position embedding has {longest} "
            f"({FULL_FRAMES} frames): cut the input to {FULL_FRAMES} frames or fewer"
        )


def _near(frames: int, patch: int) -> str:
    """The lengths next to one that does not do; a clip is cut or padded to either."""
    below, above = frames // patch * patch, -(-frames // patch) * patch
    fits = [str(length) for length in (below, above) if 0 < length <= FULL_FRAMES]
    return f"take {' or '.join(fits) or FULL_FRAMES}, to which clips are cut or padded"


def check_blocks(blocks: Iterable[int], depth: int) -> tuple[int, ...]:
    """Selecting blocks, different and rising."""
    try:
        chosen = tuple(blocks)
    except TypeError:
        raise UserError(f"blocks={blocks!r} is no list of numbers such as (3, 6, 9)") from None
    if list(chosen) != sorted({b for b in chosen if isinstance(b, int) and 0 <= b < depth}):
        raise UserError(f"blocks={chosen} must be different, rising numbers from 0 to {depth - 1}")
    return chosen


def check_number(name: str, value: object) -> float:
    """A finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise UserError(f"{name}={value!r} is not a number")
    return float(value)


def check_keep_rate(keep_rate: object) -> float:
    if not 0 < (value := check_number("keep_rate", keep_rate)) <= 1:
        raise UserError(f"keep_rate={keep_rate} is not in (0, 1]")
    return value


def check_counts(tokens: Tokens, keep_rate: float, locations: int, *, released_gather: bool) -> list[int]:
    """K at each selecting block. With the released gather it can fall to nothing, and pooling needs more tokens than
    it takes for prefix ones."""
    counts = keep_counts(keep_rate, tokens.patches, tokens.prefix, locations, released_gather=released_gather)
    if counts and min(counts) < (1 + 1 if released_gather else 1):
        raise UserError(
            f"keep_rate={keep_rate} leaves {', '.join(map(str, counts))} of {tokens.patches} tokens: too few"
        )
    return counts
