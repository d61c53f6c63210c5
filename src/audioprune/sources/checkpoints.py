"""What a checkpoint is, by names and shapes of its tensors: format, family, size and stride."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audioprune import registry
from audioprune.errors import UserError
from audioprune.facts.tokens import FULL_FRAMES, PATCH, grid
from audioprune.sources.shapes import shapes_of

Form = Literal["official", "encoder", "timm", "transformers", ""]
TRANSFORMERS = "audio_spectrogram_transformer."  # what begins the names of its encoder, unless that is saved alone
PREFIX = {"audiomae": 1, "ast": 2}  # tokens before the patches, by what both forms of a family have


@dataclass(frozen=True)
class Kind:
    """What a checkpoint is; family and form are empty for what no backbone here can take."""

    family: str
    form: Form
    words: str


def kind_of(shapes: Mapping[str, tuple[int, ...]]) -> Kind:
    """The kind of a checkpoint, by names as they stand in the file (without `module.`)."""
    names = shapes.keys()
    bare = {name.removeprefix(TRANSFORMERS): shape for name, shape in shapes.items()}
    if "embeddings.distillation_token" in bare:
        return Kind("ast", "transformers", "transformers' form of AST")
    if any(".attention.attention.query." in name for name in names):
        return Kind("", "", "a vision transformer of transformers for images")
    channels = next((shape[1] for name, shape in shapes.items() if _is_projection(name, shape)), 0)
    if not channels:
        return Kind("", "", "no transformer of patches: it has no patch_embed.proj.weight")
    if channels != 1:
        return Kind("", "", f"a vision transformer for images: its patches have {channels} channels, spectrograms one")
    if "v.pos_embed" in names:
        return Kind("ast", "official", "an AST checkpoint")
    if "dist_token" in names:
        return Kind("ast", "encoder", "the encoder of an AST (its `v` alone)")
    if any(name.startswith("decoder_") for name in names):
        return Kind("audiomae", "official", "an AudioMAE pre-training")
    if "fc_norm.weight" in names:
        if "head.weight" in names:
            return Kind("audiomae", "official", "an AudioMAE fine-tuned (or timm's form of one)")
        return Kind("audiomae", "timm", "timm's form of an AudioMAE pre-training")
    if "head.weight" in names:
        return Kind("", "", "a vision transformer that predicts from its class token, as AudioMAE does not")
    return Kind("audiomae", "official", "the encoder of an AudioMAE pre-training")


def _is_projection(name: str, shape: tuple[int, ...]) -> bool:
    return name.removeprefix("v.") == "patch_embed.proj.weight" and len(shape) == 4


def stride_of(shapes: Mapping[str, tuple[int, ...]], prefix: int) -> int | None:
    """Step between patches by the number of positions of a full-length input; None where none gives that many."""
    positions = next((shape for name, shape in shapes.items() if _is_positions(name)), ())
    if len(positions) != 3:
        return None
    for stride in range(PATCH, 0, -1):
        columns, rows = grid(FULL_FRAMES, PATCH, stride)
        if columns * rows + prefix == positions[1]:
            return stride
    return None


def _is_positions(name: str) -> bool:
    return name.removeprefix(TRANSFORMERS) in ("pos_embed", "v.pos_embed", "embeddings.position_embeddings")


def check(path: Path, backbone: str) -> None:
    """Raise UserError where a file is no checkpoint that a backbone of this name can begin with."""
    facts, shapes = registry.backbone(backbone), shapes_of(path)
    kind, family = kind_of(shapes), facts.family.like or facts.family.name
    if kind.family != family:
        raise UserError(f"{path} is {kind.words}, which cannot initialise {backbone}")
    width = next((shape[-1] for name, shape in shapes.items() if _is_positions(name)), 0)
    depth = len({number for name in shapes if (number := _block(name)) is not None})
    if (width, depth) != (facts.size.width, facts.size.depth):
        raise UserError(
            f"{path} is {kind.words} of {depth} blocks, {width} wide, and {backbone} has {facts.size.depth} blocks, "
            f"{facts.size.width} wide"
        )
    stride = stride_of(shapes, PREFIX[family])
    if stride not in (None, PATCH):
        raise UserError(f"{path} is {kind.words} of stride {stride}, and studies train models of stride {PATCH}")


def _block(name: str) -> int | None:
    """Number of the encoder's block that a tensor is of, if it is of one."""
    parts = name.removeprefix(TRANSFORMERS).removeprefix("v.").removeprefix("encoder.").split(".")
    return int(parts[1]) if parts[0] in ("blocks", "layer") and len(parts) > 1 and parts[1].isdigit() else None
