"""The expected hours of a cell, estimated from its multiply-accumulates: for planning only, never a result."""

from __future__ import annotations

from collections.abc import Callable

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.facts.dataset import Dataset
from audioprune.facts.recogniser import CTC, RECOGNISERS
from audioprune.facts.tokens import entering
from audioprune.profiling import ctc_macs
from audioprune.profiling import whisper_macs as macs
from audioprune.profiling.macs import count
from audioprune.sources import catalogue

CORE_GFLOPS = 20  # ASSUME: what one processor core sustains on the tiny models
WIDE_GFLOPS = 60  # ASSUME: what it sustains on a Whisper, whose matrices are wide
UNITS = 30  # ASSUME: of a transcript


def estimate(cell: Cell, facts: Callable[[str], Dataset], tflops: float) -> dict[str, float]:
    """{gpu_hours} for models of published size, {core_hours} for tiny ones; {} for kinds that take minutes.

    Training costs three forward passes of two FLOPs a MAC for each clip and epoch (paper.md 9), at the
    unpruned cost: an upper bound.
    """
    kind, own = KINDS[cell.kind], cell.settings
    if kind.passes is None:
        return {}
    if cell.kind in ("recognise", "transcribe", "pace") and own.recogniser:
        dataset = facts(own.dataset)
        clips = dataset.train_clips if kind.clips == "train" else dataset.test_clips
        clips = min(clips, getattr(own, "clips", clips))
        return _recognised(cell, dataset.frames, kind.passes(own) * clips, tflops)
    if cell.kind == "pretrain":
        clips, frames, classes = cell.inputs["audio"].settings.clips, cell.inputs["features"].settings.frames, 1
        backbone = own.model.backbone
    else:
        trained = own if cell.kind == "finetune" else cell.inputs["finetune"].settings
        dataset, backbone = facts(trained.dataset), trained.model.backbone
        frames, classes = dataset.frames, dataset.num_classes
        clips = dataset.train_clips if kind.clips == "train" else dataset.test_clips
    each = count(backbone, frames=frames, num_classes=classes, method="none", keep_rate=1.0).total
    return _hours(2 * kind.passes(own) * each * clips, registry.backbone(backbone).size.small, tflops)


def _recognised(cell: Cell, frames: int, passes: float, tflops: float) -> dict[str, float]:
    """Every clip in a window of its own of a Whisper, whole but for what is pruned of the window, with as many units
    as a sentence has; else as long as the dataset's are at most.
    """
    name, own = cell.settings.recogniser, cell.settings
    if name in RECOGNISERS:
        facts, tokens = RECOGNISERS[name], [RECOGNISERS[name].tokens] * (RECOGNISERS[name].depth + 1)
        if cell.kind == "transcribe" and own.policy != "none" and own.within == "window":
            tokens = entering(facts.tokens, own.keep_rate, own.blocks, facts.depth)
        each = macs.encoder(facts, tokens) + macs.decoder(facts, tokens[-1], UNITS)
        return _hours(2 * each * passes, facts.small, tflops, WIDE_GFLOPS)
    taught = cell if cell.kind == "recognise" else cell.inputs["recognise"]
    return _hours(2 * ctc_macs.whole(CTC[name], taught.settings.strip, frames, UNITS) * passes, CTC[name].small, tflops)


def _hours(flops: float, small: bool, tflops: float, gflops: float = CORE_GFLOPS) -> dict[str, float]:
    if small:
        return {"core_hours": flops / (gflops * 1e9) / 3600}
    return {"gpu_hours": flops / (tflops * 1e12) / 3600}


def stored_mib(cell: Cell, facts: Callable[[str], Dataset]) -> float:
    """Disk that a cell is expected to take, in MiB, as far as it follows from settings and facts."""
    if cell.kind == "generate":
        return cell.settings.clips * 4 * 32000 / 2**20
    if cell.kind == "fetch":
        source = catalogue.load()[cell.settings.source]
        return source.mib if source.archives else 1  # what is brought stays where it is
    kind = KINDS[cell.kind]
    if kind.frame_bytes:
        dataset = facts(cell.settings.dataset)
        frames = (dataset.train_clips + dataset.test_clips) * dataset.frames
        if cell.kind == "audio" and dataset.hours:  # clips are as long as they are; features are padded
            frames = round(dataset.hours * 3600 * 100)
        return frames * kind.frame_bytes / 2**20
    if kind.weights and cell.kind == "recognise":
        shape = CTC[cell.settings.recogniser]
        return 12 * shape.depth * shape.width**2 * 4 / 2**20 * kind.weights
    if kind.weights:
        small = registry.backbone(cell.settings.model.backbone).size.small
        return (3 if small else 340) * kind.weights
    return 1
