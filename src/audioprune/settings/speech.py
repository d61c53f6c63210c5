"""Speech recognisers and the transcripts of their pruned encoders."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from audioprune.facts.tokens import BLOCKS
from audioprune.settings.closed import Closed, OptionValue
from audioprune.settings.training import Recipe

Within = Literal["window", "sound"]


Budget = Literal["fixed", "threshold"]


Thin = Literal["uniform", "first", "last", "attention"]


Restore = Literal["carried", "nearest", "blank"]


class RecogniseSettings(Closed):
    """A recogniser with a CTC head: trained from nothing, adapted to a policy, or taken as it was published.

    It is adapted where the cell takes in another recogniser's, and published where it has no recipe. Clips are set
    aside for choosing weights, so that no test clip has a part in it.
    """

    recogniser: str = Field(description="such as strips-tiny")
    dataset: str = Field(description="whose training clips, and whose transcripts give the units")
    units: Literal["words", "chars"] = Field(
        "words", description="outputs: every word of the training transcripts, or letters and a word boundary"
    )
    strip: int = Field(4, ge=1, le=16, description="frames of 10 ms that make a token of strips")
    policy: str = Field("none", description="a module of audioprune.policies, or a pruning method that runs on frames")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks of the encoder, counted from zero")
    at_input: bool = Field(False, description="tokens go before block 0 instead")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the policy")
    restore: Literal["carried", "nearest"] = Field(
        "carried", description="what the column of a pruned token takes; with blanks some clips could not be aligned"
    )
    recipe: Recipe | None = Field(None, description="how it is optimised; none: taken as it was published")
    specaug_freq: int = Field(0, ge=0, description="SpecAug of strips: widest masked band, in mel bins; 0: off")
    specaug_time: int = Field(0, ge=0, description="SpecAug of strips: longest masked span, in frames of 10 ms; 0: off")
    auxiliary: float = Field(0.3, ge=0, description="weight of the auxiliary head's loss")
    seed: int = Field(0, ge=0, description="of weights and order of clips")

    @model_validator(mode="before")
    @classmethod
    def _unpruned_is_none(cls, data: Any) -> Any:
        if data.get("policy", "none") == "none" or data.get("keep_rate", 1.0) == 1.0:
            pruning = ("policy", "keep_rate", "blocks", "at_input", "options", "restore")
            return {name: value for name, value in data.items() if name not in pruning}
        return data


class TranscribeSettings(Closed):
    """Test clips transcribed by a recogniser whose encoder is pruned, off the shelf; keep_rate 1 means policy none."""

    recogniser: str = Field(description="such as whisper-base")
    dataset: str = Field(description="whose test clips")
    policy: str = Field("none", description="a module of audioprune.policies, or a pruning method that runs on frames")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field((2,), description="pruning blocks of the encoder, counted from zero")
    within: Within = Field(
        "window", description="of all tokens of the padded window, or of those that hold sound; then all padding stays"
    )
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the policy")
    budget: Budget = Field(
        "fixed",
        description="fixed: the same share of every clip; threshold: what reaches one score in every clip, set on "
        "one half of them so that as much stays there as with the fixed share, used on the other half",
    )
    at_input: bool = Field(
        False,
        description="pool alone: once, before block 0, to as many tokens as cost what pooling at `blocks` does",
    )
    thin: Literal[Thin, ""] = Field(
        "", description="policy none: of the padding alone thin_to tokens stay at the first pruning block, and these"
    )
    thin_to: int = Field(0, ge=0, description="tokens of padding that stay; all where there are no more")
    padding: Literal["window", "none"] = Field(
        "window", description="window: clips are padded to 30 s, as Whisper was trained; none: by a margin alone"
    )
    margin: int = Field(128, ge=0, description="padding none: tokens of silence that are encoded behind the clip")
    restore: Literal[Restore, ""] = Field(
        "", description="what a pruned token's column of a CTC recogniser holds; nothing is restored for Whisper"
    )
    fallback: bool = Field(
        False,
        description="clips whose greedy transcript the library itself distrusts are sampled at rising temperatures",
    )

    @model_validator(mode="before")
    @classmethod
    def _only_what_counts(cls, data: Any) -> Any:
        """Fields that say nothing of an arm are left at their defaults: arms that are the same have the same key."""
        if not isinstance(data, dict):
            return data
        idle = set()
        if data.get("policy", "none") == "none" or data.get("keep_rate", 1.0) == 1.0:
            idle |= {"policy", "keep_rate", "within", "options", "budget", "at_input", "restore"}
            idle |= set() if data.get("thin") else {"blocks"}
        idle |= set() if data.get("thin") else {"thin_to"}
        idle |= set() if data.get("padding") == "none" else {"margin"}
        return {name: value for name, value in data.items() if name not in idle}
