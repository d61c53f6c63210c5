"""A picture of what a classifier keeps of a clip: each of its windows, and what is left after each pruning block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from audioprune import library, records, registry
from audioprune.cli._classifier import Asked
from audioprune.errors import UserError
from audioprune.exhibits import pictures, style
from audioprune.facts.lengths import columns_of, windows
from audioprune.facts.mel import SAMPLE_RATE, SHIFT
from audioprune.facts.tokens import PATCH, token_order
from audioprune.models.native import first_columns, padded

SUFFIX = ".svg"
WINDOWS = 12  # of a long clip, from its beginning: more fit on no page
LEVEL = 10 / np.log(10)  # dB of a natural logarithm of a power


def check(asked: Asked) -> None:
    """Raise UserError for a model that prunes nothing."""
    if asked.model.pruning.keep_rate >= 1:
        raise UserError(f"{asked.name} keeps every patch: --kept shows nothing without --keep-rate below 1")


def draw(asked: Asked, x: Tensor, name: str, said: str, out: Path) -> None:
    """Write a clip's picture: normalised log-mel (1, F, 128), the clip's name and what is said of it."""
    shown = [
        _picture(asked, part, f"{said}, from {first:.2f} s" if first else said, name)
        for first, part in _parts(asked, x)
    ]
    with style.style():
        data = style.svg(pictures.stacked(shown, "")[0])
    with records.atomic(out) as path:
        path.write_bytes(data)


def _parts(asked: Asked, x: Tensor) -> list[tuple[float, Tensor]]:
    """(second at which it begins, its log-mel) of each window that the model hears."""
    columns, model = columns_of(x.shape[1]), asked.model
    if columns <= model.tokens.time:
        return [(0.0, x)]
    x = padded(x, PATCH * columns)
    starts = [PATCH * first for first, _ in windows(columns, model.tokens.time)[:WINDOWS]]
    return [(start * SHIFT / SAMPLE_RATE, x[:, start : start + PATCH * model.tokens.time]) for start in starts]


def _picture(asked: Asked, x: Tensor, said: str, name: str) -> dict:
    """As exhibits.pictures.picture has it, with the patches of the clip's own columns alone."""
    tokens = asked.model.tokens
    columns = columns_of(x.shape[1])
    numbers = first_columns(tokens, columns).numpy()  # of the clip's patches, in the model's grid
    order = np.array(token_order(tokens.orientation, tokens.time, tokens.freq))[numbers]
    kept = {block: one[0].numpy() for block, one in library.trace(asked.model, x).kept.items()}
    return {
        "backbone": asked.backbone,
        "dataset": name,
        "clip": name,
        "labels": said,
        "said": "",
        "right": None,
        "signal": None,
        "score": _score(asked),
        "keep_rate": asked.pruning.keep_rate,
        "x": LEVEL * padded(x, PATCH * columns)[0].numpy(),
        "patch": PATCH,
        "stride": PATCH,
        "order": order,
        "kept": {block: np.searchsorted(numbers, one[one >= 0]) for block, one in kept.items()},
    }


def _score(asked: Asked) -> str:
    """By which patches are ranked: the attention, or the method's name."""
    if not registry.method(asked.pruning.method).scored:
        return asked.pruning.method
    return str(asked.pruning.options.get("score", asked.model.tokens.score))
