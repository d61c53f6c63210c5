"""From the configuration to cells: what every study is made of. Standard library, settings and keys only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from audioprune import registry
from audioprune.cells import provenance
from audioprune.cells.cell import Cell
from audioprune.cells.query import matches
from audioprune.config import Config, Cost, Grid, Probes, Study, Traces
from audioprune.errors import UserError
from audioprune.facts.dataset import Dataset
from audioprune.facts.options import canonical
from audioprune.facts.tokens import PATCH
from audioprune.fingerprints.keys import code_of, key_of
from audioprune.labels import label_of, method_label
from audioprune.methods import Method, parse_label
from audioprune.planning import brought
from audioprune.recipes import resolve_pretraining, resolve_probes, resolve_recipe
from audioprune.settings import (
    AudioSettings,
    Closed,
    ClustersSettings,
    DiscardSettings,
    EvaluateSettings,
    FeaturesSettings,
    FetchSettings,
    FinetuneSettings,
    GenerateSettings,
    MacsSettings,
    Model,
    PretrainSettings,
    Pruning,
    ThroughputSettings,
    TokensSettings,
    TraceSettings,
    UserFolder,
)
from audioprune.sources import catalogue, manifest, user

PENDING = "pending"
TIMED = Method("topk")


@dataclass
class StudyPlan:
    """A study's cells, in the order in which they can be made."""

    name: str
    study: Study
    dataset: Callable[[str], Dataset]  # facts by name
    all: dict[str, Cell] = field(default_factory=dict)  # path -> cell

    def cells(self, kind: str, **wanted) -> list[Cell]:
        """Its cells of one kind that have all wanted values (see queries.matches)."""
        return [c for c in self.all.values() if c.kind == kind and matches(c, wanted)]


def dataset_facts(name: str, users: Mapping[str, UserFolder]) -> Dataset:
    """Facts of a built-in dataset, or of a user's folder."""
    return user.facts(name, users[name]) if name in users else registry.dataset(name)


def methods_of(backbone: str, labels: Iterable[str]) -> tuple[Method, ...]:
    """Methods with the options that differ from their defaults for this backbone, each once."""
    family, found = registry.backbone(backbone).family, []
    for method in map(parse_label, labels):
        options = canonical(method.options, registry.get("pruning", method.name).build, family)
        found.append(Method(method.name, options))
    return tuple(method for i, method in enumerate(found) if method not in found[:i])


def timing_device(name: str) -> str:
    """The device whose timings are planned: as configured; `here` is this machine's, or what its main process says."""
    return os.environ.setdefault("AUDIOPRUNE_DEVICE", provenance.planning_device()) if name == "here" else name


