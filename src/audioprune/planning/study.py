"""Which cells a study has: the trainings of its grids, and its evaluations, traces, MAC counts and timings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

from audioprune import registry
from audioprune.cells import contrasts
from audioprune.cells.cell import Cell
from audioprune.cells.query import matches
from audioprune.config.design import Evaluations, Grid, Recognition, Study, Traces
from audioprune.config.methods import Method, methods_of
from audioprune.config.recipes import resolve_evaluations
from audioprune.facts.dataset import Dataset
from audioprune.facts.recogniser import AT_INPUT, THRESHOLDS
from audioprune.labels import label_of
from audioprune.planning import declared, taught
from audioprune.planning.lengths import durations
from audioprune.planning.pacing import paced, paced_classifiers
from audioprune.planning.robustness import disturbed
from audioprune.planning.stages import Planner
from audioprune.settings.exhibits import Contrast
from audioprune.settings.model import Pruning

TIMED = Method("topk")
Rates = dict[tuple, set[float]]  # keep-rates of each shape of model


@dataclass
class StudyPlan:
    """A study's cells, in the order in which they can be made."""

    name: str
    study: Study
    dataset: Callable[[str], Dataset]  # facts by name
    all: dict[str, Cell] = field(default_factory=dict)  # path -> cell

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        return declared.resolved(self.study.contrasts)

    def cells(self, kind: str, **wanted: Any) -> list[Cell]:
        """Its cells of one kind that have all wanted values (see cells.query.matches)."""
        return [c for c in self.all.values() if c.kind == kind and matches(c, wanted)]


def study_of(planner: Planner, name: str) -> StudyPlan:
    """All cells of a study without its exhibits."""
    study = planner.config.studies[name]
    study = study.model_copy(update={"evaluations": resolve_evaluations(planner.config, study.evaluations)})
    plan, timed = StudyPlan(name, study, planner.facts), _timed(planner, study)
    for grid in study.grids:
        for cell in _grid(planner, study, grid, timed):
            plan.all.update(cell.upstream())
    for robustness in study.robustness:
        for cell in disturbed(planner, study, robustness):
            plan.all.update(cell.upstream())
    for given in study.durations:
        for cell in durations(planner, study, given):
            plan.all.update(cell.upstream())
    for contrast in plan.contrasts:
        for side in (contrast.first, contrast.second):
            for tuned in contrasts.models(plan, contrast, side):
                plan.all.update(planner.evaluate(tuned, pruning=side).upstream())
    for cost in study.costs:
        for backbone, dataset in product(cost.backbones, cost.datasets):
            for method in methods_of(backbone, cost.methods):
                for cell in planner.costs(study, cost, backbone, dataset, method, cost.stride):
                    plan.all.update(cell.upstream())
    for recognition in study.recognitions:
        learn = recognition.taught
        for cell in taught.cells(planner, recognition, learn) if learn else _transcribed(planner, recognition):
            plan.all.update(cell.upstream())
    for pace in study.pace:
        classifiers = paced_classifiers(planner, pace, plan.cells("finetune"))
        for cell in classifiers if pace.backbones else paced(planner, pace, plan.cells("transcribe")):
            plan.all.update(cell.upstream())
    return plan


def _transcribed(planner: Planner, given: Recognition) -> Iterator[Cell]:
    """The unpruned recogniser first."""
    for recogniser, dataset, fallback in product(given.recognisers, given.datasets, given.fallbacks):
        arm = partial(planner.transcribe, recogniser, dataset, fallback=fallback)
        yield arm()
        crossed = product(given.within, given.blocks, given.policies, given.keep_rates, given.budgets)
        for within, blocks, named, rate, budget in crossed:
            policy = named.removesuffix(AT_INPUT)
            if budget == "threshold" and named not in THRESHOLDS:
                continue
            at_input = policy != named
            yield arm(policy=policy, keep_rate=rate, blocks=blocks, within=within, budget=budget, at_input=at_input)
        for blocks, thin, tokens in product(given.blocks, given.thins, given.thin_to):
            yield arm(thin=thin, thin_to=tokens, blocks=blocks)
        for margin in given.margins:
            yield arm(padding="none", margin=margin)


def _timed(planner: Planner, study: Study) -> Rates:
    """The keep-rates of each shape of model: datasets may share one, which is timed once."""
    rates: Rates = {}
    for grid in study.grids:
        for backbone, dataset in product(grid.backbones, grid.datasets):
            if TIMED in methods_of(backbone, grid.methods):
                rates.setdefault(_shape(planner, grid, backbone, dataset), set()).update(grid.keep_rates)
    return rates


