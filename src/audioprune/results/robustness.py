"""How much accuracy a model loses to noise, and whether a pruned one loses more than the unpruned one.

A(m, c) is the accuracy (or mAP) of model m in condition c, none the unpruned model trained like it.

    RA(m)       mean of A(m, c) over the conditions that count: kinds that add noise, at all levels, less the floor
    D(m)        A(m, clean) - RA(m)
    I(m)        D(m) - D(none), in points: above zero, pruning costs more in noise. In logits likewise
    I_sel       D(topk) - D(random) on the same unpruned weights: does noise mislead the selection?

The floor: where the unpruned model is hardly above chance, no model can lose more. A condition counts where the lower
end of its interval is above 1.5 times chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audioprune.facts.noise import ADDED, REVERB
from audioprune.results import competence, noise
from audioprune.results.competence import Competence
from audioprune.results.estimate import Absent, Estimate, combined, of_draws
from audioprune.results.noise import CLEAN, Condition, Model, accuracy
from audioprune.wording import number

if TYPE_CHECKING:
    import numpy as np

    from audioprune.results.noise import Run
    from audioprune.results.study import Results
    from audioprune.settings.training import FinetuneSettings

FLOOR = 1.5  # times chance
FEWEST = 3  # conditions without which nothing is concluded
UNITS = {REVERB: "s"}


@dataclass(frozen=True)
class Counted:
    """The conditions that enter the means of a backbone on a dataset, and those that the floor leaves out."""

    conditions: tuple[Condition, ...]
    floored: tuple[Condition, ...]
    known: Competence  # of the unpruned model

    @property
    def enough(self) -> bool:
        return len(self.conditions) >= FEWEST

    @property
    def said(self) -> str:
        """'white 0 dB, other 0 dB'."""
        return ", ".join(map(named, self.floored))


def named(condition: Condition) -> str:
    """'white 10 dB', 'reverb 0.3 s'."""
    kind, level = condition
    return kind if condition == CLEAN else f"{kind} {number(level, 1 if kind == REVERB else 0)} {UNITS.get(kind, 'dB')}"


def counted(results: Results, model: Model) -> Counted | Absent:
    """By the unpruned model alone: the same for all that are compared with it."""
    base = noise.unpruned(results, model)
    runs = noise.shared(base)
    if base is None or isinstance(runs, Absent):
        return runs if isinstance(runs, Absent) else Absent(f"no unpruned {model.backbone} was asked about noise")
    known = competence.reference(results, _on_clean_clips(base.tuned))
    if isinstance(known, Absent):
        return known
    own = [one for one in base.conditions if one[0] in ADDED]
    least = FLOOR * known.chance
    above = {one: accuracy(results, base, runs, (one,)).low > least for one in own}
    return Counted(tuple(one for one in own if above[one]), tuple(one for one in own if not above[one]), known)


def _on_clean_clips(tuned: FinetuneSettings) -> FinetuneSettings:
    """The model that was trained alike without noise: it answers the same clips, which give the chance level."""
    return tuned.model_copy(update={"augment": tuned.augment.model_copy(update={"waveform_noise": 0.0})})


# --- contrasts, draw by draw ------------------------------------------------------------------------------------------


def lost(results: Results, model: Model, runs: Sequence[Run], conditions: Sequence[Condition]) -> Estimate:
    """D: clean minus the mean over conditions, in points."""
    clean, noisy = accuracy(results, model, runs, (CLEAN,)), accuracy(results, model, runs, conditions)
    return combined((1, clean), (-1, noisy))


def interaction(
    results: Results, model: Model, conditions: Sequence[Condition], against: Model | None = None
) -> Estimate | Absent:
    """I against the unpruned model, or against another one, in points."""
    base = against or noise.unpruned(results, model)
    runs = noise.shared(model, base)
    if isinstance(runs, Absent) or base is None:
        return runs if isinstance(runs, Absent) else Absent("there is no unpruned model beside it")
    if not conditions:
        return Absent("no condition is above the floor: in none does the unpruned model do clearly better than chance")
    sides = [lost(results, one, runs, conditions) for one in (model, base)]
    found = combined((1, sides[0]), (-1, sides[1]))
    if found.drawn is None:
        return Absent("the models to compare were not asked about the same clips")
    return replace(found, left_out=noise.left_out(runs, model, base))


def _beside(
    results: Results, model: Model, conditions: Sequence[Condition]
) -> tuple[Estimate, Model, Sequence[Run]] | Absent:
    """(its interaction, the unpruned model, the runs that both have)."""
    found, base = interaction(results, model, conditions), noise.unpruned(results, model)
    if isinstance(found, Absent) or base is None:
        return found if isinstance(found, Absent) else Absent("there is no unpruned model beside it")
    runs = noise.shared(model, base)
    return runs if isinstance(runs, Absent) else (found, base, runs)


def logit_interaction(results: Results, model: Model, conditions: Sequence[Condition]) -> Estimate | Absent:
    """I with the logit of every accuracy in the place of the accuracy; accuracies within half a clip of their ends."""
    beside = _beside(results, model, conditions)
    if isinstance(beside, Absent):
        return beside
    found, base, runs = beside

    def of(one: Model, condition: Condition) -> np.ndarray:
        """(1 + D,) logits, the value first."""
        import numpy as np

        own = accuracy(results, one, runs, (condition,))
        least = 0.5 / own.n
        share = np.clip(np.concatenate([[own.value], own.draws]) / 100, least, 1 - least)
        return np.log(share / (1 - share))

    clean = of(model, CLEAN) - of(base, CLEAN)
    noisy = sum(of(model, one) - of(base, one) for one in conditions) / len(conditions)
    return _from(clean - noisy, found)


def relative_error(results: Results, model: Model, conditions: Sequence[Condition]) -> Estimate | Absent:
    """Errors of all levels of a kind over those of the unpruned model, a mean over kinds (as in ImageNet-C)."""
    import numpy as np

    beside = _beside(results, model, conditions)
    if isinstance(beside, Absent):
        return beside
    found, base, runs = beside
    kinds = dict.fromkeys(kind for kind, _ in conditions)

    def errors(one: Model, kind: str) -> np.ndarray:
        own = accuracy(results, one, runs, [c for c in conditions if c[0] == kind])
        return 100 - np.concatenate([[own.value], own.draws])

    others = {kind: errors(base, kind) for kind in kinds}
    shares = [errors(model, kind) / np.where(own > 0, own, np.nan) for kind, own in others.items()]
    return _from(np.mean(shares, axis=0), found)


def flips(results: Results, model: Model, conditions: Sequence[Condition]) -> float | None:
    """Percent of the clips that are right when clean and wrong in a condition; None of mAP, and without conditions."""
    runs = noise.shared(model)
    if isinstance(runs, Absent) or results.dataset(model.dataset).metric == "map" or not conditions:
        return None
    own = noise.right(results, model, runs)
    clean = own.values[:, own.conditions.index(CLEAN)]
    in_noise = own.values[:, [own.conditions.index(one) for one in conditions]].mean(axis=1)
    return 100 * float((clean * (1 - in_noise)).sum() / clean.sum()) if clean.sum() else None


def _from(values: np.ndarray, like: Estimate) -> Estimate:
    """(1 + D,) the value and its draws."""
    return of_draws(float(values[0]), values[1:], like)


# --- a model in numbers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Robust:
    """A model's measures over the conditions that count; of the unpruned one only its own."""

    model: Model
    counted: Counted
    clean: Estimate | Absent
    noisy: Estimate | Absent  # RA
    drop: Estimate | Absent  # D
    flips: float | None
    interaction: Estimate | Absent | None
    logit: Estimate | Absent | None
    relative_error: Estimate | Absent | None
    selection: Estimate | Absent | None  # I against random, of what ranks off the shelf


