"""The parts of the check in their order, with the seconds after which each is killed. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    seconds: int
    what: str
    module: str = ""  # of benchmarks._parts; by default of the part's name
    argument: str = ""  # for a module that measures several things


PARTS = {
    "parity": Part(50, "the recorded outputs of the released models in float32, bf16 and fp16"),
    "frontend": Part(30, "log-mel features on the device against the CPU's"),
    "repeat": Part(110, "the same training twice, and after SIGKILL and SIGTERM, to the same bits"),
    "scaler": Part(60, "fp16 with its scaler, losses that are not finite, float32 after mixed precision"),
    "methods": Part(60, "merging, selecting and discarding on the device against the CPU"),
    "packed": Part(40, "clips in one row of tokens against each clip alone, and their speed beside buckets"),
    "refusals": Part(70, "operations that refuse to be deterministic"),
    "speed-audiomae": Part(130, "AudioMAE's clips a second", "speed", "audiomae"),
    "speed-ast": Part(130, "AST's clips a second", "speed", "ast"),
    "step": Part(70, "a fine-tuning step with its data path, and where its time goes"),
    "fbank": Part(20, "log-mel features of 10 s clips a second"),
    "finetuning": Part(130, "one real fine-tuning by the workflow's steps, beside the CPU's"),
}
