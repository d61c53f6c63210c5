"""Official checkpoints of Whisper, read and checked."""

from __future__ import annotations

from pathlib import Path

import whisper

from audioprune.errors import UserError
from audioprune.facts.recogniser import Recogniser
from audioprune.sources import catalogue

SAID = 400  # characters of an error: it names the first of many tensors, with their shapes


def read(path: Path, facts: Recogniser) -> whisper.Whisper:
    """An official checkpoint as a float32 model in evaluation mode; UserError where it is another one."""
    try:
        model = whisper.load_model(str(path), device="cpu")
    except Exception as error:  # of pickle, of torch, of a dict that is none: whatever the file holds
        said = " ".join(str(error).split())[:SAID]
        raise UserError(
            f"{path} is no whole checkpoint of openai-whisper ({type(error).__name__}: {said}); {_right(facts)}"
        ) from None
    dims = model.dims
    own = (dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer, dims.n_mels, dims.n_vocab)
    wanted = (facts.width, facts.heads, facts.depth, facts.mels, facts.units)
    if own != wanted:
        raise UserError(
            f"{path} is another Whisper than {facts.name}: width, heads, depth, mels, units are {own}, not {wanted}; "
            f"{_right(facts)}"
        )
    return model.float().eval()


def _right(facts: Recogniser) -> str:
    """Where the right file is."""
    return f"the right one is at {catalogue.load()[facts.checkpoint].archives[0].url}"
