"""Names as a paper prints them, such as AudioMAE-B, ESC-50 and TopK (class token), in place of identifiers in a text.

What is typed (configuration, commands, paths, CSV, JSON) keeps its identifiers. A name without a word here, such as
that of a user's dataset, stands as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from audioprune import registry

WORDS = {
    "audiomae": "AudioMAE", "ast": "AST", "mp": "MP", "b": "B", "tiny": "Tiny",
    "as20k": "AS-20K", "as2m": "AS-2M", "esc10": "ESC-10", "esc10mix": "ESC-10 Mixtures", "esc50": "ESC-50",
    "fsdd": "FSDD", "commonvoice": "Common Voice", "librispeech": "LibriSpeech", "spc2": "SPC-2",
    "voxceleb1": "VoxCeleb-1",
}  # fmt: skip
METHODS = {"topk": "TopK", "tome": "ToMe"}
OPTIONS = {
    "cls": "class token", "global": "global attention", "global_literal": "attention of all queries",
    "as_released": "as released", "no-proportional": "no proportional attention",
}  # fmt: skip
VARIANTS = {
    "baseline=paper": "baseline as released", "baseline=matched": "matched baseline", "initial=scratch": "from scratch",
    "waveform_noise=0.0": "trained on clean clips", "waveform_noise=0.5": "trained with noise",
}  # fmt: skip
WHOLE = {"cls": "class token", "global_literal": "global, literal", "multilabel": "multi-label"}  # of a whole entry
SETTINGS = {
    "base_lr": "base learning rate", "lr_per_256": "rate × batch size / 256", "min_lr": "lowest learning rate",
    "batch_size": "batch size, total", "mask_2d": "2-D patch masking", "mixup": "mixup probability",
    "specaug_freq": "SpecAug, mel bins", "specaug_time": "SpecAug, frames", "magnitude": "magnitude augmentation",
    "noise": "noise and roll", "waveform_noise": "waveform noise, probability", "baseline": "unpruned augmentation",
    "eval_every": "epochs between evaluations", "precision_train": "precision", "initial": "start",
}  # fmt: skip


def text(said: str) -> str:
    """A text with the names in it as printed; commands, paths and what is quoted as code stay as they are."""
    if said in WHOLE:
        return WHOLE[said]
    return _known().sub(_printed, said)


def backbone(name: str) -> str:
    """'ast-mp-tiny' -> 'AST-MP-Tiny'."""
    return "-".join(WORDS.get(part, part) for part in name.split("-"))


def dataset(name: str) -> str:
    """'esc50' -> 'ESC-50'; 'fsdd-digits' -> 'FSDD Digits'."""
    return " ".join(WORDS.get(part, part.capitalize()) for part in name.split("-"))


def method(label: str) -> str:
    """A method's label: 'topk.cls' -> 'TopK (class token)', 'tome.r5' -> 'ToMe (r = 5)'."""
    name, *options = label.split(".")
    shown = METHODS.get(name, name)
    return f"{shown} ({', '.join(map(_option, options))})" if options else shown


def setting(name: str) -> str:
    """A setting of a recipe in words."""
    return SETTINGS.get(name, name.replace("_", " "))


def _option(name: str) -> str:
    if blocks := re.fullmatch(r"blocks(\d+(?:_\d+)*)", name):
        return f"blocks {blocks[1].replace('_', ', ')}"
    if number := re.fullmatch(r"([a-z]+)(\d+)", name):
        return f"{number[1]} = {number[2]}"
    return OPTIONS.get(name, name.replace("_", " "))


@cache
def _known() -> re.Pattern[str]:
    """What is replaced, in groups by what it is. A name within a longer word or a path is another name."""
    backbones, datasets = (*registry.names("backbones"), *registry.families()), registry.names("datasets")
    kinds = {
        "typed": r"`[^`]*`|--[\w-]+[ =]\S+|\b(?:snakemake|audioprune|python) [^;)]*",
        "backbone": _any(backbones),
        "dataset": _any(datasets),
        "rated": rf"{_any(registry.names('pruning'))}(?:\.[a-z][\w-]*?)*-kr[\d.]*\d",
        "method": rf"{_any(registry.names('pruning'))}(?:\.[a-z][\w-]*)+|{_any(METHODS)}",
        "score": r"(?<=by )(?:cls|global_literal)",
        "variant": r"[a-z]\w*=[\w.+-]*\w",
    }
    named = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items())
    return re.compile(rf"(?<![\w./-])(?:{named})(?![\w/-]|\.\w)")


def _any(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})"


def _printed(found: re.Match[str]) -> str:
    kind, name = str(found.lastgroup), found.group()
    if kind == "rated":
        label, _, rate = name.rpartition("-kr")
        return f"{method(label)} at {rate}"
    if kind == "variant":
        key, _, value = name.partition("=")
        return VARIANTS.get(name, f"{setting(key)} {value.replace('_', ' ')}")
    printed = {"backbone": backbone, "dataset": dataset, "method": method, "score": _option}
    return printed.get(kind, str)(name)
