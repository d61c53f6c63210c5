"""Evidence of a study for a claim: models that stand for those the claim names, and what `results` measured of them.

Numbers are read, pooled and compared in audioprune.results alone; here is said what is asked for, and what a study
lacks: a `Missing` with its reason and the command that would make it. Values are in percent, differences in points.

Of a claim's own data and size of model only what was trained by its source's recipe is evidence; and nothing is of
models whose unpruned reference has not learnt enough (results.competence).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from audioprune import registry
from audioprune.cells.query import matches, value_of
from audioprune.claims.trained import OFF_THE_SHELF, Row, Wanted, evaluated, size_of, trained_as, values_by_seed
from audioprune.exhibits import named
from audioprune.facts.dataset import Dataset
from audioprune.facts.tokens import PATCH
from audioprune.labels import canonical_label
from audioprune.results import contrasts, costs, discards, token_contrasts, tokens
from audioprune.results.competence import reference
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.recipes_printed import Profile, follows
from audioprune.results.study import Result, Results
from audioprune.settings.training import FinetuneSettings
from audioprune.wording import listed

if TYPE_CHECKING:
    from audioprune.claims.claim import Claim

PAPER = "paper"  # the study of the claims' own datasets
WORDS = {"keyword": "keywords", "environmental": "environmental sounds", "speaker": "speakers", "multilabel": "tagging"}
SOURCES: dict[Profile, str] = {"p0": "P0", "p2": "the released scripts"}  # whose recipe a profile is


@dataclass(frozen=True)
class Missing:
    """Why something is not there, and the command that would bring it."""

    why: str
    command: str


class Evidence:
    """What is known to a study of one claim; its exhibit names the target that a missing cell belongs to."""

    def __init__(self, results: Results, claim: Claim):
        self.results, self.study, self.exhibit = results, results.study, claim.exhibit
        self.profile, self.claimed = claim.profile, claim.cells.datasets

    # --- what a study has -----------------------------------------------------------------------------------------

    def facts(self, dataset: str) -> Dataset:
        return self.results.dataset(dataset)

    @cached_property
    def models(self) -> dict[tuple[str, str, str], dict[Wanted, Row]]:
        """Pooled evaluations by backbone, dataset and variant, then by method, keep-rate and perturbation."""
        found = self.results.cached("models of claims", evaluated)
        return {model: own for model, own in found.items() if self._follows(self._tuned(next(iter(own.values()))))}

    def _tuned(self, row: Row) -> FinetuneSettings:
        return self.results.cell(row.cells[0]).inputs["finetune"].settings

    def _follows(self, tuned: FinetuneSettings) -> bool:
        """Whether a model is trained as the claim's source says; others than its own have recipes of their own."""
        return not self.profile or follows(tuned, self.facts(tuned.dataset).loss, self.profile)

    def standing(self, claimed: str, families: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
        """(dataset, {family: backbone}) that stand for a claimed dataset, with all families evaluated on each.

        The dataset itself where the study has it so, else others of its kind.
        """
        planned: dict[str, dict[str, str]] = {}
        for backbone, dataset, _ in self.models:
            planned.setdefault(dataset, {}).setdefault(registry.backbone(backbone).family.name, backbone)
        whole = {d: {f: own[f] for f in families} for d, own in planned.items() if set(families) <= set(own)}
        if claimed in whole:
            return [(claimed, whole[claimed])]
        return [(d, own) for d, own in whole.items() if self.facts(d).task == self.facts(claimed).task]

    def itself(self, claimed: str, dataset: str, backbones: Iterable[str]) -> bool:
        """Whether these are the claimed dataset and models of the published size."""
        return dataset == claimed and all(name == f"{registry.backbone(name).family.name}-b" for name in backbones)

    def own_data(self, families: Sequence[str]) -> bool:
        """Whether it is judged on its own data and sizes: on the paper study, or where no other stands for it."""
        standing = [(name, *own) for name in self.claimed for own in self.standing(name, families)]
        own = bool(standing) and all(self.itself(name, dataset, models.values()) for name, dataset, models in standing)
        return self.study == PAPER or own

    def own_speech(self) -> bool:
        """The same of a claim about recognisers: whether nothing but its own recordings are transcribed."""
        return {cell.settings.dataset for cell in self.results.cells("transcribe")} <= set(self.claimed)

    def judged_on(self, paths: Iterable[str]) -> str:
        """'on esc10 with tiny models': what the cells of a verdict are of; empty where the claim speaks of the same."""
        cells = [self.results.cell(path) for path in paths]
        if heard := [cell.settings for cell in cells if cell.kind == "transcribe"]:
            where = dict.fromkeys(own.dataset for own in heard)
            return f"on {listed(where)}" if set(where) - set(self.claimed) else ""
        trained = [found for cell in cells if (found := trained_as(cell))]
        datasets = dict.fromkeys(s.dataset for s in trained)
        sizes = dict.fromkeys(size_of(s.model.backbone) for s in trained)
        if not trained or (set(datasets) <= set(self.claimed) and set(sizes) == {"b"}):
            return ""
        return f"on {listed(datasets)} with {listed(sizes)} models"

    def absent(self, dataset: str, families: Sequence[str]) -> Missing:
        """That nothing stands for a dataset."""
        kind = (
            ""
            if self.study == PAPER
            else f" or on another dataset of {WORDS.get(self.facts(dataset).task, 'its kind')}"
        )
        models = [(b, d) for b, d, _ in self.results.cached("models of claims", evaluated)]
        otherwise = any(d == dataset and registry.backbone(b).family.name in families for b, d in models)
        recipe = f" by the recipe of {SOURCES[self.profile]}" if otherwise and self.profile else ""
        return self.unplanned(f"evaluation of {' and '.join(families)} on {dataset}{kind}{recipe}")

    def keep_rates(self, backbone: str, dataset: str, method: str, wanted: Sequence[float] = ()) -> list[float]:
        """Planned keep-rates below 1, falling; only wanted ones where some are named."""
        method = canonical_label(backbone, method)
        found = {
            rate
            for (b, d, _), own in self.models.items()
            for m, rate, _ in own
            if (b, d, m) == (backbone, dataset, method) and rate < 1 and (not wanted or rate in wanted)
        }
        return sorted(found, reverse=True)

    def off_the_shelf(self, backbone: str, dataset: str, begins: str) -> list[str]:
        """Names, to ask `drop` for, of the methods that unpruned fine-tunings are evaluated with, by how they begin."""
        own = {m for (b, d, _), found in self.models.items() if (b, d) == (backbone, dataset) for m, *_ in found}
        return sorted(m for m in own if m.startswith(OFF_THE_SHELF + begins))

    # --- evidence of its cells ------------------------------------------------------------------------------------

    def scores(self, backbone: str, dataset: str, *wanted: Wanted) -> list[Row] | Missing:
        """Rows of models trained alike at each (method, keep-rate, perturbation), in order; the first that has all."""
        asked = [(canonical_label(backbone, method), rate, test) for method, rate, test in wanted]
        for (b, d, _), own in self.models.items():
            if (b, d) == (backbone, dataset) and all(one in own for one in asked):
                return [own[one] for one in asked]
        said = " and ".join(f"{m} at {r:g}" + (f" in test {p}" if p != "none" else "") for m, r, p in asked)
        return self.unplanned(f"evaluations of {backbone} on {dataset}, trained alike, for {said}")

    def contrast(self, *terms: tuple[float, Row]) -> Estimate | Missing:
        """Sum of factor x value, in points, over the folds and seeds that all have."""
        if nothing := self._not_learnt([self._tuned(row) for _, row in terms]):
            return nothing
        found = self._there(contrasts.contrast(self.results, *terms))
        if isinstance(found, Estimate) and found.drawn is None:
            return Missing("the models to compare were not evaluated on the same clips", self.command)
        return found

    def drop(self, backbone: str, dataset: str, method: str, keep_rate: float) -> Estimate | Missing:
        """Unpruned minus pruned, in points."""
        rows = self.scores(backbone, dataset, ("none", 1.0, "none"), (method, keep_rate, "none"))
        return rows if isinstance(rows, Missing) else self.contrast((1, rows[0]), (-1, rows[1]))

    def drops_by_seed(self, backbone: str, dataset: str, method: str, keep_rate: float) -> list[float]:
        """Unpruned minus pruned of each seed that both have, a mean over its folds."""
        rows = self.scores(backbone, dataset, ("none", 1.0, "none"), (method, keep_rate, "none"))
        if isinstance(rows, Missing):
            return []
        unpruned, pruned = (values_by_seed(self.results, row) for row in rows)
        return [unpruned[seed] - pruned[seed] for seed in sorted(unpruned.keys() & pruned.keys())]

    def discarded(self, backbone: str, dataset: str, clusters: str) -> dict[int, tuple[Estimate, Estimate]] | Missing:
        """{after block: points lost by discarding these tokens, against discarding none, and as many at random}."""
        shown = [r for r in discards.needs(self.results) if r.kind == "discard"]  # of one recipe for each model
        planned = [r for r in shown if matches(r, {"backbone": backbone, "dataset": dataset})]
        if not planned or not self._follows(planned[0].inputs["finetune"].settings):
            by = f" by the recipe of {SOURCES[self.profile]}" if planned and self.profile else ""
            return self.unplanned(f"discarding of clusters for {backbone} on {dataset}{by}")
        if (backbone, dataset) not in discards.places(self.results):
            return Missing(planned[0].why, self.command)
        if nothing := self._not_learnt([planned[0].inputs["finetune"].settings]):
            return nothing
        found = discards.against_none(self.results, backbone, dataset)
        if isinstance(found, Absent):
            return Missing(found.why, self.command)
        beside = discards.lost(self.results, backbone, dataset)
        return {key[1]: (one, beside[key]) for key, one in found.items() if key[0] == clusters}

    def remaining(
        self,
        backbone: str,
        dataset: str,
        method: str,
        keep_rate: float,
        options: dict | None = None,
        stride: int = PATCH,
    ) -> float:
        """Percent of the unpruned model's MACs that remains, in closed form."""
        from audioprune.profiling.macs import count

        facts = self.facts(dataset)
        name, *_ = method.split(".")
        of_model = partial(count, backbone, frames=facts.frames, num_classes=facts.num_classes, stride=stride)
        pruned = of_model(method=name, keep_rate=keep_rate, options=options)
        return 100 * pruned.total / of_model(method="none").total

    def speed_ups(self, backbone: str, dataset: str, keep_rate: float) -> Estimate | Missing:
        """Throughput over that of the unpruned model, both timed in one run: median and quartiles."""
        found = costs.timings(self.results, backbone, dataset, "eager").get(("topk", keep_rate))
        if found is None:
            return self.unplanned(f"timing of {backbone} on {dataset} at {keep_rate:g}")
        return self._there(found["speed_up"])

    # --- token analyses -------------------------------------------------------------------------------------------

    def token_rates(self, wanted: Sequence[float]) -> list[float]:
        """The keep-rates at which token analyses are planned; if there are none, the first keep-rate."""
        planned = {value_of(r, "keep_rate") for r in self._looked_into()}
        return [rate for rate in wanted if rate in planned] or list(wanted[:1])

    def plans_tokens(self, backbone: str, dataset: str, **wanted: float) -> bool:
        """Whether any token analysis of a backbone on a dataset is planned, or one at `keep_rate`."""
        return bool(self._looked_into(backbone=backbone, dataset=dataset, **wanted))

    def _looked_into(self, **wanted: Any) -> list[Result]:
        found = self.results.cells("tokens", **wanted)
        return [r for r in found if self._follows(r.inputs["trace"].inputs["finetune"].settings)]

    def analysed(self, backbone: str, dataset: str, keep_rate: float, score: str = "") -> tokens.Group | Missing:
        """An unpruned model, or one of topk at the usual blocks, by its own score or the one named: the first there."""
        method = canonical_label(backbone, f"topk.{score}" if score else "topk")
        own = [g for g in self._groups if (g.backbone, g.dataset, g.keep_rate) == (backbone, dataset, keep_rate)]
        found = next((g for g in own if g.method in ("none", method)), None)
        if found is None:
            return self.unplanned(f"token analysis of {backbone} on {dataset} at {keep_rate:g}")
        return found if found.cells else Missing(found.why, self.command)

    @cached_property
    def _groups(self) -> list[tokens.Group]:
        there = {r.path for r in self._looked_into()}
        shown = [r for r in tokens.analysed(self.results, pruned=None) if r.path in there]
        return tokens.groups(self.results, shown)

    def mean(self, column: str, *terms: tuple[float, tokens.Group, int]) -> Estimate | Missing:
        """Sum of factor x mean over clips of a column at a block."""
        traces = [self.results.cell(group.cells[0]).inputs["trace"] for _, group, _ in terms]
        if nothing := self._not_learnt([trace.inputs["finetune"].settings for trace in traces]):
            return nothing
        return self._there(token_contrasts.contrast(self.results, column, *terms))

    # --- what is not there ----------------------------------------------------------------------------------------

    def _not_learnt(self, tuned: Iterable[FinetuneSettings]) -> Missing | None:
        """That the unpruned reference of one of these models has not learnt enough, or is not there to tell."""
        for own in tuned:
            found = reference(self.results, own)
            if isinstance(found, Absent):
                return Missing(found.why, self.command)
            if not found.learnt:
                return Missing(f"left out, as the unpruned model has not learnt enough: {found.said}", self.command)
        return None

    def _there(self, found: Estimate | Absent) -> Estimate | Missing:
        return Missing(found.why, self.command) if isinstance(found, Absent) else found

    @property
    def command(self) -> str:
        """Makes the exhibit that shows what is missing, and so the cells that it needs."""
        return command_of(self.study, self.exhibit)

    def unplanned(self, what: str) -> Missing:
        return Missing(
            f"the study {self.study} has no {what}; add it to studies.{self.study} in config.yaml", self.command
        )


def command_of(study: str, exhibit: str) -> str:
    folder = "" if study == PAPER else f"{study}/"
    suffix = "tex" if exhibit in named.names("table") else "svg"
    return f"snakemake results/{folder}{exhibit}.{suffix}"