class Planner:
    """Makes cells of one configuration, each once."""

    def __init__(self, config: Config):
        self.config = config
        self.sources = catalogue.load()
        self.made: dict[str, Cell] = {}
        self.facts = cache(lambda name: dataset_facts(name, config.datasets))
        self.audio = cache(self.audio)
        self.features = cache(self.features)
        self.clusters = cache(self.clusters)
        self._checkpoint = cache(self._checkpoint)

    def cell(self, kind: str, address: str, settings: Closed, *, plugins=(), digests=None, note="", **inputs) -> Cell:
        keys = {name: cell.key for name, cell in inputs.items()}
        key = key_of(kind, settings, keys, digests or {}, code_of(kind, plugins))
        cell = Cell(kind, address, settings, inputs, digests or {}, plugins, key, note)
        return self.made.setdefault(cell.path, cell)

    # --- data ---------------------------------------------------------------------------------------------------

    def fetch(self, source: str) -> Cell:
        """A public archive, keyed by its declared content digest; data brought by hand, keyed by its manifest."""
        if source not in self.sources:
            raise UserError(f"workflow/sources.yaml has no row {source!r}{registry.nearest(source, self.sources)}")
        digest, note = self.sources[source].pin, ""
        if not digest:
            digest, note = self._manifest_digest(source)
        return self.cell("fetch", source, FetchSettings(source=source), digests={"content": digest}, note=note)

    def generate(self, name: str, *, clips: int, seed: int, options: dict) -> Cell:
        settings = GenerateSettings(generator=name, clips=clips, seed=seed, options=options)
        plugin = registry.module_name("generators", name)
        return self.cell("generate", f"{name}/clips{clips}-seed{seed}", settings, plugins=(plugin,))

    def audio(self, name: str) -> Cell:
        facts, config = self.facts(name), self.config
        options, bad = config.dataset_options.get(name, {}), config.bad_clips
        settings = AudioSettings(dataset=name, bad_clips=bad, options=options, user=config.datasets.get(name))
        if name in config.datasets:
            digest, note = self._manifest_digest(name)
            return self.cell("audio", name, settings, digests={"content": digest}, note=note)
        plugins = (registry.module_name("datasets", name),)
        if facts.generator:
            size = config.generators[facts.generator]
            upstream = self.generate(facts.generator, clips=size.clips, seed=size.seed, options=size.options)
            return self.cell("audio", name, settings, plugins=plugins, generate=upstream)
        return self.cell("audio", name, settings, plugins=plugins, fetch=self.fetch(facts.source))

    def features(self, name: str, audio: Cell | None = None) -> Cell:
        facts = self.facts(name)
        settings = FeaturesSettings(dataset=name, frames=facts.frames, mean=facts.mean, std=facts.std)
        return self.cell("features", name, settings, audio=audio or self.audio(name))

    def clusters(self, name: str, patch: int = PATCH, stride: int = PATCH) -> Cell:
        settings = ClustersSettings(dataset=name, patch=patch, stride=stride, tau=self.facts(name).tau)
        return self.cell("clusters", name, settings, audio=self.audio(name), features=self.features(name))

    def _manifest_digest(self, name: str) -> tuple[str, str]:
        """(digest of data that the user brings, nothing), or (PENDING, why) where it is not indexed as it is."""
        try:
            return manifest.digest(brought.current(name, brought.place_of(self.config, name))), ""
        except brought.NotIndexed as error:
            return PENDING, str(error)

    # --- models -------------------------------------------------------------------------------------------------

    def _checkpoint(self, pretraining: str, backbone: str) -> Cell:
        if pretraining == "official":
            return self.fetch(f"checkpoint-{backbone}")
        block = self.config.pretraining[pretraining]
        plan, recipe, augment = resolve_pretraining(block, registry.backbone(backbone).family.name)
        corpus = block.corpus
        generated = self.generate(corpus.generator, clips=corpus.clips, seed=corpus.seed, options=corpus.options)
        features = self.features("demo-corpus", generated)
        settings = PretrainSettings(
            model=Model(backbone=backbone), **dict(plan) | {"recipe": recipe, "augment": augment}
        )
        plugins = (registry.module_name("backbones", backbone), registry.module_name("datasets", "demo-corpus"))
        address = f"{backbone}/{corpus.generator}{corpus.clips}"
        return self.cell("pretrain", address, settings, plugins=plugins, audio=generated, features=features)

    def finetune(
        self, study: Study, grid: Grid, backbone: str, dataset: str, pruning: Pruning, fold: int, seed: int
    ) -> Cell:
        family = registry.backbone(backbone).family.name
        recipe, augment = resolve_recipe(self.config, grid.recipes or study.recipes, family, dataset)
        if grid.baseline:
            augment = augment.model_copy(update={"baseline": grid.baseline})
        settings = FinetuneSettings(
            model=Model(backbone=backbone), dataset=dataset, pruning=pruning, recipe=recipe, augment=augment,
            fold=fold, seed=seed, split=grid.split, initial=grid.initial,
        )  # fmt: skip
        audio = self.audio(dataset)
        inputs = {"audio": audio, "features": self.features(dataset)}
        if grid.initial == "pretrained":
            inputs["checkpoint"] = self._checkpoint(study.pretraining, backbone)
        address = f"{backbone}/{dataset}/{label_of(pruning)}/fold{fold}-seed{seed}"
        plugins = self._plugins(backbone, pruning.method, dataset)
        return self.cell("finetune", address, settings, plugins=plugins, **inputs)

    def evaluate(self, tuned: Cell, **settings) -> Cell:
        own = EvaluateSettings(**{"pruning": tuned.settings.pruning, **settings})
        label = f"eval-{label_of(own.pruning)}" + (f"-{own.perturbation}" if own.perturbation != "none" else "")
        more = {}
        if own.perturbation != "none" and own.tau is None:
            more["clusters"] = self.clusters(tuned.settings.dataset)
        return self._of_finetuned("evaluate", f"{label}/{own.selection}", tuned, own, **more)

    def trace(self, tuned: Cell, clips: int) -> Cell:
        own = TraceSettings(pruning=tuned.settings.pruning, clips=clips)
        return self._of_finetuned("trace", f"trace-{label_of(own.pruning)}/{own.selection}", tuned, own)

    def tokens(self, traced: Cell, **settings) -> Cell:
        """Analyses of a trace; signal is what the generator of made audio says, else what lies above the dataset's own
        tau, or above what its pixels say where it has none."""
        trained = traced.inputs["finetune"].settings
        facts = self.facts(trained.dataset)
        tau = "truth" if facts.generator else "auto" if facts.tau is None else "given"
        own = TokensSettings(**{"tau": tau, **settings})
        clusters = self.clusters(trained.dataset, trained.model.patch, trained.model.stride)
        inputs = {"trace": traced, "features": traced.inputs["features"], "clusters": clusters}
        if own.tau == "truth":
            inputs["audio"] = traced.inputs["audio"]
        label = f"signal-{own.tau}" + (f"-{own.label_map}" if own.label_map != "right" else "")
        return self.cell("tokens", f"{traced.address}/{label}", own, **inputs)

    def discard(self, tuned: Cell, blocks: tuple[int, ...]) -> Cell:
        """Clusters of tokens discarded from an unpruned fine-tuning after each of these blocks."""
        own, trained = DiscardSettings(blocks=blocks), tuned.settings
        clusters = self.clusters(trained.dataset, trained.model.patch, trained.model.stride)
        inputs = {"finetune": tuned, "audio": tuned.inputs["audio"], "features": tuned.inputs["features"]}
        plugins = self._plugins(trained.model.backbone, "none", trained.dataset)
        address = f"{tuned.address}/discard/{own.selection}"
        return self.cell("discard", address, own, plugins=plugins, **inputs, clusters=clusters)

    def _of_finetuned(self, kind: str, label: str, tuned: Cell, own, **more: Cell) -> Cell:
        trained = tuned.settings
        plugins = self._plugins(trained.model.backbone, own.pruning.method, trained.dataset)
        inputs = {"finetune": tuned, "audio": tuned.inputs["audio"], "features": tuned.inputs["features"], **more}
        return self.cell(kind, f"{tuned.address}/{label}", own, plugins=plugins, **inputs)

    def _plugins(self, backbone: str, method: str, dataset: str = "") -> tuple[str, ...]:
        named = [registry.module_name("backbones", backbone), registry.module_name("pruning", method)]
        if dataset in registry.names("datasets"):
            named.append(registry.module_name("datasets", dataset))
        return tuple(named)

    # --- cost ---------------------------------------------------------------------------------------------------

    def costs(
        self,
        study: Study,
        grid: Grid | Cost,
        backbone: str,
        dataset: str,
        method: Method,
        stride: int = PATCH,
        rates=(),
    ) -> list[Cell]:
        """Counted and timed at a grid's keep-rates, and at others of the same shape, in one run."""
        facts = self.facts(dataset)
        if not facts.classes:
            return []
        common = {
            "frames": facts.frames, "num_classes": facts.num_classes, "method": method.name,
            "options": method.options, "keep_rates": tuple(sorted({1.0, *grid.keep_rates, *rates}, reverse=True)),
            "blocks": grid.blocks,
        }  # fmt: skip
        plugins = tuple(sorted({*self._plugins(backbone, method.name), *self._plugins(backbone, "none")}))
        label = method_label(Pruning(method=method.name, keep_rate=0.5, options=method.options, blocks=grid.blocks))
        label += f"-stride{stride}" if stride != PATCH else ""
        address = f"{backbone}/{facts.frames}x{facts.num_classes}/{label}"
        eager = Model(backbone=backbone, kernel="eager", stride=stride)
        cells = [self.cell("macs", address, MacsSettings(model=eager, **common), plugins=plugins)]
        timing = study.throughput
        for kernel in timing.kernels if timing else ():
            device = timing_device(timing.device)
            batch = timing.batch_size.get(dataset, timing.batch_size.get("all", 16))
            settings = ThroughputSettings(
                model=Model(backbone=backbone, kernel=kernel, stride=stride), **common, batch_size=batch,
                warmup=timing.warmup, runs=timing.runs, precision=timing.precision, device=device,
            )  # fmt: skip
            where = "".join(c if c.isalnum() else "-" for c in device)
            cells.append(self.cell("throughput", f"{where}/{address}/{kernel}", settings, plugins=plugins))
        return cells

    # --- studies ------------------------------------------------------------------------------------------------

    def study(self, name: str) -> StudyPlan:
        """All cells of a study."""
        study = self.config.studies[name]
        study = study.model_copy(update={"probes": resolve_probes(self.config, study.probes)})
        plan, timed = StudyPlan(name, study, self.facts), self._timed(study)
        for grid in study.grids:
            for cell in self._grid(study, grid, timed):
                plan.all.update(cell.upstream())
        for cost in study.costs:
            for backbone, dataset in product(cost.backbones, cost.datasets):
                for method in methods_of(backbone, cost.methods):
                    for cell in self.costs(study, cost, backbone, dataset, method, cost.stride):
                        plan.all.update(cell.upstream())
        return plan

    def _timed(self, study: Study) -> dict[tuple, set[float]]:
        """The keep-rates of each shape of model: datasets may share one, which is timed once."""
        rates: dict[tuple, set[float]] = {}
        for grid in study.grids:
            for backbone, dataset in product(grid.backbones, grid.datasets):
                if TIMED in methods_of(backbone, grid.methods):
                    rates.setdefault(self._shape(grid, backbone, dataset), set()).update(grid.keep_rates)
        return rates

    def _shape(self, grid: Grid, backbone: str, dataset: str) -> tuple:
        facts = self.facts(dataset)
        return backbone, facts.frames, facts.num_classes, grid.blocks

    def _grid(self, study: Study, grid: Grid, timed: dict[tuple, set[float]]):
        for backbone in grid.backbones:
            for dataset in grid.datasets:
                facts = self.facts(dataset)
                if not facts.classes:  # transcription: data and WER only, its model comes later
                    yield self.features(dataset)
                    continue
                for method in methods_of(backbone, grid.methods):
                    if method == TIMED:
                        rates = timed[self._shape(grid, backbone, dataset)]
                        yield from self.costs(study, grid, backbone, dataset, method, rates=rates)
                    for rate in grid.keep_rates:
                        pruning = Pruning(
                            method=method.name, keep_rate=rate, options=method.options, blocks=grid.blocks
                        )
                        for fold in grid.folds or range(1, facts.folds + 1):
                            for seed in grid.seeds:
                                tuned = self.finetune(study, grid, backbone, dataset, pruning, fold, seed)
                                yield from self._of_run(study, grid, facts, tuned)

    def _of_run(self, study: Study, grid: Grid, facts: Dataset, tuned: Cell):
        yield tuned
        for selection in study.selections:
            yield self.evaluate(tuned, selection=selection)
        pruning = tuned.settings.pruning
        if can_be_perturbed(pruning):
            for test in grid.perturbations:
                yield self.evaluate(tuned, perturbation=test, tau=facts.tau, kernel="eager")
        if study.traces and self._traced(study.traces, grid, tuned):
            traced = self.trace(tuned, study.traces.clips)
            yield traced
            yield self.tokens(traced)
        if tuned.settings.seed == grid.seeds[0] and not grid.baseline:
            for probe in probes(study.probes, grid, tuned.settings.model.backbone, pruning):
                yield self.evaluate(tuned, pruning=probe)
            if study.probes.discard and pruning.method == "none":
                yield self.discard(tuned, study.probes.discard)

    def _traced(self, traces: Traces, grid: Grid, tuned: Cell) -> bool:
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
    """Whether Algorithm 1 applies: tokens are ranked, some of them go, and the extra tokens stay apart."""
    facts = registry.method(pruning.method)
    return pruning.keep_rate < 1 and facts.ranks and not facts.loses(pruning.options)


def probes(wanted: Probes, grid: Grid, backbone: str, trained: Pruning) -> list[Pruning]:
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
