"""Recognisers with a CTC head, small and of random weights, and waveforms of unequal length."""

from __future__ import annotations

import torch
import torchaudio

from audioprune.facts.recogniser import Ctc
from audioprune.models.ctc import Listener
from audioprune.models.policy import make_policy
from audioprune.models.pruner import Pruning
from audioprune.recognisers import strips, wav2vec2

STRIPS = Ctc("small strips", "strips", 32, 4, 4, True)
WAV2VEC2 = Ctc("small wav2vec2", "wav2vec2", 32, 4, 4, True, official=True)
RANKING = ("stride", "random", "topk", "intensity", "blank")
MERGING = ("pool", "adjacent")
SAMPLES = (16000, 9000, 24440, 5000)


def small(family: str = "strips", units: int = 5, strip: int = 4, seed: int = 0) -> Listener:
    """Random weights, large enough that attention and heads tell tokens apart."""
    facts, module = (STRIPS, strips) if family == "strips" else (WAV2VEC2, wav2vec2)
    torch.manual_seed(seed)
    model = module.build(facts, units=units, strip=strip, seed=seed)
    for parameter in model.parameters():
        if parameter.ndim in (1, 2):
            torch.nn.init.normal_(parameter, std=0.3)
        elif parameter.ndim == 3:
            torch.nn.init.kaiming_normal_(parameter)
    if family == "strips":
        model.mean.fill_(-8.0)
        model.std.fill_(4.0)
    return model.eval()


def waves(samples: tuple[int, ...] = SAMPLES, seed: int = 1) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [0.1 * torch.randn(n, generator=draw) * torch.linspace(0.1, 1, n) for n in samples]


def prunes(model: Listener, policy: str, keep_rate: float = 0.5, blocks: tuple[int, ...] = (1, 2, 3)) -> Listener:
    model.pruning = Pruning(make_policy(policy, 1, {}), blocks=blocks, keep_rate=keep_rate)
    return model


@torch.no_grad()
def hears(model: Listener, clips: list[torch.Tensor], **more):
    return model([model.read(clip) for clip in clips], **more)


def official_weights(head: int) -> dict[str, torch.Tensor]:
    """What torchaudio's checkpoint of the small model would hold."""
    torch.manual_seed(0)
    return torchaudio.models.wav2vec2_model(
        "group_norm", None, False, 32, 0.0, 128, 16, 4, 4, 0.0, 128, 0.0, 0.0, False, 0.0, head
    ).state_dict()
