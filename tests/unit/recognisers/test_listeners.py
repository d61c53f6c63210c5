"""Encoders with a CTC head: against a second implementation in loops over explicit maps, alone and in batches."""

from __future__ import annotations

import pytest
import torch

from audioprune.errors import UserError
from audioprune.facts.recogniser import CTC
from audioprune.facts.tokens import keep_count
from audioprune.models.ragged import Ragged
from audioprune.recognisers import strips
from audioprune.recognisers._ctc import as_dear, entering
from tests.fakes.listeners import MERGING, RANKING, SAMPLES, hears, prunes, small, waves

POLICIES = RANKING + MERGING
HEADS, WIDTH = 4, 32


@torch.no_grad()
def by_hand(model, wave, policy: str, keep_rate: float, blocks) -> tuple[torch.Tensor, list[int]]:
    """One clip (L,) through the blocks of strips with every rule written out: carried columns' logits, tokens left."""
    tokens = model.front([model.read(wave)])
    x, pixels = tokens.x[0], tokens.clips[0].pixels[0]
    n0 = len(x)
    here, sizes, weighted, last = list(range(n0)), [1.0] * n0, False, x.clone()
    said = None
    for number, wrapped in enumerate(model.blocks):
        if number == len(model.blocks) // 4:
            said = 1 - model.auxiliary(x).softmax(-1)[:, 0]
        block = wrapped.block
        entered = x
        y = block.attn.qkv(block.norm1(x)).view(len(x), 3, HEADS, WIDTH // HEADS)
        q, k, v = y[:, 0], y[:, 1], y[:, 2]
        logits = torch.einsum("ihd,jhd->hij", q, k) / (WIDTH // HEADS) ** 0.5
        if weighted:
            logits = logits + torch.tensor(sizes).log()
        attention = logits.softmax(-1)
        x = x + block.attn.proj(torch.einsum("hij,jhd->ihd", attention, v).flatten(1))
        if number in blocks:
            n, count = len(x), keep_count(keep_rate, len(x))
            last[here] = entered
            if policy in MERGING:
                runs = [j * count // n for j in range(n)]
                if policy == "adjacent":
                    weighted, keys = True, k.sum(1)
                    alike = [torch.cosine_similarity(keys[j], keys[j + 1], dim=0).item() for j in range(n - 1)]
                    links = sorted(range(n - 1), key=lambda j: (-alike[j], j))[: n - count]
                    runs = [sum(j not in links for j in range(i)) for i in range(n)]
                groups = [[j for j in range(n) if runs[j] == run] for run in range(count)]
            else:
                rank = {
                    "topk": attention.mean((0, 1)),
                    "intensity": pixels.mean(1)[here],
                    "blank": None if said is None else (said[here] if len(said) == n0 else None),
                }.get(policy)
                kept = [(2 * i + 1) * n // (2 * count) for i in range(count)]
                if policy != "stride":
                    kept = sorted(sorted(range(n), key=lambda j: (-rank[j].item(), j))[:count])
                groups = [[j] for j in kept]
            x = torch.stack([sum(sizes[j] * x[j] for j in g) / sum(sizes[j] for j in g) for g in groups])
            here, sizes = [here[g[0]] for g in groups], [sum(sizes[j] for j in g) for g in groups]
        x = x + block.mlp(block.norm2(x))
    if policy in MERGING:
        last = x[[max(i for i, first in enumerate(here) if first <= column) for column in range(n0)]]
    else:
        last[here] = x
    return model.head(model.norm(last)), here


@pytest.mark.parametrize("policy", [one for one in POLICIES if one != "random"])
@pytest.mark.parametrize(("keep_rate", "blocks"), [(0.5, (1, 2, 3)), (0.3, (2,))])
def test_strips_are_those_of_the_second_implementation(policy, keep_rate, blocks):
    model, clips = small(), waves()
    wanted = [by_hand(model, one, policy, keep_rate, blocks) for one in clips]
    made = hears(prunes(model, policy, keep_rate, blocks), clips)
    for i, (logits, kept) in enumerate(wanted):
        assert made.kept[i].tolist() == kept
        torch.testing.assert_close(made.logits[i, : made.columns[i]], logits, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("family", ["strips", "wav2vec2"])
def test_a_clip_does_not_depend_on_its_batch(family, policy):
    model, clips = prunes(small(family), policy), waves()
    together = hears(model, clips, auxiliary=True)
    for i, clip in enumerate(clips):
        alone = hears(model, [clip], auxiliary=True)
        n = alone.columns[0]
        assert together.columns[i] == n
        assert together.kept[i].tolist() == alone.kept[0].tolist()
        assert together.tokens[i] == alone.tokens[0]
        assert [one.tolist() for one in together.stages[i]] == [one.tolist() for one in alone.stages[0]]
        torch.testing.assert_close(together.logits[i, :n], alone.logits[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(together.auxiliary[i, :n], alone.auxiliary[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("policy", POLICIES)
def test_both_kernels_agree(policy):
    model, clips = prunes(small(), policy), waves()
    fused = hears(model, clips)
    model.eager = True
    eager = hears(model, clips)
    assert [one.tolist() for one in eager.kept] == [one.tolist() for one in fused.kept]
    torch.testing.assert_close(eager.logits, fused.logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("eager", [False, True])
def test_scores_of_a_padded_batch_are_those_alone_and_sum_to_one(eager, monkeypatch):
    """Attention received, as topk is shown it; where padded keys took part, the shares of short clips would fall."""
    shown: list[torch.Tensor] = []
    model, clips = prunes(small(), "topk"), waves()
    reduce = type(model.pruning.pruner).reduce

    def told(self, x, survivors, *, seen, **more):
        shown.append(seen)
        return reduce(self, x, survivors, seen=seen, **more)

    monkeypatch.setattr(type(model.pruning.pruner), "reduce", told)
    model.eager = eager
    hears(model, clips)
    together, shown[:] = list(shown), []
    for clip in clips:
        hears(model, [clip])
    alone = [shown[3 * clip + stage] for stage in range(3) for clip in range(len(clips))]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
        assert one.sum().item() == pytest.approx(1, abs=1e-5)


def test_topk_keeps_what_receives_most():
    """Planted: every query attends to keys 1 and 4 of six, in whatever batch."""
    from audioprune.models.policy import make_policy
    from audioprune.models.pruner import Survivors
    from audioprune.models.ragged import through

    class Planted:
        def heads(self, x):
            k = torch.zeros(2, 1, 8, 2)
            k[:, :, [1, 4], 0] = 9.0
            k[1, :, 6, 0] = 99.0  # behind the end of the second clip
            q = torch.zeros(2, 1, 8, 2)
            q[..., 0] = 1.0
            return q, k, torch.zeros(2, 1, 8, 2)

        def joined(self, x, branch):
            return x

        def fed(self, x):
            return x

    patch_ids = torch.arange(8)[None]
    clips = tuple(Survivors(patch_ids[:, :n], torch.zeros(1, n, 1), prefix=0, own_prefix=0) for n in (8, 6))
    tokens = Ragged(torch.zeros(2, 8, 1), clips)
    policy = make_policy("topk", 8, {})
    for eager in (False, True):
        left = through(Planted(), tokens, policy, keep_rate=0.3, block=0, eager=eager, said=None)
        assert left.clips[0].patch_ids.tolist() == [[0, 1, 4]]  # the first of equals is the third
        assert left.clips[1].patch_ids.tolist() == [[1, 4]]


def test_counts_of_tokens_are_of_a_clips_own():
    """384 frames are 96 strips of 4, 166 are 42; at keep-rate 0.7 they fall to 68, 48, 34 and 30, 21, 15."""
    model = prunes(strips.build(CTC["strips-tiny"], units=11, strip=4, seed=0).eval(), "topk", 0.7, (3, 6, 9))
    clips = waves((160 * 383 + 400, 160 * 165 + 400))
    made = hears(model, clips)
    assert made.columns == [96, 42]
    assert made.tokens == [[96] * 4 + [68] * 3 + [48] * 3 + [34] * 3, [42] * 4 + [30] * 3 + [21] * 3 + [15] * 3]
    assert [len(stage) for stage in made.stages[1]] == [30, 21, 15]


@pytest.mark.parametrize("policy", POLICIES)
def test_even_a_single_strip_is_heard(policy):
    made = hears(prunes(small(), policy, 0.1), waves((300, 16000)))
    assert made.columns[0] == 1
    assert made.tokens[0] == [1] * 5
    assert made.logits.isfinite().all()


def test_front_end_of_strips():
    """3.5 strips: a token is four frames of all bins, normalised; the last is filled with the clip's own minimum."""
    from audioprune.audio.fbank import log_mel

    model, (wave,) = small(), waves((160 * 13 + 400,))
    read = model.read(wave)
    assert read.shape == (16, 128)
    frames, natural = log_mel(wave[None], None, 14)
    assert natural.tolist() == [14]
    torch.testing.assert_close(read[:14], frames[0], atol=0, rtol=0)
    assert (read[14:] == frames.min()).all()
    tokens = model.front([read])
    pixels = (read.reshape(4, 512) + 8) / (2 * 4)
    torch.testing.assert_close(tokens.clips[0].pixels[0], pixels)
    omega = 10000 ** (-torch.arange(16) / 16)
    angle = torch.arange(4)[:, None] * omega
    positions = 0.3 * torch.cat([angle.sin(), angle.cos()], dim=1)
    torch.testing.assert_close(tokens.x[0], model.embed(pixels) + positions)


def test_sizes_of_strips():
    """0.63 and 9.6 million parameters, with eleven units: embedding, twelve blocks, final norm, and two heads."""
    for name, D in (("strips-tiny", 64), ("strips-s", 256)):
        block = 2 * 2 * D + (D + 1) * 3 * D + (D + 1) * D + (D + 1) * 4 * D + (4 * D + 1) * D
        wanted = (512 + 1) * D + 12 * block + 2 * D + (D + 1) * 11 + 2 * D + (D + 1) * 11
        model = strips.build(CTC[name], units=11, strip=4, seed=0)
        assert sum(parameter.numel() for parameter in model.parameters()) == wanted


def test_statistics_are_of_natural_frames():
    model, clips = small(), waves(SAMPLES)
    model.learn(clips)
    natural = [1 + (n - 400) // 160 for n in SAMPLES]
    values = torch.cat([model.read(clip)[:n].flatten() for clip, n in zip(clips, natural)])
    assert model.mean.item() == pytest.approx(values.mean().item(), rel=1e-5)
    assert model.std.item() == pytest.approx(values.std(correction=0).item(), rel=1e-5)


def test_pooling_before_the_first_block_costs_what_pooling_at_blocks_does():
    """Within half a percent of the unpruned model's cost, for every length of a clip that is worth pruning."""
    model = strips.build(CTC["strips-tiny"], units=11, strip=4, seed=0)
    for rate in (0.9, 0.7, 0.5):
        count = as_dear(model, (3, 6, 9), rate, 12)
        for n in (30, 42, 96, 200):
            aim = model.macs(0, n, entering(n, rate, (3, 6, 9), 12))
            step = model.macs(0, n, [n] * 13) - model.macs(0, n, [n - 1] * 13)  # one token more or less
            assert abs(model.macs(0, n, [count(n)] * 13) - aim) <= step / 2


def test_pooled_at_the_input_every_column_takes_its_group():
    """Ten strips pooled to three groups of 4, 3 and 3 before block 0: three different columns."""
    model, clips = prunes(small(), "pool", 0.5), waves((160 * 39 + 400, 16000))
    model.at_input = lambda n: 3
    made = hears(model, clips, auxiliary=True)
    assert made.columns == [10, 25]
    assert made.tokens == [[3] * 5, [3] * 5]
    same = [0, 0, 0, 0, 4, 4, 4, 7, 7, 7]
    assert torch.equal(made.logits[0, :10], made.logits[0, same])
    assert torch.equal(made.auxiliary[0, :10], made.auxiliary[0, same])
    alone = hears(model, clips[:1])
    torch.testing.assert_close(alone.logits[0], made.logits[0, :10], atol=1e-5, rtol=0)


def test_blank_before_the_auxiliary_head_is_refused():
    with pytest.raises(UserError, match="give blocks from that one on"):
        hears(prunes(small(), "blank", 0.5, (0, 2)), waves())
