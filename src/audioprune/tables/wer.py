"""Word error rates of recognisers whose encoder is pruned, and what they cost (research question 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results import recognitions
from audioprune.tables._rows import cell_of

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Place
    from audioprune.results.study import Result, Results

TITLE = "Word error rates of pruned recognisers"
CAPTION = (
    "Off the shelf: an official checkpoint, its encoder pruned and nothing trained. Errors over all words of the test "
    "clips, and of which kind they are; the difference from the unpruned model; which tokens stay (a clip is padded to "
    "30 s, so most tokens of a window hold no sound); and the MACs of encoder and decoder that remain."
)
NOTE = (
    "Transcripts and references pass Whisper's English normaliser. Greedy decoding without timestamps, at most 224 "
    "units. Intervals: 95 %, bootstrap over speakers. Runaway: clips whose transcript repeats itself (compression "
    "ratio above 2.4) or reaches the limit of units."
)


def needs(study: Cells) -> list:
    return study.cells("transcribe")


def build(results: Results) -> Table:
    arms = needs(results)
    rows = [row for place, own in recognitions.places(arms).items() for row in _rows(results, arms, place, own)]
    return Table(_columns(), tuple(rows), (NOTE,))


def _rows(results: Results, arms: Sequence[Result], place: Place, own: Sequence[Result]) -> Iterator[Row]:
    whole = recognitions.unpruned(arms, place)
    for arm in [*([whole] if whole else []), *sorted(own, key=lambda one: -one.settings.keep_rate)]:
        cells = {
            "recogniser": place.recogniser,
            "dataset": place.dataset,
            "within": place.within,
            "policy": arm.settings.policy,
            "keep_rate": arm.settings.keep_rate,
            "wer": cell_of(recognitions.wer(results, arm)),
        }
        if arm is not whole:
            cells["wer_minus_unpruned"] = cell_of(recognitions.difference(results, arm, whole))
        if arm.ok:
            cells |= _measured(arm.frame(), whole)
        yield Row(cells, str(place))


def _measured(frame: pd.DataFrame, whole: Result | None) -> dict[str, Cell | float | int]:
    errors, total = max(1, frame["errors"].sum()), frame[["encoder_macs", "decoder_macs"]].sum()
    cells: dict[str, Cell | float | int] = {
        **{kind: 100 * float(frame[kind].sum() / errors) for kind in ("substituted", "deleted", "inserted")},
        "runaway": int(frame["runaway"].sum()),
        "kept": 100 * float(frame["kept"].sum() / (1500 * len(frame))),
        "kept_sound": 100 * float(frame["kept_sound"].sum() / frame["sound"].sum()),
        "gmacs_per_s": float(total.sum() / frame["audio_seconds"].sum() / 1e9),
    }
    if whole is not None and whole.ok:
        cells["encoder_remaining"] = 100 * float(total["encoder_macs"] / whole.frame()["encoder_macs"].sum())
        cells["remaining"] = 100 * float(total.sum() / whole.frame()[["encoder_macs", "decoder_macs"]].sum().sum())
    return cells


def _columns() -> tuple[Column, ...]:
    return (
        Column("policy", "Policy", align="left"),
        Column("keep_rate", "Keep-rate"),
        Column("wer", "WER", "%"),
        Column("wer", "95 % interval", part="interval"),
        Column("wer_minus_unpruned", "Pruned minus unpruned", "points", signed=True),
        Column("wer_minus_unpruned", "95 % interval", part="interval", signed=True),
        Column("substituted", "Substitutions", "% of errors", 0),
        Column("deleted", "Deletions", "% of errors", 0),
        Column("inserted", "Insertions", "% of errors", 0),
        Column("runaway", "Runaway", "clips", 0),
        Column("kept", "Tokens kept", "%", 1),
        Column("kept_sound", "of the sound", "%", 1),
        Column("gmacs_per_s", "MACs", "G per s"),
        Column("encoder_remaining", "Encoder's MACs", "% remaining", 1),
        Column("remaining", "All MACs", "% remaining", 1),
    )
