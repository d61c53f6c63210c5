import re
import shutil

import pytest
import yaml

from audioprune.config.checks import RESERVED, RULES
from audioprune.config.file import load
from audioprune.config.recipes import resolve_recipe
from audioprune.errors import UserError
from tests import REPOSITORY


@pytest.fixture
def edited(tmp_path):
    """Write config.yaml after an edit of its parsed content, and load it."""

    def load_edited(edit):
        data = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
        edit(data)
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(data))
        return load(path)

    return load_edited


def test_the_shipped_configuration_is_valid():
    config = load(REPOSITORY / "config.yaml")
    assert {"paper", "mini", "mini-full", "demo"} <= set(config.studies)


def test_all_errors_come_at_once_with_place_value_and_nearest_name(edited):
    def spoil(data):
        data["studys"] = {}
        data["bad_clips"] = "stopp"
        data["studies"]["demo"]["grids"][0]["keep_rate"] = [1.0]

    with pytest.raises(UserError) as error:
        edited(spoil)
    text = str(error.value)
    assert "has 3 errors" in text
    assert "studys: unknown key; did you mean 'studies'?" in text
    assert "bad_clips: 'stopp' is not valid; did you mean 'stop'?" in text
    assert "studies.demo.grids.0.keep_rate: unknown key; did you mean 'keep_rates'?" in text


def test_token_merging_takes_no_more_than_half(edited):
    def merging(*methods):
        def spoil(data):
            data["studies"]["mini"]["grids"][0] |= {"methods": list(methods), "keep_rates": [1.0, 0.3]}

        return spoil

    with pytest.raises(
        UserError,
        match=r"grids\.0\.methods\.1: tome keeps at least 0\.5 of a block's tokens, not 0\.3",
    ):
        edited(merging("topk", "tome"))
    edited(merging("topk", "tome.r5"))


def test_controls_of_algorithm_1_are_configured(edited):
    def control(data):
        data["studies"]["mini"]["grids"][0]["perturbations"] = ["I", "I-shuffled", "III-shuffled"]

    assert edited(control).studies["mini"].grids[0].perturbations == ("I", "I-shuffled", "III-shuffled")


def test_unknown_names_and_recipe_fields_are_named_with_the_nearest(edited):
    def spoil(data):
        grid = data["studies"]["mini"]["grids"][0]
        grid["backbones"] = ["audiomae-tiney"]
        grid["datasets"] = ["fsdd-digit"]
        grid["methods"] = ["topkk"]
        data["recipes"]["tiny"]["audiomae"]["all"]["recipe"]["epoch"] = 3
        data["recipes"]["tiny"]["audiomae"]["all"]["recipe"]["base_lr"] = -1

    with pytest.raises(UserError) as error:
        edited(spoil)
    text = str(error.value)
    for hint in ("'audiomae-tiny'", "'fsdd-digits'", "'topk'", "'epochs'"):
        assert f"did you mean {hint}" in text
    assert "base_lr (value: -1) is not valid: Input should be greater than 0" in text


@pytest.mark.parametrize(
    "name", ["cells", "exhibits", "table", "batch", "transcripts", "copy-report", "all", "my data", "a{b}", "../up", ""]
)
def test_names_of_studies_that_folders_and_rules_have_are_refused(edited, name):
    with pytest.raises(UserError, match=re.escape(f"studies.{name}: a study's name")):
        edited(lambda data: data["studies"].update({name: data["studies"]["demo"]}))


def test_every_rule_whose_name_a_study_could_have_is_refused():
    texts = [path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk")]
    rules = {name for text in texts for name in re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)(?: with)?:", text, re.M)}
    assert {name.replace("_", "-") for name in rules} | {"all"} <= {*RESERVED, *RULES}
    assert len(rules) > 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty or not a mapping"),
        ("a: [1", "is not plain YAML"),
        ("mirror: x\nmirror: y\n", "key 'mirror' stands here twice"),
        (
            "a: &x {b: 1}\nmirror: {<<: *x}\n",
            "`<<` is not used here: a set of recipes or evaluations `extends` another",
        ),
        ("? [a, b]\n: x", "found unhashable key"),
        ("mirror: !!python/object/apply:os.system ['true']\n", "is not plain YAML"),
    ],
)
def test_what_is_not_a_configuration_is_refused(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load(path)


@pytest.mark.parametrize("tag", ["object/apply:os.mkdir", "object/new:os.mkdir", "name:os.mkdir", "module:os", "tuple"])
@pytest.mark.parametrize("place", ["mirror: {}", "studies: {{demo: {}}}", "? {}\n: x"])
def test_yaml_tags_are_refused_and_nothing_is_called(tmp_path, tag, place):
    (tmp_path / "config.yaml").write_text(place.format(f"!!python/{tag} ['{tmp_path / 'made'}']") + "\n")
    with pytest.raises(UserError, match="is not plain YAML"):
        load(tmp_path / "config.yaml")
    assert not (tmp_path / "made").exists()


def test_a_missing_configuration_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="run from the root of the repository"):
        load(tmp_path / "config.yaml")


