"""Facts of speech recognisers, by name. No torch.

Sources: openai/whisper, model-card.md and __init__.py (sizes, vocabulary of the multilingual and the English models).
"""

from __future__ import annotations

from dataclasses import dataclass

AT_INPUT = "@0"  # ends the name of a policy that acts once, before block 0
POOLED = f"pool{AT_INPUT}"  # the one there is
THRESHOLDS = ("topk", "intensity", "adjacent", "blank")  # policies whose score can be held against one threshold


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
