"""How cells of each kind are planned: their settings, inputs, address and key. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from audioprune import registry
from audioprune.cells import provenance
from audioprune.cells.cell import Cell
from audioprune.config.design import MADE_BEFORE, Config, Cost, Grid, Study
from audioprune.config.methods import Method
from audioprune.config.recipes import resolve_pretraining, resolve_recipe
from audioprune.errors import UserError
from audioprune.facts.dataset import Dataset
from audioprune.facts.recogniser import RECOGNISERS
from audioprune.facts.tokens import PATCH
from audioprune.fingerprints.keys import code_of, key_of
from audioprune.labels import arm_label, label_of, method_label
from audioprune.planning import brought
from audioprune.settings.closed import Closed, OptionValue
from audioprune.settings.costs import MacsSettings, ThroughputSettings
from audioprune.settings.data import AudioSettings, FeaturesSettings, FetchSettings, GenerateSettings, UserFolder
from audioprune.settings.evaluation import (
    ClustersSettings,
    DiscardSettings,
    EvaluateSettings,
    NoisySettings,
    TokensSettings,
    TraceSettings,
)
from audioprune.settings.lengths import DurationsSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.speech import TranscribeSettings
from audioprune.settings.training import Augment, FinetuneSettings, PretrainSettings
from audioprune.sources import catalogue, manifest, user

PENDING = "pending"


def dataset_facts(name: str, users: Mapping[str, UserFolder]) -> Dataset:
    """Facts of a built-in dataset, or of a user's folder."""
    return user.facts(name, users[name]) if name in users else registry.dataset(name)


def timing_device(name: str) -> str:
    """The device whose timings are planned: as configured; `here` is this machine's, or what its main process says."""
    return os.environ.setdefault("AUDIOPRUNE_DEVICE", provenance.planning_device()) if name == "here" else name


def plain(device: str) -> str:
    """A device's name as a part of a path."""
    return "".join(c if c.isalnum() else "-" for c in device)


def _noise(augment: Augment) -> tuple[str, ...]:
    """The module by which training clips get noise, where they do."""
    return (registry.module_name("training", "waveform-noise"),) if augment.waveform_noise else ()


