"""Multiply-accumulates of one clip in closed form, itemised, in exact integers. Standard library only.

The counting rules are torchprofile's, so that P0 Table 1 can be compared: convolutions, linear layers and matrix
products count their multiply-accumulates; LayerNorm, a mean and an element-wise product count one for each element of
their output; softmax, GELU, additions, selections and gathers count nothing. torchprofile itself, run on the eager
kernel (attention scaled after QK^T), gives the same integers: see profiling/traced.py.

Letters: P patches, e extra tokens, n tokens entering a block, m tokens leaving its selection, D width, H heads.

What a method adds
    topk                    n - e where a score is taken, the output of the mean, whichever score it is
    random, uniform         nothing
    intensity, variation    nothing: sums and standard deviations do not count; with variant="as_released" the extra
                            tokens are lost at the first selection, and later K are ceil(keep_rate (n - e)) all the same
    tome                    with r: so many merges in every block between attention and MLP, at most (n - e) // 2,
                            whatever the keep-rate; else to ceil(keep_rate (n - e)) at the selecting blocks. Pooling by
                            the mean is over sizes, one product for each element of the tokens left. Left out are the
                            similarities that it compares, (n/2)^2 D/H a block or 0.1 to 0.2 % of an unpruned model, and
                            the averages that it takes, n D
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from audioprune import registry
from audioprune.backbones._sizes import SIZES
from audioprune.errors import UserError

MEL_BINS = 128
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

    extra: int  # extra tokens
    mean: bool  # prediction from the mean over the tokens, else from the extra tokens' own mean, which counts nothing
    norm_all: bool  # a norm of all tokens before pooling, and another of what is pooled; else the latter only
    width: int
    heads: int
    depth: int


FAMILIES = {"audiomae": (1, True, False), "ast": (2, False, True), "ast-mp": (2, True, True)}
SCORED = ("topk",)


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
    blocks: Sequence[int] = (3, 6, 9),
    options: Mapping[str, object] | None = None,
    patch: int = 16,
    stride: int = 16,
    width: int | None = None,
    num_heads: int | None = None,
    depth: int | None = None,
) -> Macs:
    """MACs of `backbone` on one clip of `frames` x 128; UserError for a name or value that does not exist."""
    shape = shape_of(backbone, width=width, heads=num_heads, depth=depth)
    patches = patches_of(frames, patch, stride)
    options = dict(options or {})
    items = dict.fromkeys(ITEMS, 0)
    items["patch_embedding"] = patch * patch * patches * shape.width
    per_block, n = [], patches + shape.extra
    for block, m, score in _tokens(method, options, patches, shape.extra, keep_rate, blocks, shape.depth):
        own = block_items(n, m, shape.width, shape.heads, score)
        for item, macs in own.items():
            items[item] += macs
        per_block.append({"block": block, "tokens_in": n, "tokens_out": m, **own})
        n = m
    merged = method == "tome" and n < patches + shape.extra
    items["pooling"] = ((n - shape.extra if merged else 1) * shape.width) if shape.mean else 0
    items["final_norm"] = (n + 1) * shape.width if shape.norm_all else shape.width
    items["head"] = shape.width * num_classes
    return Macs(items, per_block)


def of_settings(settings, keep_rate: float) -> Macs:
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
        options=settings.options,
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


def patches_of(frames: int, patch: int = 16, stride: int = 16) -> int:
    """Number of patches of a (frames, 128) spectrogram: 64 for 128 frames, 1212 for 1024 at stride 10."""
    if frames < patch:
        raise UserError(f"frames={frames} is less than one patch of {patch}")
    return ((frames - patch) // stride + 1) * ((MEL_BINS - patch) // stride + 1)


def shape_of(backbone: str, **other: int | None) -> Shape:
    """Shape of a backbone by name; a width, heads or depth that is given stands instead of its own."""
    family, _, size = backbone.rpartition("-")
    if family not in FAMILIES or size not in SIZES:
        valid = [f"{one}-{suffix}" for one in FAMILIES for suffix in SIZES]
        raise UserError(f"no MACs known of a backbone named {backbone!r}{registry.nearest(backbone, valid)}")
    own = {"width": SIZES[size].width, "heads": SIZES[size].num_heads, "depth": SIZES[size].depth}
    return Shape(*FAMILIES[family], **{name: other.get(name) or value for name, value in own.items()})


def keep_count(keep_rate: float, n: int) -> int:
    """K = ceil(keep_rate n) with the rate read as its decimal: 0.6 of 185 is 111 (float32 gives 112)."""
    return ceil(Fraction(str(float(keep_rate))) * n)


def _tokens(
    method: str,
    options: dict,
    patches: int,
    extra: int,
    keep_rate: float,
    blocks: Sequence[int],
    depth: int,
) -> Iterator[tuple[int, int, int]]:
    """Yield for each block: its number, the tokens after its selection, and the elements of a score's mean."""
    valid = registry.names("pruning")
    if method not in valid:
        raise UserError(f"no pruning method named {method!r}{registry.nearest(method, valid)}")
    if not 0 < keep_rate <= 1:
        raise UserError(f"keep-rate {keep_rate} is not in (0, 1]")
    wrong = [block for block in blocks if not 0 <= block < depth]
    if wrong:
        raise UserError(f"block {wrong[0]} does not exist: blocks are numbered 0 to {depth - 1}")
    n, lost = patches + extra, False
    for block in range(depth):
        score = 0
        if method == "tome" and "r" in options:
            n -= min(_merges(options), (n - extra) // 2)
        elif method != "none" and keep_rate < 1 and block in blocks:
            score = n - extra if method in SCORED else 0
            lost = lost or options.get("variant") == "as_released"
            m = keep_count(keep_rate, n - extra) + (0 if lost else extra)
            if method == "tome" and n - m > (n - extra) // 2:
                raise UserError(f"keep-rate {keep_rate} is below 0.5: tome merges at most half of a block's tokens")
            n = m
        yield block, n, score


def _merges(options: dict) -> int:
    r = options["r"]
    if not isinstance(r, int) or r < 0:
        raise UserError(f"tome: r={r!r} is not the number of merges in every block; for example r=20")
    return r
