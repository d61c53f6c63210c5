"""What recognisers cost: MACs of every clip as it was transcribed, and as they would be if no window were padded.

A clip in a window of 30 s is mostly padding, which pruning within the sound leaves whole: what such pruning saves of
the sound, the padding hides. Both are shares of the unpruned model's MACs on the same clips, ratios of sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.results import recognitions
from audioprune.results.recognitions import Arm, Place
from audioprune.wording import number

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.results.study import Results
    from audioprune.statistics.bootstrap import Drawn

SLACK = 1.0  # percent of the unpruned MACs that two budgets may differ by and be matched
SOUND = "encoder_macs_sound"  # of the same selections had there been no padding


def macs(frame: pd.DataFrame) -> pd.Series:
    """Of every clip, encoder and decoder."""
    return frame["encoder_macs"] + frame["decoder_macs"]


def remaining(results: Results, frame: pd.DataFrame, whole: pd.DataFrame, place: Place) -> Drawn:
    """MACs over those of the unpruned transcripts of the same clips, in percent, in every draw."""
    own, other = (one.sort_values(["seed", "clip"]).reset_index(drop=True) for one in recognitions.paired(frame, whole))
    return recognitions.drawn(results, own.assign(numerator=macs(own), denominator=macs(other)), place)


def shares(results: Results, arm: Arm, whole: Arm) -> dict[str, float]:
    """Percent of the unpruned model's MACs that remain: of all, of the encoder's, and of the encoder's without padding.

    The last of arms that leave the padding alone: of others it would mean nothing.
    """
    own, other = recognitions.paired(*(recognitions.clips(results, one) for one in (arm, whole)))
    found = {
        "remaining": 100 * float(macs(own).sum() / macs(other).sum()),
        "encoder_remaining": 100 * float(own["encoder_macs"].sum() / other["encoder_macs"].sum()),
    }
    if arm.place.within == "sound":
        found["sound_remaining"] = 100 * float(own[SOUND].sum() / other[SOUND].sum())
    return found


def unmatched(results: Results, arm: Arm, fixed: Arm, whole: Arm | None) -> str:
    """Why two budgets of one policy cannot be compared; empty where they have cost the same share, to one percent.

    # ASSUME: of the encoder alone, since what the decoder costs depends on what was heard; and within the sound without
    the padding, which all arms carry along: against the cost of the whole window no difference would be seen.
    """
    if whole is None:
        return "no unpruned transcripts to count the cost against"
    of = "sound_remaining" if arm.place.within == "sound" else "encoder_remaining"
    apart = shares(results, arm, whole)[of] - shares(results, fixed, whole)[of]
    return (
        f"not matched in cost: {number(apart, 1, signed=True)} % of the unpruned encoder's MACs"
        if abs(apart) > SLACK
        else ""
    )