def test_recipe_of_a_dataset_lies_over_that_of_all():
    config = load(REPOSITORY / "config.yaml")
    recipe, augment = resolve_recipe(config, "p2", "audiomae", "esc50")
    assert (recipe.epochs, recipe.batch_size, recipe.layer_decay) == (120, 128, 0.75)
    assert (recipe.shrink_start, recipe.shrink_epochs) == (20, 40)
    assert (augment.mask_2d, augment.specaug_freq, augment.specaug_time) == (0.3, 24, 96)
    p0, plain = resolve_recipe(config, "p0", "audiomae", "voxceleb1")  # the bold cells of P0 Table 6
    assert (p0.epochs, p0.shrink_start, p0.shrink_epochs, p0.min_lr) == (60, 10, 20, 1e-6)
    assert plain.specaug_freq == 0


def test_ast_mp_takes_the_recipe_of_ast():
    config = load(REPOSITORY / "config.yaml")
    assert resolve_recipe(config, "p2", "ast-mp", "esc50") == resolve_recipe(config, "p2", "ast", "esc50")


def test_environments_are_in_step_with_the_lock(tmp_path):
    import subprocess
    import sys

    assert subprocess.run([sys.executable, "envs/write.py", "--check"], cwd=REPOSITORY, check=False).returncode == 0
    copy = tmp_path / "copy"
    (copy / "envs").mkdir(parents=True)
    for name in ("requirements.lock", "envs/write.py"):
        shutil.copy(REPOSITORY / name, copy / name)
    spoiled = (copy / "requirements.lock").read_text().replace("torch==2.13.0", "torch==2.13.9")
    (copy / "requirements.lock").write_text(spoiled)
    for path in (REPOSITORY / "envs").glob("*.yaml"):
        shutil.copy(path, copy / "envs")
    command = [sys.executable, "envs/write.py", "--check"]
    found = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "torch.yaml" in found.stderr


def test_the_lock_has_hashes_and_no_addresses():
    lock = (REPOSITORY / "requirements.lock").read_text()
    entries = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(entries) > 100
    assert all(line.endswith("\\") for line in entries)
    assert lock.count("--hash=sha256:") >= len(entries)
    assert "://" not in lock


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../../evil", "letters, digits, hyphens and underscores"),
        ("my data", "letters, digits, hyphens and underscores"),
        ("a{b}", "letters, digits, hyphens and underscores"),
        (".hidden", "letters, digits, hyphens and underscores"),
        ("all", "this name is taken"),
        ("cells", "this name is taken"),
        ("esc10", "this name is taken"),
        ("checkpoint-audiomae-b", "this name is taken"),
    ],
)
def test_names_of_own_data_that_would_lead_elsewhere(edited, name, said):
    user = {"folder": "x", "csv": "x/labels.csv", "task": "environmental", "classes": ["a", "b"], "frames": 128}
    with pytest.raises(UserError, match=re.escape(f"datasets.{name}: ") + ".*" + said):
        edited(lambda data: data.update(datasets={name: user}))


def test_a_class_given_twice(edited):
    user = {"folder": "x", "csv": "x/labels.csv", "task": "environmental", "classes": ["a", "b", "a"], "frames": 128}
    with pytest.raises(UserError, match=r"datasets\.mine\.classes: 'a' stands there twice"):
        edited(lambda data: data.update(datasets={"mine": user}))


@pytest.mark.parametrize(
    ("task", "classes", "said"),
    [
        ("environmental", ["yes", "no", True, False], "2: YAML reads yes, no, .* as switches .here True.; write"),
        ("environmental", ["a", 7], "1: YAML reads this as 7, not as a name; write it in quotes"),
        ("environmental", ["a", None], "1: YAML reads this as None, not as a name"),
        ("environmental", ["a", " b"], "' b' has blanks around it"),
        ("environmental", ["a", ""], "'' has blanks around it"),
        ("environmental", ["a"], "1 of them; the task 'environmental' tells at least two apart"),
        ("keyword", [], "0 of them"),
        ("multilabel", [], "none; the task 'multilabel' needs at least one"),
        ("multilabel", ["a", "R&B; soul"], "'R&B; soul' has the `;` that separates the labels of a clip"),
    ],
)  # fmt: skip
def test_classes_that_no_table_of_labels_could_give(edited, task, classes, said):
    user = {"folder": "x", "csv": "x/labels.csv", "task": task, "classes": classes, "frames": 128}
    with pytest.raises(UserError, match=rf"datasets\.mine\.classes.*{said}"):
        edited(lambda data: data.update(datasets={"mine": user}))


