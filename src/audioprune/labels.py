"""Names of prunings, the same in addresses, tables, figures and claims: topk-kr0.5, topk.cls-kr0.7, tome.r20-kr1."""

from __future__ import annotations

from audioprune import registry
from audioprune.facts.options import defaults
from audioprune.facts.tokens import BLOCKS
from audioprune.settings.model import Pruning
from audioprune.settings.speech import TranscribeSettings


def label_of(pruning: Pruning) -> str:
    """Method, options and keep-rate: method[.option...]-kr<r>."""
    return f"{method_label(pruning)}-kr{pruning.keep_rate:g}"


def method_label(pruning: Pruning) -> str:
    """Method and options without the keep-rate: topk, topk.cls, none."""
    options = "".join(f".{_shown(name, value)}" for name, value in sorted(pruning.options.items()))
    blocks = "" if pruning.blocks == BLOCKS else ".blocks" + "_".join(map(str, pruning.blocks))
    return f"{pruning.method}{options}{blocks}"


def arm_label(arm: TranscribeSettings) -> str:
    """A recogniser's arm: policy-keep_rate-blocks-within, and what else sets it apart."""
    blocks = f"block{'-'.join(map(str, arm.blocks))}"
    parts = ["none"]
    if arm.policy != "none":
        options = "".join(f".{_shown(name, value)}" for name, value in sorted(arm.options.items()))
        parts = [arm.policy + options, f"{arm.keep_rate:g}", blocks, arm.within]
    parts += [arm.budget] if arm.budget != "fixed" else []
    parts += ["at-input"] if arm.at_input else []
    parts += ["thin", arm.thin, str(arm.thin_to), blocks] if arm.thin else []
    parts += [f"margin{arm.margin}"] if arm.padding == "none" else []
    parts += [arm.restore] if arm.restore else []
    parts += ["fallback"] if arm.fallback else []
    return "-".join(parts)


def canonical_label(backbone: str, label: str) -> str:
    """A method's label without the options that a backbone has anyway: topk.cls is topk for AST."""
    shelf, _, own = label.rpartition(": ")  # "off the shelf: tome.r9"
    method, *parts = own.split(".")
    known = defaults(registry.get("pruning", method).build, registry.backbone(backbone).family)
    usual = {_shown(name, value) for name, value in known.items() if value is not None}
    return (f"{shelf}: " if shelf else "") + ".".join((method, *(part for part in parts if part not in usual)))


def score_of(backbone: str, pruning: Pruning) -> str:
    """The attention by which topk ranks (global, cls, global_literal), named or the backbone's own; empty of others."""
    if not registry.method(pruning.method).scored:
        return ""
    return str(pruning.options.get("score", registry.backbone(backbone).family.score))


def _shown(name: str, value: object) -> str:
    """An option in a label: a word says enough (cls); a switch and a number have their name (no-proportional, r20)."""
    if isinstance(value, bool):
        return name if value else f"no-{name}"
    return value if isinstance(value, str) else f"{name}{value}"