def every(results: Results) -> list[Robust | tuple[Model, Absent]]:
    """One for each model in noise, in order; why, where it has none."""
    return results.cached("robust", lambda results: [_robust(results, model) for model in noise.every(results)])


def _robust(results: Results, model: Model) -> Robust | tuple[Model, Absent]:
    known, runs = counted(results, model), noise.shared(model)
    if isinstance(known, Absent):
        return model, known
    if isinstance(runs, Absent):
        return model, runs
    floor = Absent("no condition is above the floor")
    own = known.conditions
    compare: Callable = lambda measure: None if model.unpruned else measure(results, model, own)  # noqa: E731
    return Robust(
        model,
        known,
        accuracy(results, model, runs, (CLEAN,)),
        accuracy(results, model, runs, own) if own else floor,
        lost(results, model, runs, own) if own else floor,
        flips(results, model, own),
        compare(interaction),
        compare(logit_interaction),
        compare(relative_error),
        selection(results, model, own),
    )


def selection(results: Results, model: Model, conditions: Sequence[Condition]) -> Estimate | Absent | None:
    """I_sel against random on the same weights; None of random itself, and of what is trained with its pruning."""
    control = noise.beside(results, model, "random")
    if not model.shelf or model.method == "random" or control is None:
        return None
    return interaction(results, model, conditions, control)
