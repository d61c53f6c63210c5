"""Speed of recognisers and classifiers on clips of their own lengths, in every batching, and computed for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Cell, Column, Row, Table, Value
from audioprune.profiling.batchings import ARM
from audioprune.results.costs import protocol
from audioprune.results.paces import TIMED, paces
from audioprune.tables._rows import KEEP_RATE, cell_of

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Result, Results

TITLE = "Speed on clips of their own lengths"
CAPTION = (
    "Test clips with their own sound and lengths, in every way to batch them; the whole way from waveform to text or "
    "label, and the encoder alone: seconds of sound in a second (RTFx, medians and quartiles of the runs), and the "
    "speed-up over the unpruned model on padded batches in the same run, and over the unpruned model in batches made "
    "alike, beside the ratio of MACs in closed form."
)
NOTE = (
    "single: one clip. padded: clips at random, all as long as the longest of all; of a classifier always the model's "
    "length, of a Whisper 30 s. longest: as long as the longest of the batch. bucketed: clips of like length. packed: "
    "clips end to end. Padding: share of the tokens computed that hold no clip. Wasted: share of the MACs that clips "
    "alone, as long as they are, would not have cost: padding, what is pruned from it, and a decoder that goes on "
    "until the last clip of its batch ends."
)


def needs(study: Cells) -> list:
    return study.cells("pace")


def build(results: Results) -> Table:
    timed = needs(results)
    rows = tuple(row for one in timed for row in _rows(one))
    return Table(_columns(), rows, tuple(filter(None, (protocol(timed), NOTE))))


def _rows(one: Result) -> Iterator[Row]:
    own = one.settings
    about = one.record["results"] if one.ok else {}
    size = f"; {about['clips']} clips, {about['audio_seconds']:.0f} s of sound" if about else ""
    blocks = ", ".join(map(str, own.blocks))
    named = f"{own.recogniser or own.backbone} on {own.dataset}"
    title = f"{named}{size}; pruned at block {blocks}: {own.device}, {own.precision}"
    shared: dict[str, Value] = {"recogniser": own.recogniser, "backbone": own.backbone, "dataset": own.dataset}
    shared |= {"device": own.device, "precision": own.precision}
    for found in paces(one):
        measured = {name: cell_of(found.timed[name]) for name in TIMED}
        yield Row(
            shared | dict(zip(ARM, found.arm, strict=True)) | measured | {k: Cell(v) for k, v in found.counted.items()},
            title,
        )


def _columns() -> tuple[Column, ...]:
    return (
        Column("batching", "Batching", align="left"),
        Column("policy", "Policy", align="left"),
        KEEP_RATE,
        Column("per_batch", "Clips per batch", decimals=1),
        Column("clips_per_s", "Clips", "per s"),
        Column("tokens_per_s", "Tokens", "per s", 0),
        Column("audio_per_s", "RTFx", "s per s", 1),
        Column("audio_per_s", "quartiles", decimals=1, part="interval"),
        Column("speed_up", "Speed-up", "×"),
        Column("pruning_speed_up", "of pruning alone", "×"),
        Column("encoder_audio_per_s", "RTFx, encoder", "s per s", 1),
        Column("encoder_speed_up", "Speed-up, encoder", "×"),
        Column("encoder_mac_ratio", "Fewer MACs, encoder", "×"),
        Column("waste", "Padding", "%", 1),
        Column("executed", "MACs", "G per s", 1),
        Column("wasted_macs", "Wasted", "%", 1),
    )
