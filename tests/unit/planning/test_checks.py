"""What of config.yaml nothing would come of is told while planning, all at once: places, options, wishes of studies."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest
import yaml

from audioprune import registry
from audioprune.config.checks import errors_of
from audioprune.config.design import Config
from audioprune.errors import UserError
from audioprune.planning import checks
from audioprune.planning.plan import Plan
from tests import REPOSITORY
from tests.fakes.mine import config, make

DEMO, GRID = ("studies", "demo"), ("studies", "demo", "grids")
ONE = {"backbones": ["audiomae-tiny"], "datasets": ["demo-words"], "keep_rates": [1.0, 0.5]}


@cache
def shipped() -> dict:
    return yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))


def told(*edits: tuple[tuple[str, ...], dict]) -> list[str]:
    """What planning says of config.yaml after edits of its parsed content: (place, what is put there)."""
    data = deepcopy(shipped())
    for place, change in edits:
        at = data
        for key in place:
            at = at.setdefault(key, {})
        at.update(change)
    chosen = Config.model_validate(data)
    assert errors_of(chosen) == []  # nothing that the file itself is refused for
    try:
        Plan(chosen)
    except UserError as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


def test_places_that_nothing_would_read_are_refused_all_at_once(tmp_path):
    folder = make(tmp_path / "base")
    wrong = config(
        folder, data={"spc2": "/x", "mine": "/x", "demo-words": "/x", "as20k": "/x"}, checkpoints={"ast-tiny": "/x"}
    )
    wrong = wrong.model_copy(update={"dataset_options": {"mine": {"seed": 1}}})
    with pytest.raises(UserError) as caught:
        checks.check(wrong)
    lines = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == [
        "data.spc2", "data.mine", "data.demo-words", "checkpoints.ast-tiny", "dataset_options.mine"
    ]  # fmt: skip
    assert checks.check(config(folder, data={"as20k": "/x"}, checkpoints={"ast-b": "/x"})) is None


def test_the_shipped_configuration_has_nothing_of_the_kind():
    assert told() == []


OPTIONS = {
    "a misspelt option": (
        (("dataset_options",), {"esc10mix": {"round": 2}}),
        "dataset_options.esc10mix: no option 'round'; did you mean 'rounds'?",
    ),
    "a value of another kind": (
        (("dataset_options",), {"fsdd-speakers": {"noise_snr_db": "loud"}}),
        "dataset_options.fsdd-speakers: noise_snr_db: 'loud' is not like its default None",
    ),
    "an option of AudioSet": (
        (("dataset_options",), {"as20k": {"train_jsn": "x"}}),
        "dataset_options.as20k: no option 'train_jsn'; did you mean 'train_json'?",
    ),
    "a dataset without options": (
        (("dataset_options",), {"esc50": {"seed": 1}}),
        "dataset_options.esc50: this dataset has no options; remove them: seed",
    ),
    "an option of a generator": (
        (("generators",), {"words": {"clips": 100, "options": {"snr_lo": 3.0}}}),
        "generators.words.options: no option 'snr_lo'; did you mean 'snr_low'?",
    ),
    "its value of another kind": (
        (("generators",), {"mixtures": {"clips": 100, "options": {"most": 2.5}}}),
        "generators.mixtures.options.most: 2.5 is not like its default 3",
    ),
    "an option of a corpus": (
        (("pretraining", "tiny", "corpus"), {"options": {"mosst": 2}}),
        "pretraining.tiny.corpus.options: no option 'mosst'; did you mean 'most'?",
    ),
    "a corpus of no generator": (
        (("pretraining", "tiny", "corpus"), {"generator": "corpse"}),
        "pretraining.tiny.corpus.generator: no generator named 'corpse'; did you mean 'corpus'?",
    ),
}


@pytest.mark.parametrize(("edit", "message"), OPTIONS.values(), ids=OPTIONS)
def test_options_that_a_dataset_or_a_generator_has_not(edit, message):
    assert told(edit) == [message]


def test_options_that_they_have_are_taken():
    given = {"esc10mix": {"rounds": 2, "seed": 1}, "fsdd-speakers": {"noise_snr_db": 10}, "esc50": {}}
    generated = {"sentences": {"clips": 8, "options": {"snr_low": 3}}}
    assert told((("dataset_options",), given), (("generators",), generated)) == []


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_planning_refuses_what_the_job_would(tmp_path, name):
    """An option of no dataset, given to each: the job that lists its clips refuses it, so planning has to."""
    module = registry.get("datasets", name)
    listing = getattr(module, "clips", None) or module.select
    with pytest.raises(UserError, match=r"options of dataset|does not exist"):
        listing(tmp_path / "gone", {"no-such-option": 1})
    assert len(told((("dataset_options",), {name: {"no-such-option": 1}}))) == 1


ALONE = {"contrasts": None, "traces": None, "evaluations": {}, "throughput": None, "costs": []}
ALONE |= {"robustness": [], "durations": [], "pace": []}


def alone(grid: dict | None = None, **own) -> tuple:
    """The demo with one grid, which trains topk at 0.5 or what is given, and nothing else but what is given."""
    return DEMO, ALONE | {"grids": [ONE | {"keep_rates": [0.5]} | (grid or {})]} | own


WISHES = {
    "a keep-rate to trace": (
        (DEMO, {"traces": {"keep_rates": [1.0, 0.6]}}),
        "traces.keep_rates: no grid trains topk at 0.6, so nothing would be traced there; keep-rates of its grids: 1, ",
    ),
    "a method to trace": (
        (DEMO, {"traces": {"methods": ["topk", "variation"]}}),
        "traces.methods: no grid trains 'variation'",
    ),
    "evaluations of no unpruned model": (
        alone(evaluations={"off_the_shelf": ["random"]}),
        "evaluations.off_the_shelf: an unpruned model is evaluated so, and no grid has keep-rate 1 and",
    ),
    "evaluations of nothing but an unpruned model": (
        alone({"keep_rates": [1.0]}, evaluations={"blocks": [[2, 5, 8]]}),
        "evaluations.blocks: an unpruned model is evaluated so, and no grid has keep-rate 1 and a keep-rate below it",
    ),
    "clusters of no unpruned model": (
        alone(evaluations={"discard": [3]}),
        "evaluations.discard: an unpruned model is evaluated so, and no grid has keep-rate 1",
    ),
    "a matrix of one keep-rate": (
        alone(evaluations={"matrix": True}),
        "evaluations.matrix: a topk model is evaluated at the other keep-rates of its grid, and no grid has such",
    ),
    "perturbations of no ranks": (
        alone({"methods": ["tome"], "perturbations": "all"}),
        "grids.0.perturbations: only pruned models that rank their tokens are perturbed, and this grid trains none",
    ),
    "speed of no topk": (
        alone({"methods": ["random"]}, throughput={"runs": 5}),
        "throughput: models of topk are timed, and those of `costs`; this study has neither: say null",
    ),
    "a batch of a dataset that is elsewhere": (
        (DEMO, {"throughput": {"batch_size": {"all": 8, "esc50": 4}}}),
        "throughput.batch_size: no model is timed on 'esc50'",
    ),
}


@pytest.mark.parametrize(("edit", "message"), WISHES.values(), ids=WISHES)
def test_what_a_study_asks_for_and_no_grid_has(edit, message):
    found = told(edit)
    assert len(found) == 1
    assert found[0].startswith(f"studies.demo.{message}")


def test_what_a_study_leaves_to_defaults_may_find_nothing():
    own = {"title": "t", "tier": "synthetic", "recipes": "demo", "pretraining": "stored"}
    grid = ONE | {"keep_rates": [1.0, 0.7], "methods": ["random"]}
    assert told((("studies",), {"own": own | {"grids": [grid], "evaluations": {"extends": "usual"}}})) == []
