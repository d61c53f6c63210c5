"""audioprune as a library: a model from an official checkpoint, the fbank of an audio file, and a trace of the model.

import audioprune
model = audioprune.load_model(backbone="ast", checkpoint="ast.pth", num_classes=527, frames=1024, keep_rate=0.7)
x = audioprune.fbank("dog.wav", frames=None, dataset="as20k")  # normalised log-mel (1, F, 128), as long as it is
logits = model(x)
seen = audioprune.trace(model, x)

model = audioprune.prune_whisper(whisper.load_model("base"), policy="topk", keep_rate=0.25, blocks=(2,))
text = model.transcribe("speech.wav")["text"]
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from audioprune import registry
from audioprune.audio.bad_clip import BadClip
from audioprune.audio.decode import decode
from audioprune.audio.fbank import log_mel, natural_frames, normalise
from audioprune.audio.store import SCALE, quantise
from audioprune.errors import UserError
from audioprune.facts.checks import check_cut, check_number, check_whole
from audioprune.facts.method import Value
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.models.build import assemble
from audioprune.models.family import Classifier
from audioprune.models.init import initialise_head
from audioprune.models.native import AnyLength, any_length
from audioprune.models.perturb import perturb
from audioprune.models.trace import Trace
from audioprune.models.trace import trace as trace_window
from audioprune.models.weights import checked_path, load_checkpoint, read_checkpoint, read_head
from audioprune.sources.checkpoints import Kind, kind_of, stride_of

if TYPE_CHECKING:
    from whisper.model import Whisper

__all__ = ["Trace", "fbank", "load_model", "prune_whisper", "trace"]


def fbank(
    file: Path | str,
    *,
    frames: int | None = 512,
    dataset: str | None = None,
    mean: float | None = None,
    std: float | None = None,
) -> Tensor:
    """What a model takes of an audio file: normalised log-mel (1, frames, 128), as the workflow computes it.

    file      of any format, rate and number of channels; cut to its first frames, or padded (audio.fbank)
    frames    of 10 ms, as the model was loaded with; None: as many as the file has, neither cut nor padded
    dataset   whose published mean and standard deviation of log-mel values normalise it: that which the model was
              trained on, such as "as20k"; else `mean` and `std`, of your own data those in stats.json of its features
    Raises UserError for a file that cannot be used, by what is wrong with it.
    """
    if frames is not None:
        check_cut(frames, PATCH, PATCH)
    centre, spread = _statistics(dataset, mean, std)
    try:
        samples, _ = quantise(decode(checked_path(file)))
    except BadClip as error:
        raise UserError(f"{file}: {error}") from None
    waveform = torch.from_numpy(samples.astype("float32") / SCALE)[None]  # (1, L)
    own = int(natural_frames(torch.tensor(waveform.shape[1])))
    x, _ = log_mel(waveform, None, own if frames is None else frames)
    return normalise(x, centre, spread)


def _statistics(dataset: str | None, mean: float | None, std: float | None) -> tuple[float, float]:
    """Mean and standard deviation of log-mel values: the published ones of a dataset, or as given."""
    if dataset is not None and (mean is not None or std is not None):
        raise UserError("give dataset=, or mean= and std=, not both")
    if dataset is not None:
        if dataset not in (valid := registry.names("datasets")):
            raise UserError(f"no dataset named {dataset!r}{registry.nearest(dataset, valid)}")
        mean, std = registry.dataset(dataset).mean, registry.dataset(dataset).std
        if mean is None or std is None:
            raise UserError(f"{dataset} has no published mean: give mean= and std=, from stats.json of its features")
    if mean is None or std is None:
        raise UserError(
            'give dataset="as20k" or another with a published mean, or mean= and std=: models need normalised input'
        )
    if check_number("std", std) <= 0:
        raise UserError(f"std={std} is not above 0")
    return check_number("mean", mean), std


def load_model(
    backbone: str,
    checkpoint: Path | str,
    head: Path | str | None = None,
    frames: int = 512,
    num_classes: int | None = 50,
    num_heads: int | None = None,
    method: str = "topk",
    keep_rate: float = 0.5,
    *,
    blocks: Sequence[int] = BLOCKS,
    kernel: str = "fused",
    stride: int | None = None,
    head_seed: int = 0,
    perturbation: str = "none",
    tau: float | None = None,
    **method_options: Value,
) -> Classifier:
    """A pruned (or, with keep_rate=1, unpruned) model in evaluation mode: log-mel (B, F, 128) -> logits.

    It takes clips of any length F without padding (models.native): up to `frames` by their own columns alone, longer
    ones in windows of `frames`, whose logits are averaged.

    backbone    "audiomae", "ast" or "ast-mp"; widths, depth and patch size are read off the checkpoint
    checkpoint  official format, by torch.save or .safetensors; also AST in the form of transformers, and AudioMAE in
                timm's (models.foreign)
    stride      None: the patch size; it must be that which the checkpoint was trained with, and is told where it is not
    num_classes None: as many as the checkpoint's own head has, which must then be there
    head        file with norm.weight, norm.bias, head.weight, head.bias (.npz, .safetensors or by torch.save); None:
                the checkpoint's own head if it has `num_classes` classes, else, with a warning, a fresh one (head_seed)
    num_heads   None: what the checkpoint says (only files written by this project do), else width / 64
    method_options   of the pruning method: score=, variant=, seed=, r= (tome: in every block, whatever keep_rate says)
    Raises UserError for anything that does not fit.
    """
    family = _family(backbone)
    check_whole(
        **({} if num_classes is None else {"num_classes": num_classes}),
        **({} if num_heads is None else {"num_heads": num_heads}),
    )
    if not isinstance(head_seed, int) or head_seed < 0:
        raise UserError(f"head_seed={head_seed!r} is not a whole number of 0 or more")
    if not isinstance(method, str):
        raise UserError(f"method={method!r} is not the name of a method, such as 'topk'")
    state, metadata = read_checkpoint(checkpoint)
    shape = _shape(state, checkpoint)
    _check_kind(state, checkpoint, family, shape["patch"], stride)
    if num_classes is None:
        num_classes = _own_classes(family, state, checkpoint)
    if num_heads is None:
        num_heads = int(metadata["num_heads"]) if "num_heads" in metadata else _heads(shape["width"], checkpoint)
    model = assemble(
        family,
        frames=frames,
        num_classes=num_classes,
        method=method,
        keep_rate=keep_rate,
        blocks=blocks,
        options=method_options,
        stride=shape["patch"] if stride is None else stride,
        kernel=kernel,
        drop_path=0.0,
        num_heads=num_heads,
        **shape,
    )
    perturb(model.pruning.pruner, perturbation, None if tau is None else check_number("tau", tau))
    own = state.get(model.rules.head["head.weight"])
    weights: Mapping[str, Tensor] | Literal["fresh", "own"]
    if head is not None:
        weights = read_head(head)
        _check_head(weights, head, num_classes, shape["width"])
    elif own is not None and own.shape[0] == num_classes:
        weights = "own"
    else:
        weights = "fresh"
        initialise_head(model, head_seed)
        has = "no head" if own is None else f"a head of {own.shape[0]} classes"
        warnings.warn(
            f"{checkpoint} has {has}, not one of {num_classes}: the head is untrained, from seed {head_seed}",
            stacklevel=2,
        )
    load_checkpoint(model, state, head=weights, source=checkpoint)
    return any_length(model).eval()


def trace(model: nn.Module, x: Tensor, keep_patches: Tensor | None = None) -> Trace:
    """Scores, kept patches and norms of every block (see Trace), for normalised log-mel x (B, F, 128) up to the model's
    own length: of a shorter clip those of its own columns, by the numbers that its patches have in the model.

    Raises UserError for a longer clip, another model, and a model that merges tokens (models.trace).
    """
    frames = getattr(model, "frames", 0)
    if isinstance(model, AnyLength) and isinstance(x, Tensor) and x.ndim == 3 and x.shape[1] > frames:
        raise UserError(
            f"a trace is of one window of {frames} frames, and this clip has {x.shape[1]}: trace x[:, :{frames}]"
        )
    return trace_window(model, x, keep_patches)


def prune_whisper(
    model: Whisper,
    policy: str = "topk",
    keep_rate: float = 0.5,
    blocks: Sequence[int] = (2,),
    *,
    within: Literal["window", "sound"] = "window",
    **policy_options: Value,
) -> Whisper:
    """Prune the encoder of a model of openai-whisper, and give the model back: it transcribes and decodes as ever.

    policy      topk (by attention received), intensity (by log-mel), random; stride (evenly in time), pool (average
                neighbours); adjacent (merge neighbours that are alike)
    keep_rate   share of the tokens kept at each pruning block; 1: the untouched model, to the last bit
    blocks      pruning blocks of the encoder, counted from zero
    within      "window": of all 1500 tokens of a 30 s window. "sound": of those that hold sound, and all padding stays;
                clips of other lengths then have other numbers of tokens, and are decoded one at a time
    policy_options   of the policy: seed= of random
    `model.encoder.kept` are the tokens that the last window kept; encodings (B, n, D) of any number of tokens can be
    decoded. `word_timestamps=True` is refused, since it reads times off the places of tokens. `model.restore()` gives
    the untouched model back; to prune it in another way, call this again.
    Raises UserError for a name or value that does not exist.
    """
    return registry.get("recognisers", "whisper").prune(model, policy, keep_rate, blocks, within, **policy_options)


def _family(backbone: str) -> str:
    """A family, named with or without a size: "ast-mp" and "ast-mp-b" -> "ast-mp"."""
    if not isinstance(backbone, str):
        raise UserError(f"backbone={backbone!r} is not the name of a backbone, such as 'audiomae'")
    if backbone in registry.families():
        return backbone
    if backbone in registry.names("backbones"):
        return registry.backbone(backbone).family.name
    raise UserError(f"no backbone named {backbone!r}{registry.nearest(backbone, registry.families())}")


def _shape(state: Mapping[str, Tensor], checkpoint: Path | str) -> dict[str, int]:
    """Width, hidden width, depth and patch size, read off the weights."""
    bare = {key.removeprefix("v."): value for key, value in state.items()}
    blocks = {int(key.split(".")[1]) for key in bare if key.startswith("blocks.") and key.split(".")[1].isdigit()}
    try:
        width, _, patch, _ = bare["patch_embed.proj.weight"].shape
        hidden = bare["blocks.0.mlp.fc1.weight"].shape[0]
    except (KeyError, ValueError):
        raise UserError(
            f"{checkpoint} is no AudioMAE or AST checkpoint but {_kind(state).words}: patch_embed.proj.weight or "
            "blocks.0.mlp.fc1.weight is not there, or not of the expected form"
        ) from None
    return {"width": width, "hidden": hidden, "depth": 1 + max(blocks), "patch": patch}


def _own_classes(family: str, state: Mapping[str, Tensor], checkpoint: Path | str) -> int:
    """Classes of the checkpoint's own head: rows of the last layer that is not ImageNet's."""
    for key in ("mlp_head.1.weight", "head.weight"):
        if key in state:
            return int(state[key].shape[0])
    raise UserError(
        f"{checkpoint} is {_kind(state).words} and has no head, so it says nothing of classes: fine-tune it "
        "first, or give head= and num_classes="
    )


def _kind(state: Mapping[str, Tensor]) -> Kind:
    return kind_of({key: tuple(value.shape) for key, value in state.items()})


def _check_kind(
    state: Mapping[str, Tensor], checkpoint: Path | str, family: str, patch: int, stride: int | None
) -> None:
    """Raise UserError for a checkpoint of the other family, of another model, and of another stride than is said."""
    kind, facts = _kind(state), registry.family(family)
    if kind.family != (facts.like or family):
        mend = f": say backbone={kind.family!r}" if kind.family else ""
        raise UserError(f"{checkpoint} is {kind.words}, no checkpoint of this backbone, {family}{mend}")
    trained = stride_of({key: tuple(value.shape) for key, value in state.items()}, facts.prefix)
    if patch == PATCH and trained is not None and trained != (patch if stride is None else stride):
        said = "" if stride is None else f", not {stride}"
        raise UserError(f"{checkpoint} is {kind.words} of stride {trained}{said}: give stride={trained}")


def _heads(width: int, checkpoint: Path | str) -> int:
    if width % 64:
        raise UserError(f"{checkpoint} has width {width}, which is not a multiple of 64: give num_heads=")
    return width // 64


def _check_head(head: Mapping[str, Tensor], path: Path | str, num_classes: int, width: int) -> None:
    shape = tuple(head["head.weight"].shape)
    if shape != (num_classes, width):
        raise UserError(f"head {path} has weights {shape}, expected {(num_classes, width)}: classes x width")
