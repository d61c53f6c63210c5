"""Word error rates of recognisers whose encoder is pruned, and what they cost (research question 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results import paces, recognitions, speech_costs
from audioprune.results.estimate import Absent
from audioprune.tables._rows import KEEP_RATE, cell_of

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Arm, Place
    from audioprune.results.study import Results

TITLE = "Word error rates of pruned recognisers"
CAPTION = (
    "Errors over all words of the test clips, and of which kind they are; the difference from the unpruned model; "
    "which tokens stay; and the MACs that remain. Off the shelf: nothing was trained with the pruning. Adapted: each "
    "policy's model, and an unpruned one beside them, trained on from the same weights. A policy with @0 acts once, "
    "before the first block, and costs what the same policy costs at its blocks."
)
PUBLISHED = ("speech",)
NOTES = (
    "Whisper: greedy decoding without timestamps, at most 224 units; transcripts and references pass its English "
    "normaliser, and the raw rate is without it. Intervals: 95 %, percentiles of a bootstrap over speakers (of "
    "recordings within each, where a dataset's speakers are all there are). Runaway: clips whose transcript repeats "
    "itself (compression ratio above 2.4) or reaches the limit of units.",
    "MACs as they run, padding included. Of the sound: the encoder's if nothing but the sound were encoded, of arms "
    "that leave the padding alone. Threshold: tokens that reach one score in all clips, set on half of the speakers "
    "and used on the others.",
)
SPEED = (
    "RTFx: seconds of audio in a second of processing, from end to end, one clip at a time and in the fastest batches."
)
NO_HEAD = "the published checkpoint lacks the auxiliary head that blank ranks by; adapted models train one"
PARTS = {"librispeech": "test-clean", "librispeech-clean": "test-clean", "librispeech-other": "test-other"}
ERRORS = ("substituted", "deleted", "inserted")


def needs(study: Cells) -> list:
    heard = study.cells("transcribe")
    return [*heard, *(cell for cell in study.cells("pace") if cell.settings.recogniser)] if heard else []


def build(results: Results) -> Table:
    every = recognitions.arms(results)
    published = _published(results)
    rows = [row for place, own in _groups(every).items() for row in _rows(results, every, place, own, published)]
    speed = [SPEED] if any("rtfx" in row.cells for row in rows) else []
    shown = [p["note"] for p in published if any(_is_of(p, row.cells) for row in rows)]
    return Table(_columns(), tuple(rows), (*NOTES, *speed, *shown, *_never_heard(every), *_silent(results, every)))


def _groups(every: Sequence[Arm]) -> dict[Place, list[Arm]]:
    """By place, the unpruned arm first; a recogniser that was not pruned has a place of its own."""
    found = recognitions.places(every)
    known = {(place.recogniser, place.dataset, place.trained) for place in found}
    for arm in every:
        place = arm.place
        if arm.policy == "none" and arm.plain and (place.recogniser, place.dataset, place.trained) not in known:
            found.setdefault(place, [])
    return found


def _rows(
    results: Results, every: Sequence[Arm], place: Place, own: Sequence[Arm], published: Sequence[dict]
) -> Iterator[Row]:
    base = recognitions.unpruned(every, place)
    order = sorted(own, key=lambda one: (-one.keep_rate, one.budget))
    for arm in [*([base] if base else []), *recognitions.coarser(every, place), *order]:
        cells = _of(place, arm) | {"wer": cell_of(recognitions.wer(results, arm)), "seeds": len(arm.made)}
        if arm is base:
            cells["wer"] = cell_of(recognitions.wer(results, arm), **_beside(published, cells))
        else:
            cells["wer_minus_unpruned"] = cell_of(recognitions.difference(results, arm, base))
        if arm.made:
            cells |= _measured(results, arm, base) | _speed(results, arm)
        yield Row(cells, str(place))
    for arm in recognitions.unable(every, place):
        yield Row(_of(place, arm) | {"wer": Cell(why=NO_HEAD)}, str(place))


def _of(place: Place, arm: Arm) -> dict[str, Any]:
    """Which arm a row is of."""
    return {
        "recogniser": place.recogniser,
        "dataset": place.dataset,
        "trained": place.trained,
        "within": place.within,
        "policy": named(arm),
        "keep_rate": arm.keep_rate,
        "budget": arm.budget if arm.policy != "none" else None,
    }


def named(arm: Arm) -> str:
    """The policy; of longer strips, unpruned, how long they are."""
    return f"none, {10 * arm.strip} ms strips" if arm.policy == "none" and arm.strip else arm.policy


def _measured(results: Results, arm: Arm, base: Arm | None) -> dict[str, Any]:
    frame = recognitions.clips(results, arm)
    errors, (calm,) = max(1, frame["errors"].sum()), recognitions.without_runaways(frame)
    cells: dict[str, Cell | float | int | None] = {
        **{kind: 100 * float(frame[kind].sum() / errors) for kind in ERRORS},
        "raw_wer": 100 * float(frame["raw_errors"].sum() / frame["raw_words"].sum()),
        "runaway": int(frame["runaway"].sum()),
        "calm_wer": cell_of(recognitions.rate(results, calm, arm)) if calm["words"].sum() else None,
        "kept": 100 * float(frame["kept"].sum() / frame["tokens"].map(max).sum()),
        "kept_sound": 100 * float(frame["kept_sound"].sum() / frame["sound"].sum()),
        "gmacs_per_s": float(speech_costs.macs(frame).sum() / frame["audio_seconds"].sum() / 1e9),
    }
    return cells | (speech_costs.shares(results, arm, base) if base is not None and base.made else {})


def _speed(results: Results, arm: Arm) -> dict[str, Any]:
    found = paces.real_time(results, arm)
    return {} if isinstance(found, Absent) else {name: cell_of(one) for name, one in found.items()}


# --- what no rate tells ---------------------------------------------------------------------------------------------


def _never_heard(every: Sequence[Arm]) -> Iterator[str]:
    """Words that a recogniser of a closed vocabulary cannot output, by recogniser and dataset."""
    counted = {
        (arm.place.recogniser, arm.place.dataset): one.inputs["recognise"].record["results"]["unknown_test_words"]
        for arm in every
        for one in arm.made
        if "recognise" in one.inputs
    }
    for (recogniser, dataset), words in counted.items():
        if words:
            yield (
                f"{recogniser} on {dataset}: {words} of the test words are in no training transcript, so that no "
                "output matches them; they count as errors."
            )


def _silent(results: Results, every: Sequence[Arm]) -> Iterator[str]:
    """Arms that transcribed every clip as nothing."""
    for arm in every:
        if arm.made and (recognitions.clips(results, arm)["text"] == "").all():
            where = f"{arm.place}, {named(arm)} at {arm.keep_rate:g}"
            yield (
                f"{where}: every transcript is empty. A CTC head that outputs nothing but blanks has learnt nothing "
                "yet: train longer, or with a lower learning rate."
            )


# --- published values ----------------------------------------------------------------------------------------------


def _published(results: Results) -> list[dict]:
    """Greedy error rates of unpruned recognisers, as others print them."""
    frame = results.published("speech")
    frame = frame[(frame["metric"] == "wer") & (frame["method"] == "none")]
    return [
        {
            "recogniser": row.backbone,
            "part": row.location,
            "published": row.value,
            "source": row.source,
            "note": f"Published, {row.backbone} on {row.location}: {row.printed} % ({row.note}; {row.where}).",
        }
        for row in frame.itertuples()
    ]


def _is_of(row: dict, cells: Any) -> bool:
    return (row["recogniser"], row["part"]) == (cells["recogniser"], PARTS.get(cells["dataset"]))


def _beside(published: Sequence[dict], cells: dict) -> dict:
    """The first of the published values for a recogniser and a dataset."""
    found = next((row for row in published if _is_of(row, cells)), None)
    return {} if found is None else {"published": found["published"], "source": found["source"]}


def _columns() -> tuple[Column, ...]:
    return (
        Column("policy", "Policy", align="left"),
        KEEP_RATE,
        Column("budget", "Budget", align="left"),
        Column("wer", "WER", "%"),
        Column("wer", "95 % interval", part="interval"),
        Column("wer", "Published", "%", part="published"),
        Column("wer_minus_unpruned", "Minus unpruned", "points", signed=True),
        Column("wer_minus_unpruned", "95 % interval", part="interval", signed=True),
        Column("substituted", "S", "% of errors", 0, in_print=False),
        Column("deleted", "D", "% of errors", 0, in_print=False),
        Column("inserted", "I", "% of errors", 0, in_print=False),
        Column("raw_wer", "Raw WER", "%", 1, in_print=False),
        Column("runaway", "Runaway", "clips", 0, in_print=False),
        Column("calm_wer", "WER without", "%", 1, in_print=False),
        Column("kept_sound", "Sound kept", "% of tokens", 1),
        Column("gmacs_per_s", "MACs", "G per s", in_print=False),
        Column("remaining", "MACs left", "%", 1),
        Column("encoder_remaining", "of encoder", "%", 1, in_print=False),
        Column("sound_remaining", "of sound", "%", 1, in_print=False),
        Column("rtfx", "RTFx, one clip", "", 1),
        Column("rtfx_batched", "RTFx, batched", "", 1, in_print=False),
        Column("seeds", "Seeds", decimals=0, in_print=False),
    )
