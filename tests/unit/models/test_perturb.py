"""Algorithm 1 of P0: swaps by hand, against a plain reading of its text, and in a model."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.models.perturb import Perturbation, perturb, swap
from audioprune.models.pruner import Pruner, Survivors, View, prune

ORDER = torch.tensor([[4, 1, 0, 3, 2, 5]])  # by descending rank; the first three are retained
#                      4      1      0   |   3      2      5
SIGNAL = torch.tensor([[True, False, True, True, False, True]])


def by_the_text(x: list[int], y: list[int]) -> list[int]:
    """As the text has it: lists by descending score."""
    return y[: len(x)] if len(x) <= len(y) else x[: len(x) - len(y)] + y


def by_text(order: list[int], signal: list[bool], count: int, test: str) -> set[int]:
    lists = {
        (kept, kind): [i for place, i in enumerate(order) if (place < count) == kept and signal[place] == kind]
        for kept in (True, False)
        for kind in (True, False)
    }
    replaced, by = {"I": (True, True), "II": (False, False), "III": (False, True)}[test]
    return set(by_the_text(lists[True, replaced], lists[False, by]) + lists[True, not replaced])


def test_by_hand():
    assert swap(ORDER, SIGNAL, 3, "I").tolist() == [[1, 3, 5]]  # signal 4, 0 <- 3, 5
    assert swap(ORDER, SIGNAL, 3, "II").tolist() == [[4, 0, 2]]  # background 1 <- 2
    assert swap(ORDER, SIGNAL, 3, "III").tolist() == [[4, 0, 3]]  # background 1 <- 3


def test_more_retained_than_pruned_keeps_the_best():
    signal = torch.tensor([[True, True, True, True, False, False]])
    assert swap(ORDER, signal, 3, "I").tolist() == [[4, 1, 3]]  # 4, 1, 0 and one to swap in: 0 leaves
    assert swap(ORDER, signal, 3, "II").tolist() == [[4, 1, 0]]  # no background is retained


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.data())
def test_agrees_with_the_text(n, data):
    order = data.draw(st.permutations(range(n)))
    signal = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    count = data.draw(st.integers(1, n))
    for test in ("I", "II", "III"):
        kept = swap(torch.tensor([order]), torch.tensor([signal]), count, test)[0].tolist()
        assert len(kept) == count
        assert set(kept) == by_text(order, signal, count, test)
        assert [order.index(i) for i in kept] == sorted(order.index(i) for i in kept)


PIXELS = torch.tensor([3.0, 1.0, -1.0, 2.0, -2.0, -3.0])[None, :, None]  # (1, 6, 1): patches 0, 1 and 3 are signal
PATCHES = torch.arange(6)[None]
SHUFFLE = torch.tensor([[20, 10, 50, 30, 40, 0]])  # ascending: patches 5, 1, 0, 3, 4, 2 lend their labels to 0 to 5


@pytest.mark.parametrize(("test", "kept"), [("I", [0, 2, 3]), ("II", [0, 1, 4]), ("III", [0, 1, 3])])
def test_each_rule_by_hand(test, kept):
    """Ranks fall with the patch number: signal 0 and 1 and background 2 are retained; 3 is pruned signal.

    I: of signal 0 and 1 the lower, 1, leaves for 3. II: background 2 leaves for 4. III: background 2 leaves for 3.
    """
    found = Perturbation(test, 0.0)(PATCHES, View(3, 3, 0, PATCHES, PIXELS, None))
    assert found.tolist() == [kept]


@pytest.mark.parametrize(("test", "kept"), [("I", [0, 1, 3]), ("II", [1, 2, 4]), ("III", [1, 2, 3])])
def test_each_control_by_hand(test, kept):
    """Labels are those of patches 5, 1, 0, 3, 4, 2, so that signal is 1, 2 and 3, of which 1 and 2 are retained.

    I: of 1 and 2 the lower, 2, leaves for 3. II: background 0 leaves for 4. III: background 0 leaves for 3.
    """
    control = Perturbation(test, 0.0, lambda pixels: SHUFFLE)
    assert control.signal(PIXELS).tolist() == [[False, True, True, True, False, False]]
    assert control(PATCHES, View(3, 3, 0, PATCHES, PIXELS, None)).tolist() == [kept]


def shuffled(seed: int) -> Perturbation:
    pruner = Pruner(lambda view: view.patches)
    perturb(pruner, "I-shuffled", 0.0, seed=seed)
    return pruner.change


def test_labels_are_shuffled_within_a_clip_by_a_seed():
    pixels = torch.randn(500, 64, 4, generator=torch.Generator().manual_seed(0))
    plain, once = Perturbation("I", 0.0).signal(pixels), shuffled(0).signal(pixels)
    assert torch.equal(once.sum(1), plain.sum(1))  # every clip has as many signal patches
    assert torch.equal(once, shuffled(0).signal(pixels))
    assert torch.equal(once[7:9], shuffled(0).signal(pixels[7:9]))  # whatever else is in the batch
    assert (once != shuffled(1).signal(pixels)).any(1).float().mean() > 0.99
    # Independent of the labels as they are: they agree on as many patches as two blind choices of S of P, on average
    share = plain.float().mean(1)
    blind = (share**2 + (1 - share) ** 2).mean()
    assert (once == plain).float().mean() == pytest.approx(float(blind), abs=4 * (0.25 / 500 / 64) ** 0.5)


def importance_kept(test: str, keep_rate: float, share: float, clips: int) -> torch.Tensor:
    """What is left behind three blocks, of what a model unperturbed keeps: (clips,).

    Patch i weighs 1 / (1 + i) and is ranked by its weight; labels are coin flips with `share` heads.
    """
    flips = torch.rand((clips, 64), generator=torch.Generator().manual_seed(0)) < share
    noise = torch.rand((clips, 64, 3), generator=torch.Generator().manual_seed(1))  # clips differ in their pixels
    pixels = torch.where(flips[..., None], 1.0, -1.0) + 0.5 * noise - 0.25
    weight = 1 / (1 + torch.arange(64.0))
    pruner = Pruner(lambda view: weight[view.patches]).eval()
    perturb(pruner, test, 0.0)
    patch_ids = torch.arange(64).expand(clips, 64)
    state = Survivors(patch_ids, pixels, prefix=0, own_prefix=0)
    for block in (3, 6, 9):
        _, state = prune(
            state.patch_ids[..., None].float(), state, pruner, keep_rate=keep_rate, block=block, score=None
        )
    return weight[state.patch_ids].sum(1) / weight[: state.patch_ids.shape[1]].sum()


@pytest.mark.parametrize(("keep_rate", "share"), [(0.5, 0.5), (0.5, 0.66), (0.7, 0.66)])
@pytest.mark.parametrize("test", ["I", "II", "III"])
def test_of_labels_that_mean_nothing_test_and_control_lose_the_same(test, keep_rate, share):
    tested, control = (importance_kept(t, keep_rate, share, 4000) for t in (test, f"{test}-shuffled"))
    difference = tested - control
    assert abs(difference.mean()) < 3.5 * difference.std() / 4000**0.5
    assert tested.mean() < 0.95  # and both lose something to compare


def model(perturbation: str, tau: float | None, **shape):
    made = build_model("audiomae-tiny", frames=128, num_classes=4, **shape)
    perturb(made.pruning.pruner, perturbation, tau)
    return made


def test_in_a_model_only_outside_training():
    x = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(0))
    x[:, 64:] -= 2  # half of the patches are background
    shape = {"method": "topk", "keep_rate": 0.7}
    plain = model("none", None, **shape)
    perturbed = model("II", -1.0, **shape)
    assert torch.equal(plain.train()(x), perturbed.train()(x))
    assert plain.eval().encode(x).shape == perturbed.eval().encode(x).shape
    assert not torch.allclose(plain.encode(x)[:, 0], perturbed.encode(x)[:, 0], atol=1e-6)
    control = model("II-shuffled", -1.0, **shape).eval()
    for other in (plain, perturbed):
        assert not torch.allclose(control.encode(x)[:, 0], other.encode(x)[:, 0], atol=1e-6)
    all_signal = model("II", -1e9, **shape).eval()
    assert torch.equal(plain(x), all_signal(x))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"perturbation": "I"}, "needs tau"),
        ({"perturbation": "IV", "tau": 0.0}, "'IV' is none of none, I, II, III, I-shuffled, II-shuffled, III-shuffled"),
        ({"perturbation": "I", "tau": 0.0, "method": "none"}, "none prunes nothing"),
        (
            {"perturbation": "I", "tau": 0.0, "method": "intensity", "options": {"variant": "as_released"}},
            "not defined with variant as_released",
        ),
    ],
)
def test_refused(settings_, message):
    with pytest.raises(UserError, match=message):
        model(**{"tau": None, "method": "topk", "keep_rate": 0.5} | settings_)
