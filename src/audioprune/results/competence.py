"""Which unpruned models have learnt enough for their pruning to be meaningful.

What a model loses that answers by chance, or says the same few classes to everything, is noise: no answer and no
verdict rests on it. A model has learnt enough if in every seed (folds pooled) it is above chance by an exact test
(accuracy: more recordings right than the largest class has; mAP: labels exchanged between clips), and predicts at
least half of the classes that its test clips have. Pruned models are never judged so: that one collapses is a finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained
from audioprune.results.estimate import Absent
from audioprune.results.evaluations import by_cell, variants
from audioprune.results.study import Result, Results
from audioprune.wording import number, p_value

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.settings.training import FinetuneSettings

LEVEL = 0.05  # of the test against chance, one-sided
SELECTIONS = ("last", "best_val", "best_test")  # whose weights are looked at, the first that there is


@dataclass(frozen=True)
class Competence:
    """What an unpruned model knows; p and `predicted` are those of its worst seed."""

    backbone: str
    dataset: str
    variant: str  # other settings, where models of the study differ in them
    metric: str
    value: float  # percent; mAP x 100
    chance: float  # in the same unit
    p: float
    predicted: int  # of `classes`, how many are said of some clip
    classes: int  # that the test clips have
    n: int  # distinct clips
    by_class: str  # how often each class is predicted, and how many clips have it; all runs together
    cells: tuple[str, ...]

    @property
    def above_chance(self) -> bool:
        return self.p <= LEVEL

    @property
    def learnt(self) -> bool:
        """Whether contrasts with this reference enter answers and verdicts."""
        return self.above_chance and 2 * self.predicted >= self.classes

    @property
    def said(self) -> str:
        """'audiomae-tiny on demo-words (12.0 %, by chance 10.0 %, p 0.28; 4 of 10 classes predicted)'."""
        unit = " mAP" if self.metric == "map" else " %"
        against = f"{number(self.value, 1)}{unit}, by chance {number(self.chance, 1)}{unit}, p {p_value(self.p)}"
        return f"{self.backbone} on {self.dataset} ({against}; {self.predicted} of {self.classes} classes predicted)"


def needs(study: Cells) -> list:
    """Unpruned models as trained."""
    return [c for c in study.cells("evaluate", method="none") if as_trained(c)]


def every(results: Results) -> list[Competence | Absent]:
    """One for each backbone, dataset and recipe of the study, in its order."""
    tuned = {alike(r.inputs["finetune"].settings): r.inputs["finetune"].settings for r in needs(results)}
    return [reference(results, own) for own in tuned.values()]


def reference(results: Results, tuned: FinetuneSettings) -> Competence | Absent:
    """Competence of the unpruned model that is otherwise trained like `tuned`; Absent if there is none."""
    return results.cached(f"competence {alike(tuned)}", lambda results: _reference(results, tuned))


def alike(tuned: FinetuneSettings) -> str:
    """Equal for models that differ in pruning, fold and seed only."""
    return tuned.model_dump_json(exclude={"pruning", "fold", "seed"})


def _reference(results: Results, tuned: FinetuneSettings) -> Competence | Absent:
    own = [r for r in needs(results) if alike(r.inputs["finetune"].settings) == alike(tuned)]
    chosen = next((name for name in SELECTIONS if any(r.settings.selection == name for r in own)), "")
    own = [r for r in own if r.settings.selection == chosen]
    if not own:
        return Absent(
            f"there is no unpruned {tuned.model.backbone} on {tuned.dataset} to show whether it has learnt anything"
        )
    made = [r for r in own if r.ok]
    return _measured(results, made) if made else Absent(own[0].why)


def _measured(results: Results, made: list[Result]) -> Competence:
    import pandas as pd

    first = made[0].inputs["finetune"].settings
    facts = results.dataset(first.dataset)
    frames = [(r.inputs["finetune"].settings.seed, r.predictions()) for r in made]
    by_seed: dict[int, list[pd.DataFrame]] = {}
    for seed, frame in frames:
        by_seed.setdefault(seed, []).append(frame)
    tests = [_against_chance(own, facts.metric) for own in by_seed.values()]
    pooled = pd.concat([frame for _, frame in frames], ignore_index=True)
    present = {int(label) for own in pooled["labels"] for label in own}
    said = [present.intersection(_said(pd.concat(own, ignore_index=True))) for own in by_seed.values()]
    paths = tuple(r.path for r in made)
    return Competence(
        first.model.backbone, first.dataset, _variant(results, made[0]), facts.metric,
        float(by_cell(results).loc[list(paths)]["value"].mean()), 100 * max(chance for _, chance in tests),
        max(p for p, _ in tests), min(map(len, said)), len(present), pooled["clip"].nunique(),
        _by_class(pooled, facts.classes), paths,
    )  # fmt: skip


def _variant(results: Results, made: Result) -> str:
    return results.cached("variants of evaluations", lambda results: variants(results.cells("evaluate")))[made.path]


def _against_chance(folds: Sequence[pd.DataFrame], metric: str) -> tuple[float, float]:
    """(p, value by chance from 0 to 1) of one seed."""
    import numpy as np
    import pandas as pd

    from audioprune.statistics.chance import accuracy_p, largest_share, map_p
    from audioprune.statistics.measures import correct

    if metric == "map":
        return map_p([(np.stack(list(own["scores"])), list(own["labels"])) for own in folds])
    own = pd.concat(list(folds), ignore_index=True)
    recordings = own["recording"].where(own["recording"] != "", own["clip"]).tolist()
    labels = list(own["labels"])
    return accuracy_p(correct(own), labels, recordings), largest_share(labels, recordings)


def _said(predictions: pd.DataFrame) -> Counter[int]:
    """How often each class is among the highest scores of a clip, as many as the clip has labels."""
    import numpy as np

    found: Counter[int] = Counter()
    for scores, labels in zip(predictions["scores"], predictions["labels"], strict=True):
        found.update(np.argsort(-np.asarray(scores), kind="stable")[: len(set(labels))].tolist())
    return found


def _by_class(predictions: pd.DataFrame, names: Sequence[str], most: int = 20) -> str:
    """'one 55 (10), two 30 (10)': how often a class is predicted, most often first, and how many clips have it."""
    said = _said(predictions)
    true = Counter(int(label) for own in predictions["labels"] for label in set(own))
    order = sorted(said.keys() | true.keys(), key=lambda label: (-said[label], -true[label], label))
    told = [f"{names[label]} {said[label]} ({true[label]})" for label in order[:most]]
    return ", ".join(told) + (f" and {len(order) - most} more" if len(order) > most else "")
