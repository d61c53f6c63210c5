"""Where predicates get their evidence: published numbers, exact MACs, and a study's evaluations with intervals.

Statistics are asked for here and nowhere else in claims and predicates. What is not there is a `Missing` with its
reason and the command that would make it. Values are in percent, differences in percentage points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audioprune import discards, published, registry
from audioprune.facts.tokens import PATCH
from audioprune.labels import canonical_label, method_label
from audioprune.queries import value_of
from audioprune.results import Result, Results
from audioprune.wording import number

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.statistics.bootstrap import Drawn

DRAWS = 1000
FILES = {"gamma_s": "attention", "gamma_b": "attention", "norm": "blocks"}  # of a tokens cell, besides stages
OFF_THE_SHELF = "off the shelf: "  # before a method that an unpruned fine-tuning is evaluated with
PAPER = "paper"  # the study of the claims' own datasets
WORDS = {"keyword": "keywords", "environmental": "environmental sounds", "speaker": "speakers", "multilabel": "tagging"}


@dataclass(frozen=True)
class Missing:
    """Why something is not there, and the command that would bring it."""

    why: str
    command: str


class NotPrinted(LookupError):
    """The source prints no such value: what only printed numbers could decide is left out."""


@dataclass(frozen=True)
class Scores:
    """All runs of one model on one dataset: evaluations of its folds and seeds. Predictions are read when needed."""

    cells: tuple[str, ...]
    metric: str


@dataclass(frozen=True)
class Estimate:
    """A value or a difference with its two-sided 95 % interval and its one-sided 95 % bounds."""

    value: float
    low: float
    high: float
    lower: float  # one-sided
    upper: float  # one-sided
    n: int  # distinct clips
    seeds: int
    cells: tuple[str, ...]

    @property
    def error(self) -> float:
        """Standard error, from the interval's width."""
        return (self.high - self.low) / (2 * 1.959964)

    def times(self, factor: float) -> Estimate:
        ends = {name: factor * getattr(self, name) for name in ("value", "low", "high", "lower", "upper")}
        return replace(self, **ends)

    def __str__(self) -> str:
        return f"{number(self.value, 2)} [{number(self.low, 2)}, {number(self.high, 2)}]"


