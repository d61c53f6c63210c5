"""What config.yaml says that nothing would come of: places that nothing reads, options and wishes that no cell has.

What these stand on (where data comes from, the options of datasets and generators, what a study makes of a grid) is not
known where the file itself is checked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from audioprune import registry
from audioprune.config import Config, Grid, Study
from audioprune.errors import UserError
from audioprune.fingerprints.imports import tree_of
from audioprune.methods import parse_label
from audioprune.planning.study import TIMED, can_be_perturbed
from audioprune.settings import Closed, Pruning
from audioprune.sources import catalogue


def check(config: Config) -> None:
    """Raise one UserError for all of it."""
    if errors := [*_places(config), *_datasets(config), *_generators(config), *_studies(config)]:
        lines = "".join(f"\n  {error}" for error in errors)
        raise UserError(f"config.yaml has {len(errors)} error{'s' * (len(errors) > 1)}; nothing was run:{lines}")


def _places(config: Config) -> Iterator[str]:
    manual = {name for name, row in catalogue.load().items() if row.manual}
    for name in config.data:
        if name in config.datasets:
            yield f"data.{name}: your own data lies where datasets.{name}.folder says; take this line out"
        elif name not in manual:
            how = "made by the project" if registry.dataset(name).generator else "fetched, or taken from `mirror`"
            yield f"data.{name}: this dataset is {how}, not brought; take this line out"
    for name in config.checkpoints:
        if f"{catalogue.CHECKPOINT}{name}" not in manual:
            yield f"checkpoints.{name}: this backbone is pre-trained by the workflow; take this line out"


# --- options ---------------------------------------------------------------------------------------------------------


def _datasets(config: Config) -> Iterator[str]:
    """As the job that lists the clips would say it."""
    for name, options in config.dataset_options.items():
        place = f"dataset_options.{name}"
        if name in config.datasets:
            yield f"{place}: your own data has no options; take them out"
        elif switches := getattr(registry.get("datasets", name), "switches", None):
            try:
                switches(options)
            except UserError as error:
                yield f"{place}: {str(error).partition(': ')[2]}"
        elif options:
            yield f"{place}: this dataset has no options; take them out: {', '.join(options)}"


def _generators(config: Config) -> Iterator[str]:
    """A generator's defaults are read off its module, which is not imported: planning loads no numpy."""
    made = {f"generators.{name}": (name, own.options) for name, own in config.generators.items()}
    for name, block in config.pretraining.items():
        made[f"pretraining.{name}.corpus"] = (block.corpus.generator, block.corpus.options)
    for place, (name, options) in made.items():
        if name not in (valid := registry.names("generators")):
            yield f"{place}.generator: no generator named {name!r}{registry.nearest(name, valid)}"
            continue
        defaults = _defaults(name)
        for option, value in options.items():
            if option not in defaults:
                yield f"{place}.options: no option {option!r}{registry.nearest(option, defaults)}"
            elif type(value) is not type(defaults[option]) and (type(value), type(defaults[option])) != (int, float):
                yield f"{place}.options.{option}: {value!r} is not like its default {defaults[option]!r}"


def _defaults(generator: str) -> Mapping[str, Any]:
    """The literal DEFAULTS of a generator's module."""
    body = tree_of(registry.module_name("generators", generator)).body
    found = (node.value for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEFAULTS")
    return ast.literal_eval(next(found))


# --- what a study asks for -------------------------------------------------------------------------------------------


def _studies(config: Config) -> Iterator[str]:
    """Only what a study itself says counts: a default, and a set of probes that studies share, may find nothing."""
    for name, study in config.studies.items():
        grids = [grid for grid in study.grids if not grid.baseline]  # a second baseline is there to be compared only
        wishes = (*_traces(study, grids), *_probes(study, grids), *_timed(study))
        yield from (f"studies.{name}.{wish}" for wish in wishes)
        for i, grid in enumerate(study.grids):
            prunings = [_pruning(grid, label, rate) for label in grid.methods for rate in grid.keep_rates]
            if grid.perturbations and not any(map(can_be_perturbed, prunings)):
                yield (
                    f"studies.{name}.grids.{i}.perturbations: only pruned models that rank their tokens are perturbed, "
                    "and this grid trains none"
                )


def _pruning(grid: Grid, label: str, rate: float) -> Pruning:
    method = parse_label(label)
    return Pruning(method=method.name, keep_rate=rate, options=dict(method.options), blocks=grid.blocks)


def _said(model: Closed | None, name: str) -> Any:
    """A field that was given, not left to its default; None where it was not."""
    return getattr(model, name) if model is not None and name in model.model_fields_set else None


def _traces(study: Study, grids: list[Grid]) -> Iterator[str]:
    traces = _said(study, "traces")
    pruned = [
        (parse_label(label).name, rate)
        for grid in grids for label in grid.methods for rate in grid.keep_rates
    ]  # fmt: skip
    for rate in _said(traces, "keep_rates") or ():
        if not any(own == rate and (rate == 1 or method in traces.methods) for method, own in pruned):
            has = ", ".join(f"{rate:g}" for rate in sorted({rate for _, rate in pruned}, reverse=True)) or "none"
            yield (
                f"traces.keep_rates: no grid trains {' or '.join(traces.methods)} at {rate:g}, so nothing would be "
                f"traced there; keep-rates of its grids: {has}"
            )
    for method in _said(traces, "methods") or ():
        if all(own != method for own, _ in pruned):
            yield f"traces.methods: no grid trains {method!r}{registry.nearest(method, {own for own, _ in pruned})}"


def _probes(study: Study, grids: list[Grid]) -> Iterator[str]:
    rates = [grid.keep_rates for grid in grids]
    for field in ("off_the_shelf", "blocks", "discard"):
        if _said(study.probes, field) and not any(1 in own and (field == "discard" or min(own) < 1) for own in rates):
            beside = "" if field == "discard" else " and a keep-rate below it"
            yield f"probes.{field}: an unpruned model is probed so, and no grid has keep-rate 1{beside}"
    ranked = any(len(grid.keep_rates) > 1 and TIMED in map(parse_label, grid.methods) for grid in grids)
    if _said(study.probes, "matrix") and not ranked:
        yield "probes.matrix: a topk model is evaluated at the other keep-rates of its grid, and no grid has such"


def _timed(study: Study) -> Iterator[str]:
    throughput = _said(study, "throughput")
    if throughput is None:
        return
    timed = [grid for grid in study.grids if TIMED in map(parse_label, grid.methods)]
    if not timed and not study.costs:
        yield "throughput: models of topk are timed, and those of `costs`; this study has neither: say null"
        return
    there = {"all"}.union(*(grid.datasets for grid in timed), *(cost.datasets for cost in study.costs))
    for name in sorted(throughput.batch_size.keys() - there):
        yield f"throughput.batch_size: no model is timed on {name!r}{registry.nearest(name, there)}"
