"""Random pruning: the same for a clip in any company, different between clips, blocks and seeds, and fair."""

import torch

from audioprune.facts.tokens import Tokens
from audioprune.models.pruner import View
from audioprune.pruning import random

TOKENS = Tokens(1, "time", 8, 8, "global")
PIXELS = torch.randn(300, 64, 256, generator=torch.Generator().manual_seed(0))


def selection(pixels, *, seed=0, block=3, count=32, patch_ids=None):
    patch_ids = torch.arange(-1, 64).expand(len(pixels), -1) if patch_ids is None else patch_ids
    return random.build(TOKENS, seed=seed)(View(block, count, 1, patch_ids, pixels, None))


def test_a_clip_keeps_its_selection_in_any_batch():
    together = selection(PIXELS[:5])
    assert torch.equal(selection(PIXELS[3:4]), together[3:4])
    assert torch.equal(selection(PIXELS[:5].flip(0)), together.flip(0))


def test_the_selection_is_of_patches_not_of_places():
    patch_ids = torch.arange(64)[torch.randperm(64, generator=torch.Generator().manual_seed(1))]
    shuffled = torch.cat([torch.tensor([-1]), patch_ids])[None]
    kept = selection(PIXELS[:1], patch_ids=shuffled)
    assert torch.equal(patch_ids[kept[0]], selection(PIXELS[:1])[0])


def test_clips_blocks_and_seeds_differ():
    base = selection(PIXELS[:2])
    assert not torch.equal(base[0], base[1])
    assert not torch.equal(base, selection(PIXELS[:2], block=6))
    assert not torch.equal(base, selection(PIXELS[:2], seed=1))
    changed = PIXELS[:1].clone()
    changed[0, 0, 0] += 0.01
    assert not torch.equal(base[:1], selection(changed))


def test_unless_told_otherwise_the_seed_is_0():
    view = View(3, 32, 1, torch.arange(-1, 64).expand(2, -1), PIXELS[:2], None)
    assert torch.equal(random.build(TOKENS)(view), selection(PIXELS[:2], seed=0))


def test_every_patch_is_kept_about_as_often():
    kept = torch.zeros(64).scatter_add(0, selection(PIXELS).flatten(), torch.ones(300 * 32))
    assert kept.sum() == 300 * 32
    assert (kept - 150).abs().max() < 5 * (300 * 0.25) ** 0.5  # five standard deviations


def test_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    selection(PIXELS[:1], seed=7)
    assert torch.equal(before, torch.get_rng_state())