def _shape(planner: Planner, grid: Grid, backbone: str, dataset: str) -> tuple:
    facts = planner.facts(dataset)
    return backbone, facts.frames, facts.num_classes, grid.blocks


def _grid(planner: Planner, study: Study, grid: Grid, timed: Rates) -> Iterator[Cell]:
    for backbone, dataset in product(grid.backbones, grid.datasets):
        facts = planner.facts(dataset)
        if not facts.classes:  # transcription: data and WER only, its model comes later
            yield planner.features(dataset)
            continue
        for method in methods_of(backbone, grid.methods):
            if method == TIMED:
                rates = timed[_shape(planner, grid, backbone, dataset)]
                yield from planner.costs(study, grid, backbone, dataset, method, rates=rates)
            folds = grid.folds or range(1, facts.folds + 1)
            for rate, fold, seed in product(grid.keep_rates, folds, grid.seeds):
                pruning = Pruning(method=method.name, keep_rate=rate, options=method.options, blocks=grid.blocks)
                tuned = planner.finetune(study, grid, backbone, dataset, pruning, fold, seed)
                yield from _of_run(planner, study, grid, facts, tuned)


def _of_run(planner: Planner, study: Study, grid: Grid, facts: Dataset, tuned: Cell) -> Iterator[Cell]:
    yield tuned
    for selection in study.selections:
        yield planner.evaluate(tuned, selection=selection)
    pruning = tuned.settings.pruning
    if can_be_perturbed(pruning):
        for test in grid.perturbations:
            yield planner.evaluate(tuned, perturbation=test, tau=facts.tau, kernel="eager")
    if study.traces and _traced(study.traces, grid, tuned):
        traced = planner.trace(tuned, study.traces.clips)
        yield traced
        yield planner.tokens(traced)
    if tuned.settings.seed == grid.seeds[0] and not grid.baseline:
        for own in evaluations(study.evaluations, grid, tuned.settings.model.backbone, pruning):
            yield planner.evaluate(tuned, pruning=own)
        if study.evaluations.discard and pruning.method == "none":
            yield planner.discard(tuned, study.evaluations.discard)


def _traced(traces: Traces, grid: Grid, tuned: Cell) -> bool:
    """Whether a study looks into this run: an unpruned model belongs to every method."""
    if grid.baseline:  # a second baseline is there to be compared only
        return False
    pruning, folds = tuned.settings.pruning, grid.folds or (1,)
    if traces.runs != "all" and tuned.settings.seed != grid.seeds[0]:
        return False
    if traces.runs == "first" and tuned.settings.fold != folds[0]:
        return False
    return pruning.keep_rate in traces.keep_rates and (pruning.keep_rate == 1 or pruning.method in traces.methods)


def can_be_perturbed(pruning: Pruning) -> bool:
    """Whether Algorithm 1 applies: tokens are ranked, some of them go, and the prefix tokens stay apart."""
    facts = registry.method(pruning.method)
    return pruning.keep_rate < 1 and facts.ranks and not facts.loses(pruning.options)


def evaluations(wanted: Evaluations, grid: Grid, backbone: str, trained: Pruning) -> list[Pruning]:
    """What a fine-tuning is evaluated with, besides what it was trained with."""
    rates = [rate for rate in grid.keep_rates if rate < 1]
    topk = {"method": "topk", "blocks": grid.blocks}
    found = []
    if wanted.matrix and trained in [Pruning(keep_rate=rate, **topk) for rate in grid.keep_rates]:
        found += [Pruning(keep_rate=rate, **topk) for rate in grid.keep_rates]
    if trained.method == "none":
        for method in methods_of(backbone, wanted.off_the_shelf):
            named = {"method": method.name, "options": method.options}
            found += [Pruning(keep_rate=rate, blocks=grid.blocks, **named) for rate in rates if allowed(method, rate)]
        found += [Pruning(method="topk", keep_rate=rate, blocks=blocks) for blocks in wanted.blocks for rate in rates]
    return list({label_of(pruning): pruning for pruning in found if pruning != trained}.values())


def allowed(method: Method, rate: float) -> bool:
    """Whether a method can leave so few tokens at one block (merging in pairs: at least half)."""
    facts = registry.method(method.name)
    return facts.is_constant(method.options) or rate >= facts.least
