"""The contrasts that a study declares, resolved to the two prunings of each model."""

from __future__ import annotations

from audioprune.config.design import Contrasts, Pair
from audioprune.config.methods import methods_of
from audioprune.settings.exhibits import Contrast
from audioprune.settings.model import Pruning


def resolved(declared: Contrasts | None) -> tuple[Contrast, ...]:
    """Contrasts that are tested, by backbone in the order of config.yaml, then those that are only bounded."""
    if declared is None:
        return ()
    return tuple(
        Contrast(
            backbone=backbone,
            dataset=declared.dataset,
            first=_pruning(pair, pair.first, backbone),
            second=_pruning(pair, pair.second, backbone),
            trained=not tested,
            tested=tested,
        )
        for tested, pairs in ((True, declared.tested), (False, declared.bounded))
        for backbone in declared.backbones
        for pair in pairs
    )


def _pruning(pair: Pair, label: str, backbone: str) -> Pruning:
    (method,) = methods_of(backbone, [label])
    return Pruning(method=method.name, keep_rate=pair.keep_rate, blocks=pair.blocks, options=method.options)
