"""Multiply-accumulates of one clip in closed form, itemised, in exact integers. Standard library only.

The counting rules are torchprofile's, so that P0 Table 1 can be compared: convolutions, linear layers and matrix
products count their multiply-accumulates; LayerNorm, a mean and an element-wise product count one for each element of
their output; softmax, GELU, additions, selections and gathers count nothing. torchprofile itself, run on the eager
kernel (attention scaled after QK^T), gives the same integers: see profiling/traced.py.

Letters: P patches, e prefix tokens, n tokens entering a block, m tokens leaving its selection, D width, H heads.

What a method adds
    topk                    n - e where a score is taken, the output of the mean, whichever score it is
    random, uniform         nothing
    intensity, variation    nothing: sums and standard deviations do not count; with variant="as_released" the prefix
                            tokens are lost at the first selection, and later K are ceil(keep_rate (n - e)) all the same
    tome                    with r: so many merges in every block between attention and MLP, at most (n - e) // 2,
                            whatever the keep-rate; else to ceil(keep_rate (n - e)) at the selecting blocks. Pooling by
                            the mean is over sizes, one product for each element of the tokens left. Left out are the
                            similarities that it compares, (n/2)^2 D/H a block or 0.1 to 0.2 % of an unpruned model, and
                            the averages that it takes, n D
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.errors import UserError
from audioprune.facts.backbone import Family
from audioprune.facts.checks import check_blocks, check_counts, check_cut, check_keep_rate
from audioprune.facts.options import option_names, refusal
from audioprune.facts.tokens import BLOCKS, PATCH, grid, keep_count

if TYPE_CHECKING:
    from audioprune.settings.costs import MacsSettings, ThroughputSettings

ITEMS = {
    "patch_embedding": "patch embedding",
    "norms": "layer norms of the blocks",
    "qkv": "query, key, value",
    "qk": "attention, QK^T",
    "scaling": "attention, scaling",
    "av": "attention, AV",
    "projection": "attention, projection",
    "score": "token scores",
    "mlp": "MLP",
    "pooling": "pooling",
    "final_norm": "final norm",
    "head": "head",
}


@dataclass(frozen=True)
class Shape:
    """What of a backbone decides its cost."""

    family: Family
    width: int
    heads: int
    depth: int


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates of one clip."""

    items: dict[str, int]  # by the names of ITEMS, zeros included
    per_block: list[dict[str, int]] = field(repr=False)  # block, tokens_in, tokens_out, then its items

    @property
    def total(self) -> int:
        return sum(self.items.values())

    @property
    def gmacs(self) -> float:
        return self.total / 1e9


def count(
    backbone: str,
    *,
    frames: int,
    num_classes: int,
    method: str = "topk",
    keep_rate: float = 1.0,
    blocks: Sequence[int] = BLOCKS,
    options: Mapping[str, object] | None = None,
    patch: int = PATCH,
    stride: int = PATCH,
    width: int | None = None,
    num_heads: int | None = None,
    depth: int | None = None,
) -> Macs:
    """MACs of `backbone` on one clip of `frames` x 128; UserError for a name or value that does not exist."""
    shape = shape_of(backbone, width=width, heads=num_heads, depth=depth)
    check_cut(frames, patch, stride)
    family, patches, options = shape.family, patches_of(frames, patch, stride), dict(options or {})
    keep_rate, blocks = check_keep_rate(keep_rate), check_blocks(blocks, shape.depth)
    if keep_rate < 1 and method in registry.names("pruning") and not registry.method(method).is_constant(options):
        tokens, released_gather = family.tokens(frames, patch, stride), registry.method(method).loses(options)
        check_counts(tokens, keep_rate, len(blocks), released_gather=released_gather)
    items = dict.fromkeys(ITEMS, 0)
    items["patch_embedding"] = patch * patch * patches * shape.width
    per_block, n = [], patches + family.prefix
    for block, m, score in _tokens(method, options, patches, family.prefix, keep_rate, blocks, shape.depth):
        own = block_items(n, m, shape.width, shape.heads, score)
        for item, macs in own.items():
            items[item] += macs
        per_block.append({"block": block, "tokens_in": n, "tokens_out": m, **own})
        n = m
    merged = registry.method(method).merges and n < patches + family.prefix
    items["pooling"] = (n - family.prefix if merged else 1) * shape.width if family.pooling == "mean" else 0
    items["final_norm"] = (n + 1) * shape.width if family.norm_tokens else shape.width
    items["head"] = shape.width * num_classes
    return Macs(items, per_block)