def test_a_class_with_a_semicolon_is_one_where_a_clip_has_one_label(edited):
    user = {"folder": "x", "csv": "x/l.csv", "task": "keyword", "classes": ["yes", "R&B; soul"], "frames": 128}
    assert edited(lambda data: data.update(datasets={"mine": user})).datasets["mine"].classes[1] == "R&B; soul"


# --- methods by their labels


def test_the_form_with_options_is_answered_with_the_label(edited):
    def spoil(data):
        grid, evaluations = data["studies"]["mini"]["grids"][0], data["evaluations"]["usual"]
        grid["methods"] = ["topk", {"method": "tome", "options": {"r": 5, "proportional": False}}]
        evaluations["off_the_shelf"] = [{"method": "random"}]

    with pytest.raises(UserError) as error:
        edited(spoil)
    text = str(error.value)
    told = "a pruning method is named by its label, as in reports: write"
    assert f"studies.mini.grids.0.methods.1: {told} tome.no-proportional.r5" in text
    assert f"evaluations.usual.off_the_shelf.0: {told} random" in text


def test_labels_are_checked_wherever_they_stand(edited):
    def spoil(data):
        data["studies"]["mini"]["grids"][0]["methods"] = ["topk.clss"]
        data["studies"]["mini"]["costs"][0]["methods"] = ["tome.q5"]
        data["studies"]["mini"]["evaluations"]["off_the_shelf"] = ["intensity.as_realeased"]
        data["evaluations"]["usual"]["off_the_shelf"] = ["randm"]

    with pytest.raises(UserError) as error:
        edited(spoil)
    text = str(error.value)
    assert "has 4 errors" in text
    assert "studies.mini.grids.0.methods.0: 'topk.clss': topk has no option 'clss'; did you mean 'topk.cls'?" in text
    assert "studies.mini.costs.0.methods.0: 'tome.q5': tome has no option 'q5'; did you mean 'tome.r5'?" in text
    assert "studies.mini.evaluations.off_the_shelf.0: 'intensity.as_realeased': intensity has no option" in text
    assert "evaluations.usual.off_the_shelf.0: no method named 'randm'; did you mean 'random'?" in text


def test_all_perturbation_tests_are_named_in_one_word(edited):
    found = edited(lambda data: data["studies"]["mini"]["grids"][0].update(perturbations="all"))
    assert found.studies["mini"].grids[0].perturbations == (
        "I",
        "II",
        "III",
        "I-shuffled",
        "II-shuffled",
        "III-shuffled",
    )


def test_the_shipped_configuration_is_plain():
    text = (REPOSITORY / "config.yaml").read_text()
    tokens = {type(token) for token in yaml.scan(text)}
    assert not tokens & {yaml.AnchorToken, yaml.AliasToken, yaml.TagToken}
    assert not [key for key in yaml.safe_load(text) if key.startswith("x-")]


def test_an_anchor_may_be_used(tmp_path):
    path = tmp_path / "config.yaml"
    text = (REPOSITORY / "config.yaml").read_text()
    written = "{recipe: {epochs: 12, eval_every: 4}}"
    assert written in text
    path.write_text(text.replace(written, f"&digits {written}"))
    assert load(path) == load(REPOSITORY / "config.yaml")


def test_contrasts_name_what_is_there_and_what_is_trained(edited):
    """Each side must be something that a grid of the study trains, or the unpruned model that it trains."""

    def spoil(data):
        declared = data["studies"]["demo"]["contrasts"]
        declared["backbones"] = ["audiomae-tiny", "ast-tinny"]
        declared["tested"][0] |= {"second": "topkk", "keep_rate": 1.0}
        declared["tested"].append({"second": "tome", "keep_rate": 0.3})
        declared["bounded"].append({"second": "topk", "keep_rate": 0.7})

    with pytest.raises(UserError) as error:
        edited(spoil)
    place = "studies.demo.contrasts"
    for line in (
        f"{place}.backbones.1: no backbone named 'ast-tinny'; did you mean 'ast-tiny'?",
        f"{place}.tested.0.keep_rate: 1.0 is not above 0 and below 1",
        f"{place}.tested.0.second: no method named 'topkk'; did you mean 'topk'?",
        f"{place}.tested.3.second: tome keeps at least 0.5 of a block's tokens, not 0.3",
        f"{place}.tested.0: no grid trains ast-tinny on demo-words unpruned (keep-rate 1.0)",
        f"{place}.bounded.1: no grid trains audiomae-tiny on demo-words with this topk",
    ):
        assert line in str(error.value)