class Planner:
    """Makes cells of one configuration, each once."""

    def __init__(self, config: Config):
        self.config = config
        self.sources = catalogue.load()
        self.made: dict[str, Cell] = {}
        self.facts = cache(lambda name: dataset_facts(name, config.datasets))
        self.audio = cache(self._audio)
        self.features = cache(self._features)
        self.clusters = cache(self._clusters)
        self.pretrained = cache(self._pretrained)

    def cell(
        self,
        kind: str,
        address: str,
        settings: Closed,
        *,
        plugins: tuple[str, ...] = (),
        digests: dict[str, str] | None = None,
        note: str = "",
        inputs: dict[str, Cell] | None = None,
    ) -> Cell:
        inputs = inputs or {}
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

    def _audio(self, name: str, **more: OptionValue) -> Cell:
        """`more`: switches of the dataset, laid over those of the configuration."""
        facts, config = self.facts(name), self.config
        options, bad = config.dataset_options.get(name, {}) | more, config.bad_clips
        settings = AudioSettings(dataset=name, bad_clips=bad, options=options, user=config.datasets.get(name))
        if name in config.datasets:
            digest, note = self._manifest_digest(name)
            return self.cell("audio", name, settings, digests={"content": digest}, note=note)
        plugins = (registry.module_name("datasets", name),)
        if facts.generator:
            size = config.generators[facts.generator]
            upstream = self.generate(facts.generator, clips=size.clips, seed=size.seed, options=size.options)
            return self.cell("audio", name, settings, plugins=plugins, inputs={"generate": upstream})
        return self.cell("audio", name, settings, plugins=plugins, inputs={"fetch": self.fetch(facts.source)})

    def _features(self, name: str, audio: Cell | None = None) -> Cell:
        facts = self.facts(name)
        settings = FeaturesSettings(dataset=name, frames=facts.frames, mean=facts.mean, std=facts.std)
        return self.cell("features", name, settings, inputs={"audio": audio or self.audio(name)})

    def _clusters(self, name: str, patch: int = PATCH, stride: int = PATCH) -> Cell:
        settings = ClustersSettings(dataset=name, patch=patch, stride=stride, tau=self.facts(name).tau)
        inputs = {"audio": self.audio(name), "features": self.features(name)}
        return self.cell("clusters", name, settings, inputs=inputs)

    def _manifest_digest(self, name: str) -> tuple[str, str]:
        """(digest of data that the user brings, nothing), or (PENDING, why) where it is not indexed as it is."""
        try:
            return manifest.digest(brought.current(name, brought.place_of(self.config, name))), ""
        except brought.NotIndexed as error:
            return PENDING, str(error)

    # --- models -------------------------------------------------------------------------------------------------

    def checkpoint(self, pretraining: str, backbone: str) -> Cell:
        """What fine-tuning starts from: a checkpoint that was made before, or the study's own pre-training."""
        if pretraining in MADE_BEFORE:
            return self.fetch(f"{catalogue.CHECKPOINT}{backbone}")
        return self.pretrained(pretraining, backbone)

    def _pretrained(self, pretraining: str, backbone: str) -> Cell:
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
        inputs = {"audio": generated, "features": features}
        return self.cell("pretrain", address, settings, plugins=(*plugins, *_noise(augment)), inputs=inputs)

    def finetune(
        self, study: Study, grid: Grid, backbone: str, dataset: str, pruning: Pruning, fold: int, seed: int,
        augmented: Mapping[str, Any] | None = None,
    ) -> Cell:  # fmt: skip
        """augmented: fields of the augmentation, laid over those of the recipe."""
        family = registry.backbone(backbone).family.name
        recipe, augment = resolve_recipe(self.config, grid.recipes or study.recipes, family, dataset)
        if grid.baseline:
            augment = augment.model_copy(update={"baseline": grid.baseline})
        augment = augment.model_copy(update=augmented)
        settings = FinetuneSettings(
            model=Model(backbone=backbone), dataset=dataset, pruning=pruning, recipe=recipe, augment=augment,
            fold=fold, seed=seed, split=grid.split, initial=grid.initial,
        )  # fmt: skip
        audio = self.audio(dataset)
        inputs = {"audio": audio, "features": self.features(dataset)}
        if grid.initial == "pretrained":
            inputs["checkpoint"] = self.checkpoint(study.pretraining, backbone)
        address = f"{backbone}/{dataset}/{label_of(pruning)}/fold{fold}-seed{seed}"
        plugins = (*self._plugins(backbone, pruning.method, dataset), *_noise(augment))
        return self.cell("finetune", address, settings, plugins=plugins, inputs=inputs)

    def evaluate(self, tuned: Cell, **settings: Any) -> Cell:
        own = EvaluateSettings(**{"pruning": tuned.settings.pruning, **settings})
        label = f"eval-{label_of(own.pruning)}" + (f"-{own.perturbation}" if own.perturbation != "none" else "")
        more = {}
        if own.perturbation != "none" and own.tau is None:
            more["clusters"] = self.clusters(tuned.settings.dataset)
        return self._of_finetuned("evaluate", f"{label}/{own.selection}", tuned, own, **more)

    def trace(self, tuned: Cell, clips: int) -> Cell:
        own = TraceSettings(pruning=tuned.settings.pruning, clips=clips)
        return self._of_finetuned("trace", f"trace-{label_of(own.pruning)}/{own.selection}", tuned, own)

    def tokens(self, traced: Cell, **settings: Any) -> Cell:
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
        return self.cell("tokens", f"{traced.address}/{label}", own, inputs=inputs)

    def discard(self, tuned: Cell, blocks: tuple[int, ...]) -> Cell:
        """Clusters of tokens discarded from an unpruned fine-tuning after each of these blocks."""
        own, trained = DiscardSettings(blocks=blocks), tuned.settings
        clusters = self.clusters(trained.dataset, trained.model.patch, trained.model.stride)
        inputs = {"finetune": tuned, "audio": tuned.inputs["audio"], "features": tuned.inputs["features"]}
        plugins = self._plugins(trained.model.backbone, "none", trained.dataset)
        address = f"{tuned.address}/discard/{own.selection}"
        return self.cell("discard", address, own, plugins=plugins, inputs=inputs | {"clusters": clusters})

    def noisy(self, tuned: Cell, own: NoisySettings, sources: Mapping[str, str]) -> Cell:
        """A fine-tuning on disturbed clips; sources: {kind of noise: the dataset it is made of}, where another's."""
        more = {kind: self.audio(name) for kind, name in sources.items()}
        return self._of_finetuned("noisy", f"noisy-{label_of(own.pruning)}/{own.selection}", tuned, own, **more)

    def durations(self, tuned: Cell, own: DurationsSettings) -> Cell:
        """A fine-tuning on clips padded to its length, and without padding."""
        return self._of_finetuned("durations", f"durations-{label_of(own.pruning)}/{own.selection}", tuned, own)

    def _of_finetuned(
        self,
        kind: str,
        label: str,
        tuned: Cell,
        own: EvaluateSettings | NoisySettings | TraceSettings | DurationsSettings,
        **more: Cell,
    ) -> Cell:
        trained = tuned.settings
        plugins = self._plugins(trained.model.backbone, own.pruning.method, trained.dataset)
        inputs = {"finetune": tuned, "audio": tuned.inputs["audio"], "features": tuned.inputs["features"], **more}
        return self.cell(kind, f"{tuned.address}/{label}", own, plugins=plugins, inputs=inputs)

    def _plugins(self, backbone: str, method: str, dataset: str = "") -> tuple[str, ...]:
        named = [registry.module_name("backbones", backbone), registry.module_name("pruning", method)]
        if dataset in registry.names("datasets"):
            named.append(registry.module_name("datasets", dataset))
        return tuple(named)

    def transcribe(self, recogniser: str, dataset: str, **settings: Any) -> Cell:
        """Test clips transcribed by an official checkpoint, its encoder pruned: an arm (see settings)."""
        own = TranscribeSettings(recogniser=recogniser, dataset=dataset, **settings)
        plugins: tuple[str, ...] = (self.policy(own.policy),)
        if dataset in registry.names("datasets"):
            plugins += (registry.module_name("datasets", dataset),)
        inputs = {"audio": self.audio(dataset), "checkpoint": self.fetch(RECOGNISERS[recogniser].checkpoint)}
        address = f"{recogniser}/{dataset}/{arm_label(own)}"
        return self.cell("transcribe", address, own, plugins=plugins, inputs=inputs)

    # --- cost ---------------------------------------------------------------------------------------------------

    def costs(
        self,
        study: Study,
        grid: Grid | Cost,
        backbone: str,
        dataset: str,
        method: Method,
        stride: int = PATCH,
        rates: Collection[float] = (),
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
        if not timing:
            return cells
        for kernel in timing.kernels:
            device = timing_device(timing.device)
            batch = timing.batch_size.get(dataset, timing.batch_size.get("all", 16))
            settings = ThroughputSettings(
                model=Model(backbone=backbone, kernel=kernel, stride=stride), **common, batch_size=batch,
                warmup=timing.warmup, runs=timing.runs, precision=timing.precision, device=device,
            )  # fmt: skip
            address_there = f"{plain(device)}/{address}/{kernel}"
            cells.append(self.cell("throughput", address_there, settings, plugins=plugins))
        return cells

    def policy(self, name: str) -> str:
        """The module of a policy, or of a pruning method that is one."""
        return registry.module_name("policies" if name in registry.names("policies") else "pruning", name)
