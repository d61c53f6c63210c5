"""What trained models are asked about clips of other lengths than they were trained on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audioprune.settings.closed import Closed
from audioprune.settings.model import Pruning

Mode = Literal["padded", "native"]


class DurationsSettings(Closed):
    """Test clips as long as they are, or cut, each padded to the model's length and without padding."""

    pruning: Pruning = Field(Pruning(), description="the method and keep-rate of the evaluated model")
    seconds: tuple[float, ...] = Field(
        (), description="lengths that clips are cut to, from a seeded start; none: as long as they are"
    )
    modes: tuple[Mode, ...] = Field(
        ("padded", "native"), description="padded to the model's length, or by the columns that hold sound alone"
    )
    seed: int = Field(0, ge=0, description="of where a cut clip begins")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")
    selection: Literal["last", "best_test", "best_val"] = Field(
        "last", description="which epoch's weights: the last, or the best on test or on validation clips (paper.md 1.9)"
    )
