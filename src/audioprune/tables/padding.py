"""What a Whisper's padding alone does: thinned with all of the sound kept, or left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import recognitions
from audioprune.results.recognitions import Arm
from audioprune.results.speech_costs import shares
from audioprune.tables._rows import cell_of

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Place
    from audioprune.results.study import Results

TITLE = "What the padding alone does"
CAPTION = (
    "Whisper pads every clip to 30 s, and most tokens of a short clip hold no sound. All of the sound is kept here: of "
    "the padding some tokens stay, spread evenly, its first, its last or those that get most attention; or clips are "
    "not padded, but for a margin of silence. How much silence does the decoder need, and which? A transcript that "
    "runs away repeats itself, or reaches the limit of units."
)
NOTES = (
    "Intervals: 95 %, percentiles of a bootstrap over speakers. Without runaways: over the clips that ran away in "
    "neither of the two transcripts. Fallback: what the library itself distrusts is sampled anew at rising "
    "temperatures.",
)
WHICH = {"uniform": "spread evenly", "first": "the first", "last": "the last", "attention": "by attention"}


def needs(study: Cells) -> list:
    """Transcripts with padding that is thinned, left out or decoded anew, and the unpruned ones beside them."""
    every = study.cells("transcribe")
    own = [cell for cell in every if _is_about(cell)]
    about = {(cell.settings.recogniser, cell.settings.dataset) for cell in own}
    beside = [c for c in every if c.settings.policy == "none" and (c.settings.recogniser, c.settings.dataset) in about]
    return list({cell.path: cell for cell in (*beside, *own)}.values())


def _is_about(cell: Any) -> bool:
    own = cell.settings
    return bool(own.thin) or own.padding == "none" or own.fallback


def build(results: Results) -> Table:
    every = recognitions.arms(results)
    groups: dict[tuple[str, str], list[Arm]] = {}
    for arm in every:
        if arm.about_padding:
            groups.setdefault((arm.place.recogniser, arm.place.dataset), []).append(arm)
    return Table(_columns(), tuple(row for own in groups.values() for row in _rows(results, every, own)), NOTES)


def _rows(results: Results, every: Sequence[Arm], own: Sequence[Arm]) -> Iterator[Row]:
    place = own[0].place
    base = recognitions.unpruned(every, place)
    for arm in [*([base] if base else []), *own]:
        cells: dict[str, Any] = {
            "recogniser": place.recogniser,
            "dataset": place.dataset,
            "arm": said(arm),
            "padding_kept": arm.thinned[1] if arm.thinned[0] else arm.margin,
            "wer": cell_of(recognitions.wer(results, arm)),
        }
        if arm is not base:
            cells["wer_minus_unpruned"] = cell_of(recognitions.difference(results, arm, base))
        if arm.made:
            cells |= _measured(results, arm, base)
        yield Row(cells, f"{place.recogniser} on {place.dataset}")


def said(arm: Arm) -> str:
    """'padding thinned to 80 tokens, the first, block 2', 'no padding, margin of 128 tokens', 'padded to 30 s'."""
    which, count = arm.thinned
    if which:
        blocks = ", ".join(map(str, arm.place.blocks))
        words = f"padding thinned to {count} tokens, {WHICH[which]}, block {blocks}"
    elif arm.margin is not None:
        words = f"no padding, margin of {arm.margin} tokens"
    else:
        words = (
            "padded to 30 s" if arm.policy == "none" else f"{arm.policy} at {arm.keep_rate:g}, {place_of(arm.place)}"
        )
    return words + (", with fallback" if arm.fallback else "")


def place_of(place: Place) -> str:
    return "within the sound" if place.within == "sound" else "whole window"


def _measured(results: Results, arm: Arm, base: Arm | None) -> dict[str, Any]:
    frame = recognitions.clips(results, arm)
    cells: dict[str, Any] = {
        "runaway": int(frame["runaway"].sum()),
        "kept": float(frame["kept"].mean()),
        "units": float(frame["units"].mean()),
    }
    if base is not None and base.made and arm is not base:
        calm = recognitions.without_runaways(*recognitions.paired(frame, recognitions.clips(results, base)))
        if calm[0]["words"].sum():
            cells["calm"] = cell_of(recognitions.between(results, *calm, arm, base))
    if base is not None and base.made:
        cells["encoder_remaining"] = shares(results, arm, base)["encoder_remaining"]
    return cells


def _columns() -> tuple[Column, ...]:
    return (
        Column("arm", "Encoded", align="left"),
        Column("wer", "WER", "%"),
        Column("wer", "95 % interval", part="interval"),
        Column("wer_minus_unpruned", "Minus padded", "points", signed=True),
        Column("wer_minus_unpruned", "95 % interval", part="interval", signed=True),
        Column("runaway", "Runaway", "clips", 0),
        Column("calm", "Minus padded, without runaways", "points", signed=True),
        Column("calm", "95 % interval", part="interval", signed=True),
        Column("kept", "Tokens left", "a clip", 0),
        Column("units", "Units", "a clip", 1),
        Column("encoder_remaining", "Encoder's MACs", "% left", 1),
    )
