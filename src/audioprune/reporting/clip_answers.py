"""What one model keeps of a clip, stage by stage, and what it says of it: from a trace and the evaluation beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained, value_of
from audioprune.facts.tokens import token_order
from audioprune.labels import method_label
from audioprune.reporting.transcripts import Word
from audioprune.results import answers
from audioprune.wording import clean, number

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.facts.dataset import Dataset
    from audioprune.results.study import Result, Results


@dataclass(frozen=True)
class Arm:
    """A model with its pruning, as the explorer's switches name it."""

    dataset: str
    backbone: str
    method: str
    keep_rate: str
    score: str
    stages: tuple[str, ...]  # input, then after each pruning block
    anchor: str  # of its cell


@dataclass(frozen=True)
class Answer:
    """Of one arm to one clip."""

    arm: int
    masks: tuple[str, ...]  # bits of the patches that are left, by stage behind the input
    kept: tuple[int, ...]  # how many they are
    said: str  # the classes with the highest scores, with their probabilities; of speech empty
    true: str  # probabilities of the clip's own classes
    right: bool | None  # None where nothing is known
    words: tuple[Word, ...] = ()  # of speech


@dataclass(frozen=True)
class Looked:
    """What a trace and its evaluation left, read once for all clips of a report."""

    clips: pd.DataFrame
    kept: dict[int, np.ndarray]  # pruning block -> (n, K) token numbers
    places: np.ndarray  # (tokens, 2): time and frequency index of each token's patch
    predictions: pd.DataFrame | None

    def answer(self, arm: int, clip: str, facts: Dataset) -> Answer | None:
        """None where the trace does not hold the clip."""
        at = {name: i for i, name in enumerate(self.clips["clip"])}.get(clip)
        if at is None:
            return None
        left = [tokens[at][tokens[at] >= 0] for tokens in self.kept.values()]  # -1: a prefix token, no patch
        masks = tuple(self._mask(tokens) for tokens in left)
        said, true, right = self._said(clip, facts)
        return Answer(arm, masks, tuple(len(tokens) for tokens in left), said, true, right)

    def _mask(self, tokens: np.ndarray) -> str:
        import numpy as np

        grid = np.zeros(self.places.max(axis=0) + 1, dtype=bool)
        grid[tuple(self.places[tokens.astype(int)].T)] = True
        return bits(grid)

    def _said(self, clip: str, facts: Dataset) -> tuple[str, str, bool | None]:
        import numpy as np

        rows = None if self.predictions is None else self.predictions[self.predictions["clip"] == clip]
        if rows is None or rows.empty:
            return "", "", None
        scores, labels = np.asarray(rows["scores"].iloc[0], dtype=float), [int(one) for one in rows["labels"].iloc[0]]
        found = answers.answer(scores, labels)
        if found is None:
            return "nothing: no token was left", "", False
        highest, right = found
        chances = probabilities(scores, several=facts.loss == "bce")
        return _told(highest, chances, facts), _told(labels, chances, facts), right


KEPT = "trace.npz"  # which patches each clip keeps at each pruning block


def runs(results: Results) -> dict[str, list[Result]]:
    """{dataset: traces of models as trained, on the same test clips}: the first fold and seed that is traced."""
    found: dict[str, list[Result]] = {}
    for r in results.cells("trace"):
        if r.ok and as_trained(r) and (r.dir / KEPT).is_file():
            found.setdefault(value_of(r, "dataset"), []).append(r)
    return {dataset: _alike(own) for dataset, own in found.items()}


def _alike(traces: list[Result]) -> list[Result]:
    run = _run(traces[0])
    first: dict[tuple, Result] = {}
    for r in traces:
        if _run(r) == run:
            first.setdefault(
                (value_of(r, "backbone"), method_label(r.settings.pruning), r.settings.pruning.keep_rate), r
            )
    return list(first.values())


def _run(trace: Result) -> tuple:
    return value_of(trace, "fold"), value_of(trace, "seed"), value_of(trace, "selection")


def looked_into(results: Results, trace: Result) -> Looked:
    import numpy as np

    with np.load(trace.dir / KEPT) as saved:
        blocks = sorted(int(name.removeprefix("kept_")) for name in saved.files if name.startswith("kept_"))
        kept = {block: saved[f"kept_{block}"] for block in blocks}
    made = trace.record["results"]
    order = token_order(made["orientation"], made["time_patches"], made["freq_patches"])
    return Looked(trace.frame(), kept, np.array(order), _predictions(results, trace))


def _predictions(results: Results, trace: Result) -> pd.DataFrame | None:
    """Of the evaluation of the same weights with the same pruning; None where the study has none, or it is missing."""
    found = answers.evaluation(results, trace)
    return found.predictions() if found is not None and found.ok else None


def chosen(frames: Sequence[pd.DataFrame], room: int) -> Iterator[tuple[str, int, list[int]]]:
    """(clip, row in the features, labels) of as many clips as there is room for, among those that all traces hold.

    One of each class before a second one, in the order of the dataset: nothing of what models say of them counts.
    """
    first = frames[0]
    common = set.intersection(*(set(frame["clip"]) for frame in frames))
    own = first[first["clip"].isin(common)]
    turn = own.groupby(own["labels"].map(tuple)).cumcount()
    for one in own.iloc[turn.argsort(kind="stable")].head(room).itertuples():
        yield str(one.clip), int(one.row), [int(label) for label in one.labels]


def bits(grid: np.ndarray) -> str:
    """(time, freq) bool -> base64 of its bits, patch (t, f) being bit t * freq + f, the highest of a byte first."""
    import numpy as np

    return base64.b64encode(np.packbits(grid.ravel()).tobytes()).decode()


def probabilities(scores: np.ndarray, *, several: bool) -> np.ndarray:
    """Logits (classes,) -> from 0 to 1: softmax, or where a clip may have several classes the logistic function."""
    import numpy as np

    if several:
        return 1 / (1 + np.exp(-scores))
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def _told(classes: Sequence[int] | np.ndarray, chances: np.ndarray, facts: Dataset) -> str:
    return clean(", ".join(f"{facts.classes[one]} ({number(100 * chances[one], 0)} %)" for one in classes))