class Evidence:
    """What is known to a study; `exhibit` names the target that a missing cell belongs to."""

    def __init__(self, results: Results, exhibit: str = "claims"):
        self.results, self.study, self.exhibit = results, results.study, exhibit

    # --- published numbers ----------------------------------------------------------------------------------------

    def printed(self, name: str, **wanted: str) -> str | None:
        """The one printed value of report/published/<name>.csv with these texts; None if there is none."""
        found = [row["value"] for row in published.rows(name) if all(row[k] == v for k, v in wanted.items())]
        if len(found) > 1:
            raise ValueError(f"{len(found)} published values in {name} have {wanted}")
        return found[0] if found else None

    def printed_number(self, name: str, **wanted: str) -> float:
        """The same as a number; raises NotPrinted where there is none."""
        found = self.printed(name, **wanted)
        if found is None:
            raise NotPrinted(f"{name} has no value with {wanted}")
        return float(found)

    def published_drop(self, name: str, backbone: str, dataset: str, keep_rate: float, method="topk") -> float | None:
        """Points that a published table loses from the unpruned model to a keep-rate; mAP is taken x 100."""
        metric = "map" if self.facts(dataset).metric == "map" else "top1"
        rows = [
            row
            for row in published.rows(name)
            if (row["backbone"], row["dataset"], row["metric"]) == (backbone, dataset, metric) and row["keep_rate"]
        ]
        values = {
            (row["method"], float(row["keep_rate"])): float(row["value"]) * (100 if row["unit"] == "fraction" else 1)
            for row in rows
        }
        base, pruned = values.get(("none", 1.0)), values.get((method, keep_rate))
        return None if base is None or pruned is None else base - pruned

    # --- what a study has -----------------------------------------------------------------------------------------

    def facts(self, dataset: str):
        return self.results.dataset(dataset)

    @property
    def groups(self) -> dict[tuple, dict[tuple, list[Result]]]:
        """Evaluations by backbone, dataset and recipe, then by method, keep-rate and perturbation."""
        return self.results.cached("groups of claims", _groups)

    def standing(self, claimed: str, families: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
        """(dataset, {family: backbone}) that stand for a claimed dataset, with all families evaluated on each.

        The dataset itself where the study has it so, else others of its kind.
        """
        planned: dict[str, dict[str, str]] = {}
        for backbone, dataset, _ in self.groups:
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
            for (b, d, _), own in self.groups.items()
            for m, rate, _ in own
            if (b, d, m) == (backbone, dataset, method) and rate < 1 and (not wanted or rate in wanted)
        }
        return sorted(found, reverse=True)

    def off_the_shelf(self, backbone: str, dataset: str, begins: str) -> list[str]:
        """Names, to ask `drop` for, of the methods that unpruned fine-tunings are evaluated with, by how they begin."""
        own = {m for (b, d, _), found in self.groups.items() if (b, d) == (backbone, dataset) for m, *_ in found}
        return sorted(m for m in own if m.startswith(OFF_THE_SHELF + begins))

    # --- evidence of its cells ------------------------------------------------------------------------------------

    def scores(self, backbone: str, dataset: str, *wanted: tuple[str, float, str]) -> list[Scores] | Missing:
        """Runs of one recipe at each (method, keep-rate, perturbation), in order; the first recipe that has all."""
        wanted = tuple((canonical_label(backbone, method), *rest) for method, *rest in wanted)
        for (b, d, _), own in self.groups.items():
            if (b, d) == (backbone, dataset) and all(one in own for one in wanted):
                return self._pooled([own[one] for one in wanted], dataset)
        said = " and ".join(f"{m} at {r:g}" + (f" in test {p}" if p != "none" else "") for m, r, p in wanted)
        return self.unplanned(f"evaluations of {backbone} on {dataset}, trained alike, for {said}")

    def _pooled(self, wanted: list[list[Result]], dataset: str) -> list[Scores] | Missing:
        absent = [r for own in wanted for r in own if not r.ok]
        if absent:
            return Missing(absent[0].why, self.command)
        return [Scores(tuple(r.path for r in own), self.facts(dataset).metric) for own in wanted]

    def contrast(self, *terms: tuple[float, Scores]) -> Estimate | Missing:
        """Sum of factor x value, in points, with intervals from the same draws of recordings and seeds for all."""
        from audioprune.evaluations import drawn
        from audioprune.statistics.bootstrap import contrast

        try:
            joined = contrast(*((100 * factor, drawn(self.results, one.cells, one.metric)) for factor, one in terms))
        except ValueError:
            return Missing("the models to compare were not evaluated on the same clips and seeds", self.command)
        return _estimate(joined, tuple(dict.fromkeys(cell for _, scores in terms for cell in scores.cells)))

    def drop(self, backbone: str, dataset: str, method: str, keep_rate: float) -> Estimate | Missing:
        """Unpruned minus pruned, in points."""
        found = self.scores(backbone, dataset, ("none", 1.0, "none"), (method, keep_rate, "none"))
        return found if isinstance(found, Missing) else self.contrast((1, found[0]), (-1, found[1]))

    def discarded(self, backbone: str, dataset: str, clusters: str) -> dict[int, Estimate] | Missing:
        """{after block: points lost when these clusters of tokens are discarded, against as many at random}."""
        planned = self.results.cells("discard", backbone=backbone, dataset=dataset)
        if not planned:
            return self.unplanned(f"discarding of clusters for {backbone} on {dataset}")
        absent = [r for r in planned if not r.ok]
        if absent:
            return Missing(absent[0].why, self.command)
        cells = tuple(r.path for r in discards.places(self.results)[backbone, dataset])
        found = discards.lost(self.results, backbone, dataset)
        return {block: _estimate(drawn, cells) for (one, block), drawn in found.items() if one == clusters}

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
        shape = {"frames": facts.frames, "num_classes": facts.num_classes, "stride": stride}
        name, *_ = method.split(".")
        pruned = count(backbone, method=name, keep_rate=keep_rate, options=options, **shape)
        return 100 * pruned.total / count(backbone, method="none", **shape).total

    def speed_ups(self, backbone: str, dataset: str, keep_rate: float) -> Estimate | Missing:
        """Throughput over that of the unpruned model, both timed in one run: median and quartiles."""
        facts = self.facts(dataset)
        planned = self.results.cells(
            "throughput", backbone=backbone, frames=facts.frames, num_classes=facts.num_classes, method="topk"
        )
        cells = [r for r in planned if r.settings.model.kernel == "eager" and keep_rate in r.settings.keep_rates]
        if not cells:
            return self.unplanned(f"timing of {backbone} on {dataset} at {keep_rate:g}")
        if not cells[0].ok:
            return Missing(cells[0].why, self.command)
        return _speed_up(cells[0], keep_rate)

    def token_rates(self, wanted: Sequence[float]) -> list[float]:
        """Those keep-rates that token analyses are planned at; the first one where there is none."""
        planned = {value_of(r, "keep_rate") for r in self.results.cells("tokens")}
        return [rate for rate in wanted if rate in planned] or list(wanted[:1])

    def plans_tokens(self, backbone: str, dataset: str, **wanted: float) -> bool:
        """Whether any token analysis of a backbone on a dataset is planned, or one at `keep_rate`."""
        return bool(self.results.cells("tokens", backbone=backbone, dataset=dataset, **wanted))

    def tokens(self, backbone: str, dataset: str, keep_rate: float, column: str) -> object | Missing:
        """Per-clip rows of a token analysis: a DataFrame with columns clip, recording, block and the one wanted."""
        wanted = {"backbone": backbone, "dataset": dataset, "keep_rate": keep_rate, "label_map": "right"}
        cells = _alike([r for r in self.results.cells("tokens", **wanted) if _plain(r)])
        if not cells:
            return self.unplanned(f"token analysis of {backbone} on {dataset} at {keep_rate:g}")
        absent = [r for r in cells if not r.ok]
        if absent:
            return Missing(absent[0].why, self.command)
        import pandas as pd

        rows = pd.concat([_per_clip(r, column) for r in cells], ignore_index=True)
        return rows.groupby(["clip", "recording", "block"], as_index=False, sort=False)[column].mean()  # over seeds

    # --- what is not there ----------------------------------------------------------------------------------------

    @property
    def command(self) -> str:
        """Makes the exhibit that shows what is missing, and so the cells that it needs."""
        return command_of(self.study, self.exhibit)

    def unplanned(self, what: str) -> Missing:
        return Missing(
            f"the study {self.study} has no {what}; add it to studies.{self.study} in config.yaml", self.command
        )