def of_settings(settings: MacsSettings | ThroughputSettings, keep_rate: float) -> Macs:
    """Of a counted or timed model (MacsSettings, ThroughputSettings) at one of its keep-rates.

    At 1, of the unpruned model: a method with a constant r merges at any keep-rate.
    """
    return count(
        settings.model.backbone,
        frames=settings.frames,
        num_classes=settings.num_classes,
        method=settings.method if keep_rate < 1 else "none",
        keep_rate=keep_rate,
        blocks=settings.blocks,
        options=settings.options if keep_rate < 1 else {},
        patch=settings.model.patch,
        stride=settings.model.stride,
    )


def block_items(n: int, m: int, width: int, heads: int, score: int) -> dict[str, int]:
    """One transformer block: n tokens at attention, m after the selection."""
    return {
        "norms": (n + m) * width,
        "qkv": 3 * n * width * width,
        "qk": n * n * width,
        "scaling": heads * n * n,
        "av": n * n * width,
        "projection": n * width * width,
        "score": score,
        "mlp": 8 * m * width * width,
    }


def patches_of(frames: int, patch: int = PATCH, stride: int = PATCH) -> int:
    """Number of patches of a (frames, 128) spectrogram: 64 for 128 frames, 1212 for 1024 at stride 10."""
    if frames < patch:
        raise UserError(f"frames={frames} is less than one patch of {patch}")
    try:
        return math.prod(grid(frames, patch, stride))
    except ValueError as error:
        raise UserError(str(error)) from None


def shape_of(backbone: str, **other: int | None) -> Shape:
    """Shape of a backbone by name; a width, heads or depth that is given stands instead of its own."""
    if backbone not in (valid := registry.names("backbones")):
        raise UserError(f"no backbone named {backbone!r}{registry.nearest(backbone, valid)}")
    facts = registry.backbone(backbone)
    own = {"width": facts.size.width, "heads": facts.size.num_heads, "depth": facts.size.depth}
    return Shape(facts.family, **{name: other.get(name) or value for name, value in own.items()})


def _tokens(
    method: str,
    options: dict,
    patches: int,
    prefix: int,
    keep_rate: float,
    blocks: Sequence[int],
    depth: int,
) -> Iterator[tuple[int, int, int]]:
    """Yield for each block: its number, the tokens after its selection, and the elements of a score's mean."""
    valid = registry.names("pruning")
    if method not in valid:
        raise UserError(f"no pruning method named {method!r}{registry.nearest(method, valid)}")
    facts, build = registry.method(method), registry.get("pruning", method).build
    for name, value in options.items():
        if name not in (known := option_names(build)):
            raise UserError(f"method {method!r} has no option {name!r}{registry.nearest(name, known)}")
        if wrong := refusal(facts, build, name, value):
            raise UserError(f"method {method!r}: {wrong}")
    n, lost = patches + prefix, False
    for block in range(depth):
        score = 0
        if facts.is_constant(options):
            n -= min(options[facts.constant], (n - prefix) // 2)
        elif method != "none" and keep_rate < 1 and block in blocks:
            score = n - prefix if facts.scored else 0
            lost = lost or facts.loses(options)
            m = keep_count(keep_rate, n - prefix) + (0 if lost else prefix)
            if facts.merges and n - m > (n - prefix) // 2:
                raise UserError(f"keep-rate {keep_rate} is below 0.5: {method} merges at most half of a block's tokens")
            n = m
        yield block, n, score
