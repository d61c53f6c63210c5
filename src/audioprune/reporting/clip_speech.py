"""Clips of speech in the clip explorer: what each pruned recogniser heard, word by word against what was said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.exhibits import display
from audioprune.reporting.clip_answers import Answer, Arm
from audioprune.reporting.explorer import anchor
from audioprune.reporting.transcripts import compared

if TYPE_CHECKING:
    from audioprune.audio.store import WaveformStore
    from audioprune.results.study import Result, Results

LONGEST = 12.0  # seconds: clips that last longer would make a report large


def arms(results: Results) -> dict[str, list[Result]]:
    """{dataset: its transcripts that are there}."""
    found: dict[str, list[Result]] = {}
    for r in results.cells("transcribe"):
        if r.ok:
            found.setdefault(r.settings.dataset, []).append(r)
    return found


def arm(transcribed: Result) -> Arm:
    own = transcribed.settings
    pruned = own.policy != "none"
    method = f"{own.policy}, within the {own.within}, block {', '.join(map(str, own.blocks))}" if pruned else own.policy
    return Arm(
        display.text(own.dataset),
        display.text(own.recogniser),
        method,
        f"{own.keep_rate:g}",
        "",
        (),
        anchor(transcribed.key),
    )


def chosen(
    store: WaveformStore, arms: list[Result], numbers: range, room: int
) -> Iterator[tuple[int, str, tuple[Answer, ...]]]:
    """(row in the audio, clip, what was heard) of the first clips that are short enough."""
    frames = [(number, one.frame().set_index("clip")) for number, one in zip(numbers, arms, strict=True)]
    rows = {name: row for row, name in enumerate(store.clips["clip"])}
    first = frames[0][1]
    for name in first.index[first["audio_seconds"] <= LONGEST][:room]:
        said = str(store.clips["transcript"].iloc[rows[name]])
        answers = (_answer(number, said, frame.loc[name]) for number, frame in frames if name in frame.index)
        yield rows[name], str(name), tuple(answers)


def _answer(number: int, said: str, heard: object) -> Answer:
    words = compared(said, str(getattr(heard, "text", "")))
    errors = sum(word.kind != "right" for word in words)
    return Answer(
        number,
        (),
        (),
        f"{errors} of {len(said.split())} words wrong" if errors else "all words right",
        "",
        not errors,
        words,
    )
