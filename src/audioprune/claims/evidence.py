"""Which evidence of a study a claim needs: models that stand for those it names, and what `results` says of them.

Numbers are read, pooled and compared in audioprune.results alone; here is said what is asked for, and what a study
lacks: a `Missing` with its reason and the command that would make it. Values are in percent, differences in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from audioprune import registry
from audioprune.cells.query import value_of
from audioprune.exhibits import named
from audioprune.facts.dataset import Dataset
from audioprune.facts.tokens import PATCH
from audioprune.labels import canonical_label, label_of
from audioprune.results import contrasts, costs, discards, token_contrasts, tokens
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.evaluations import tidy
from audioprune.results.study import Results
from audioprune.settings import Pruning

OFF_THE_SHELF = "off the shelf: "  # before a method that an unpruned fine-tuning is evaluated with
PAPER = "paper"  # the study of the claims' own datasets
WORDS = {"keyword": "keywords", "environmental": "environmental sounds", "speaker": "speakers", "multilabel": "tagging"}
SELECTIONS = ("last", "best_val")  # by which weights claims are judged, the first that a model has
UNPRUNED = label_of(Pruning())

Wanted = tuple[str, float, str]  # method, keep-rate, perturbation
Row = Any  # of evaluations.tidy


@dataclass(frozen=True)
class Missing:
    """Why something is not there, and the command that would bring it."""

    why: str
    command: str


class Evidence:
    """What is known to a study; `exhibit` names the target that a missing cell belongs to."""

    def __init__(self, results: Results, exhibit: str = "claims"):
        self.results, self.study, self.exhibit = results, results.study, exhibit

    # --- what a study has -----------------------------------------------------------------------------------------

    def facts(self, dataset: str) -> Dataset:
        return self.results.dataset(dataset)

    @property
    def models(self) -> dict[tuple[str, str, str], dict[Wanted, Row]]:
        """Pooled evaluations by backbone, dataset and variant, then by method, keep-rate and perturbation."""
        return self.results.cached("models of claims", _models)

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

    def own_data(self, claimed: Sequence[str], families: Sequence[str]) -> bool:
        """Whether the claim is judged on its own datasets: on the paper study, or where no other stands for them."""
        standing = {d for name in claimed for d, _ in self.standing(name, families)}
        return self.study == PAPER or (bool(standing) and standing <= set(claimed))

    def absent(self, dataset: str, families: Sequence[str]) -> Missing:
        """That nothing stands for a dataset."""
        kind = (
            ""
            if self.study == PAPER
            else f" or on another dataset of {WORDS.get(self.facts(dataset).task, 'its kind')}"
        )
        return self.unplanned(f"evaluation of {' and '.join(families)} on {dataset}{kind}")

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
        found = self._there(contrasts.contrast(self.results, *terms))
        if isinstance(found, Estimate) and found.drawn is None:
            return Missing("the models to compare were not evaluated on the same clips", self.command)
        return found

    def drop(self, backbone: str, dataset: str, method: str, keep_rate: float) -> Estimate | Missing:
        """Unpruned minus pruned, in points."""
        rows = self.scores(backbone, dataset, ("none", 1.0, "none"), (method, keep_rate, "none"))
        return rows if isinstance(rows, Missing) else self.contrast((1, rows[0]), (-1, rows[1]))

    def discarded(self, backbone: str, dataset: str, clusters: str) -> dict[int, Estimate] | Missing:
        """{after block: points lost when these clusters of tokens are discarded, against as many at random}."""
        planned = self.results.cells("discard", backbone=backbone, dataset=dataset)
        if not planned:
            return self.unplanned(f"discarding of clusters for {backbone} on {dataset}")
        if (backbone, dataset) not in discards.places(self.results):
            return Missing(planned[0].why, self.command)
        found = discards.lost(self.results, backbone, dataset)
        return {block: one for (name, block), one in found.items() if name == clusters}

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
        """Those keep-rates that token analyses are planned at; the first one where there is none."""
        planned = {value_of(r, "keep_rate") for r in self.results.cells("tokens")}
        return [rate for rate in wanted if rate in planned] or list(wanted[:1])

    def plans_tokens(self, backbone: str, dataset: str, **wanted: float) -> bool:
        """Whether any token analysis of a backbone on a dataset is planned, or one at `keep_rate`."""
        return bool(self.results.cells("tokens", backbone=backbone, dataset=dataset, **wanted))

    def analysed(self, backbone: str, dataset: str, keep_rate: float) -> tokens.Group | Missing:
        """An unpruned model, or one of topk by its own score at the usual blocks: the first that a study analyses."""
        shown = self.results.cached("groups of claims", _analysed)
        own = [g for g in shown if (g.backbone, g.dataset, g.keep_rate) == (backbone, dataset, keep_rate)]
        found = next((g for g in own if g.method in ("none", "topk")), None)
        if found is None:
            return self.unplanned(f"token analysis of {backbone} on {dataset} at {keep_rate:g}")
        return found if found.cells else Missing(found.why, self.command)

    def mean(self, column: str, *terms: tuple[float, tokens.Group, int]) -> Estimate | Missing:
        """Sum of factor x mean over clips of a column at a block."""
        return self._there(token_contrasts.contrast(self.results, column, *terms))

    # --- what is not there ----------------------------------------------------------------------------------------

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


def _models(results: Results) -> dict[tuple[str, str, str], dict[Wanted, Row]]:
    """Of the weights of one selection, as trained and off the shelf; what is crossed otherwise decides no claim."""
    found: dict[tuple[str, str, str], dict[str, dict[Wanted, Row]]] = {}
    for row in tidy(results).itertuples():
        if row.trained not in ("", UNPRUNED) or row.selection not in SELECTIONS:
            continue
        what = (OFF_THE_SHELF * bool(row.trained) + row.method, row.keep_rate, row.perturbation)
        own = found.setdefault((row.backbone, row.dataset, row.variant), {})
        own.setdefault(row.selection, {})[what] = row
    return {model: next(own[one] for one in SELECTIONS if one in own) for model, own in found.items()}


def _analysed(results: Results) -> list[tokens.Group]:
    return tokens.groups(results, tokens.analysed(results, own=True, pruned=None))


def command_of(study: str, exhibit: str) -> str:
    folder = "" if study == PAPER else f"{study}/"
    suffix = "tex" if exhibit in named.names("table") else "svg"
    return f"snakemake results/{folder}{exhibit}.{suffix}"