def _estimate(drawn: Drawn, cells: tuple[str, ...]) -> Estimate:
    from audioprune.statistics.bootstrap import interval

    wide, narrow = interval(drawn, level=0.95), interval(drawn, level=0.90)  # 90 %: one-sided 95 % bounds
    return Estimate(wide.estimate, wide.low, wide.high, narrow.low, narrow.high, wide.clips, wide.seeds, cells)


def _groups(results: Results) -> dict[tuple, dict[tuple, list[Result]]]:
    found: dict[tuple, dict[tuple, list[Result]]] = {}
    for r in results.cells("evaluate"):
        tuned = r.inputs["finetune"].settings
        off_the_shelf = tuned.pruning.method == "none" and tuned.pruning != r.settings.pruning
        if r.settings.selection == "best_test" or not (off_the_shelf or tuned.pruning == r.settings.pruning):
            continue
        recipe = tuned.model_dump_json(include={"recipe", "augment", "split", "initial"})
        method = OFF_THE_SHELF * off_the_shelf + method_label(r.settings.pruning)
        what = (method, r.settings.pruning.keep_rate, r.settings.perturbation)
        found.setdefault((tuned.model.backbone, tuned.dataset, recipe), {}).setdefault(what, []).append(r)
    return found


def command_of(study: str, exhibit: str) -> str:
    folder = "" if study == PAPER else f"{study}/"
    suffix = "tex" if exhibit in registry.names("tables") else "svg"
    return f"snakemake results/{folder}{exhibit}.{suffix}"


def mean_interval(values, groups, draws: int = DRAWS) -> Estimate:
    """Mean of per-clip values with a bootstrap over their groups (source recordings); values (n,), groups (n,)."""
    import numpy as np

    values, (names, number) = np.asarray(values, float), np.unique(np.asarray(groups).astype(str), return_inverse=True)
    sums, sizes = np.bincount(number, values), np.bincount(number)
    rng = np.random.default_rng(0)
    weights = np.stack(
        [np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(draws)]
    )
    means = weights @ sums / (weights @ sizes)
    low, lower, upper, high = np.quantile(means, [0.025, 0.05, 0.95, 0.975])
    return Estimate(float(values.mean()), *map(float, (low, high, lower, upper)), len(values), 1, ())


def _plain(tokens: Result) -> bool:
    """Whether it is of an unpruned model, or of topk with its own score at the usual blocks."""
    pruning = tokens.inputs["trace"].settings.pruning
    return method_label(pruning) in ("none", "topk")


def _alike(cells: list[Result]) -> list[Result]:
    """Those that are of models trained by the same recipe as the first."""
    trained = [r.inputs["trace"].inputs["finetune"].settings for r in cells]
    recipes = [s.model_dump_json(exclude={"fold", "seed", "pruning"}) for s in trained]
    return [r for r, recipe in zip(cells, recipes, strict=True) if recipe == recipes[0]]


def _per_clip(tokens: Result, column: str) -> pd.DataFrame:
    """Rows (clip, recording, block, column) of a tokens cell; attention ratios by the score that the model ranks by."""
    name = FILES.get(column, "stages")
    rows = tokens.frame(f"{name}.parquet")
    if "score" in rows:
        rows = rows[rows["score"] == tokens.record["results"]["score"].removesuffix("_literal")]
    recordings = tokens.frame("clips.parquet")[["clip", "recording"]]
    return rows.merge(recordings, on="clip")[["clip", "recording", "block", column]]


def _speed_up(timing: Result, keep_rate: float) -> Estimate:
    from audioprune.profiling.timings import summary

    rows = {row["keep_rate"]: row for row in summary(timing.frame(), timing.settings.batch_size).to_dict("records")}
    row = rows[keep_rate]
    low, high = row["speed_up_low"], row["speed_up_high"]
    return Estimate(row["speed_up"], low, high, low, high, timing.settings.runs, 1, (timing.path,))
