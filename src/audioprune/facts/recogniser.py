"""Facts of speech recognisers, by name. No torch.

RECOGNISERS are Whispers, which decode one unit after another. Those of CTC give every column of time a unit or the
blank.
Sources: openai/whisper, model-card.md and __init__.py (sizes, vocabulary of the multilingual and the English models);
Baevski et al. 2020 and torchaudio's pipelines.WAV2VEC2_ASR_BASE_960H (wav2vec2); strips are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

AT_INPUT = "@0"  # ends the name of a policy that acts once, before block 0
POOLED = f"pool{AT_INPUT}"  # the one there is
THRESHOLDS = ("topk", "intensity", "adjacent", "blank")  # policies whose score can be held against one threshold
AUXILIARY = ("blank",)  # policies that rank by what the auxiliary head of a CTC recogniser says


@dataclass(frozen=True)
class Recogniser:
    """A Whisper: both sides are equally wide and deep."""

    name: str
    width: int
    heads: int
    depth: int
    multilingual: bool
    small: bool  # runs on a processor
    mels: int = 80
    tokens: int = 1500  # of a window of 30 s

    @property
    def batchings(self) -> tuple[str, ...]:
        """Ways to batch clips that differ for it (settings.Batching): its window is as long for every clip."""
        return ("single", "padded")

    @property
    def units(self) -> int:
        """Outputs of the decoder."""
        return 51865 if self.multilingual else 51864

    @property
    def checkpoint(self) -> str:
        """Its row of workflow/sources.yaml."""
        return f"checkpoint-{self.name}"


SIZES = {"tiny": (384, 6, 4, True), "base": (512, 8, 6, True), "small": (768, 12, 12, False)}
RECOGNISERS = {
    f"whisper-{size}{suffix}": Recogniser(f"whisper-{size}{suffix}", width, heads, depth, not suffix, small)
    for size, (width, heads, depth, small) in SIZES.items()
    for suffix in ("", "-en")
}


@dataclass(frozen=True)
class Ctc:
    """A transformer encoder with a CTC head; an auxiliary one reads the tokens that enter block depth // 4."""

    name: str
    family: str  # a module of audioprune.recognisers
    width: int
    heads: int
    depth: int
    small: bool  # runs on a processor
    official: bool = False  # has a checkpoint by others, without an auxiliary head; else it is trained from nothing

    @property
    def stripped(self) -> bool:
        """Whether its tokens are strips of the spectrogram, of a width that a cell chooses."""
        return self.family == "strips"

    @property
    def final_norm(self) -> bool:
        """Whether a norm follows its last block, as in pre-norm encoders."""
        return self.family == "strips"

    @property
    def batchings(self) -> tuple[str, ...]:
        """Ways to batch clips that differ for it (settings.Batching): it takes clips as long as they are."""
        return ("single", "padded", "longest", "bucketed")

    @property
    def checkpoint(self) -> str:
        """Its row of workflow/sources.yaml."""
        return f"checkpoint-{self.name}"

    @property
    def blocks(self) -> tuple[int, int, int]:
        """Where it is pruned unless told otherwise: b_i = floor(i depth / 4), i = 1, 2, 3."""
        first, second, third = (i * self.depth // 4 for i in (1, 2, 3))
        return first, second, third


class Convolution(NamedTuple):
    channels: int
    kernel: int
    stride: int


CONVOLUTIONS = tuple(  # of wav2vec2's front end
    Convolution(512, kernel, stride) for kernel, stride in zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
)
POSITIONS = (128, 16)  # kernel and groups of wav2vec2's positional convolution


def convolved(samples: int) -> list[int]:
    """How many columns each of wav2vec2's convolutions makes of so many samples."""
    found, length = [], samples
    for one in CONVOLUTIONS:
        length = max(0, (length - one.kernel) // one.stride + 1)
        found.append(length)
    return found


CTC = {
    one.name: one
    for one in (
        Ctc("strips-tiny", "strips", 64, 4, 12, True),
        Ctc("strips-s", "strips", 256, 4, 12, False),
        Ctc("wav2vec2-b", "wav2vec2", 768, 12, 12, False, official=True),
    )
}
