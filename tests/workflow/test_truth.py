"""The rest of what a change reruns: moves, clones, branches, reversals, layout, users' data, one module of each kind.

The rows of the design's table, and the tests that show them: here, where no other file is named.

| change | reruns | shown by |
|---|---|---|
| touch any file | nothing | touched_code; test_reruns: nothing_to_do; users_data[touched] |
| fresh clone; branch switch and back | nothing | a_fresh_clone |
| results copied without .snakemake | nothing | results_copied |
| a comment, docstring or reformatting | nothing | test_reruns: comments_and_docstrings; another_formatting |
| another supported Python | nothing | tests/unit/fingerprints/test_syntax.py |
| the learning rate of one dataset | its fine-tunings and what depends on them | test_reruns: the_learning_rate |
| the code of one method | only what names it | test_reruns: one_method; one_backbone_dataset_or_method |
| the code of one backbone or dataset | only what names it | one_backbone_dataset_or_method |
| the code of one table or figure | only what names it | one_table_and_of_one_figure |
| a change and its exact reversal | nothing; copies are put back | a_change_and_its_reversal; another_place |
| a changed default of a setting | what relied on it | a_changed_default (two tests) |
| another CSV of the same folder | that dataset's cells, pending until indexed | another_place_of_users_data[csv] |
| a changed folder | the same | another_place_of_users_data[folder] |
| a changed checkpoint path | that checkpoint's cells, pending until indexed | another_checkpoint |
| a file in a user's folder that no row names | nothing | users_data[unlisted] |
| a keep-rate added | the new cells, exhibits that show them | test_reruns: a_new_keep_rate |
| a seed or dataset added | the same | a_new_seed_and_a_new_dataset |
| a new configuration field with its default | nothing | a_new_setting |
| one byte of a user's dataset | that dataset's cells | users_data[byte] |
| a truncated, edited or deleted result file | that cell, naming the file | test_reruns: truncated; damaged; deleted |
| the style of a figure | that figure and the report | test_reruns: the_style_of_a_figure; what_shapes_exhibits |
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.weights import weights

from .conftest import COPIED, ROOT, Project
from .test_end_to_end import edit_yaml
from .test_messages import SWAPPED, birds
from .test_reruns import REPORT, count

BIRDS = "results/birds/report.html"
WARNED = 3  # by `index`: a class of the birds has no test clip


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=project.root, check=True, capture_output=True)


def append(project: Project, name: str, text: str = "\nCHANGED = 1\n") -> None:
    path = project.root / "src" / "audioprune" / name
    path.write_text(path.read_text() + text)


def test_results_copied_to_another_place_rerun_nothing(made, tmp_path):
    moved = made.copy(tmp_path / "elsewhere" / "deeper")
    assert not (moved.root / ".snakemake").exists()
    assert moved.planned(REPORT) == {}


def test_touched_code_configuration_and_published_numbers_rerun_nothing(finished):
    for name in COPIED:
        for path in (finished.root / name, *(finished.root / name).rglob("*")):
            path.touch()
    assert finished.planned(REPORT) == {}


def test_a_fresh_clone_with_results_and_a_branch_and_back_rerun_nothing(finished, tmp_path):
    (finished.root / ".gitignore").write_text("/results/\n.snakemake/\n__pycache__/\n")
    git(finished, "init", "-q", "-b", "main")
    git(finished, "add", ".gitignore", *COPIED)
    git(finished, "commit", "-q", "-m", "all")
    git(finished, "clone", "-q", ".", str(tmp_path / "clone"))
    shutil.copytree(finished.root / "results", tmp_path / "clone" / "results")
    clone = Project(tmp_path / "clone", fresh=False)
    assert clone.planned(REPORT) == {}
    git(clone, "switch", "-q", "-c", "other")
    append(clone, "pruning/topk.py")
    git(clone, "commit", "-q", "-a", "-m", "another topk")
    assert len(clone.jobs("demo")["finetune"]) == len(clone.cells("finetune/*/*/topk*/*/*")) > 0
    git(clone, "switch", "-q", "main")
    assert clone.planned(REPORT) == {}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("src/audioprune/pruning/topk.py", "FACTS = ", "CHANGED = 1\nFACTS = "),
        ("src/audioprune/tables/keep_rates.py", "TITLE = ", "CHANGED = 1\nTITLE = "),
        ("config.yaml", "demo-sounds: {recipe: {epochs: 7,", "demo-sounds: {recipe: {epochs: 10,"),
    ],
    ids=["method", "table", "setting"],
)
def test_a_change_and_its_reversal_train_evaluate_and_draw_nothing_and_put_the_copies_back(finished, name, old, new):
    path, table = finished.root / name, finished.root / "results/demo/table1.tex"
    before, shown = path.read_text(), table.read_text()
    finished.edit(name, old, new)
    finished.pretend("demo")  # the change was run
    assert table.read_text() != shown
    path.write_text(before)
    jobs = finished.planned(REPORT)
    assert set(jobs) == {"copy"}
    assert "results/demo/table1.tex" in " ".join(jobs["copy"])
    if name.endswith("table1.py"):
        assert len(jobs["copy"]) == 2  # with that of the report
    assert finished.run("snakemake", "--cores", "1", REPORT).returncode == 0
    assert table.read_text() == shown
    assert finished.planned(REPORT) == {}


def test_another_formatting_of_all_code_reruns_nothing(finished):
    command = (sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "72", "src")
    assert finished.run(*command).returncode == 0
    source = finished.root / "src"
    paths = [path.relative_to(source) for path in source.rglob("*.py")]
    changed = sum((source / path).read_bytes() != (ROOT / "src" / path).read_bytes() for path in paths)
    assert changed > 100
    assert finished.planned(REPORT) == {}


def test_a_new_setting_with_its_default_reruns_nothing(finished):
    for name, before, added in (
        ("settings/training", "class FinetuneSettings(Closed):\n", "    label_smoothing: float = 0.0\n"),
        (
            "settings/training",
            '    epochs: int = Field(gt=0, description="passes over the training clips")\n',
            "    ema: float = 0.0\n",
        ),
        ("config/design", "    seeds: tuple[Annotated[int, Field(ge=0)], ...] = ", "    note: str = ''\n"),
    ):
        new = added + before if name == "config/design" else before + added
        finished.edit(f"src/audioprune/{name}.py", before, new)
    assert finished.planned(REPORT) == {}


def test_a_changed_default_reruns_what_relied_on_it(finished):
    finished.edit(
        "src/audioprune/settings/evaluation.py",
        "    control_seed: int = Field(0, ge=0",
        "    control_seed: int = Field(1, ge=0",
    )
    jobs = finished.planned(REPORT)
    assert set(jobs) == {"discard", "table", "figure", "report"}
    assert len(jobs["discard"]) == len(finished.cells("discard/*/*/*/*/*/*/*")) > 0


def test_a_changed_default_that_no_cell_relied_on_reruns_nothing(finished):
    """The study names its learning rates."""
    finished.edit(
        "src/audioprune/settings/training.py", "    base_lr: float = Field(1e-3", "    base_lr: float = Field(7e-3"
    )
    assert finished.planned(REPORT) == {}


@pytest.mark.parametrize(
    ("module", "kinds"),
    [
        ("exhibits/style.py", {"figure", "report"}),
        ("exhibits/forms.py", {"table", "report"}),
        ("recognisers/whisper_arms.py", {"transcribe", "table", "figure", "report"}),
        ("cells/query.py", {"table", "figure", "report"}),
    ],
)
def test_what_shapes_exhibits_or_transcripts_alone_makes_those_that_it_shapes(finished, module, kinds):
    append(finished, module)
    assert set(finished.planned(REPORT)) == kinds


def test_a_studys_title_reruns_its_report_only(finished):
    finished.edit("config.yaml", '  demo:\n    title: "', '  demo:\n    title: "Not ')
    assert set(finished.planned(REPORT)) == {"report"}


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("backbones/ast.py", "/ast-tiny/"),
        ("datasets/demo_sounds.py", "/demo-sounds/"),
        ("pruning/none.py", "/none-kr1/"),
    ],
)
def test_the_code_of_one_backbone_dataset_or_method_reruns_only_the_cells_that_name_it(finished, module, part):
    append(finished, module)
    jobs = finished.jobs("demo")
    shown = {"table", "figure", "report"}
    for cell in jobs["finetune"]:
        assert part in f"/{cell}/", cell
    wanted = [p for p in finished.cells("finetune/*/*/*/*/*") if part in f"{p}/"]
    assert len(jobs["finetune"]) == len(wanted) > 0
    assert not {"fetch", "generate"} & set(jobs)
    assert shown & set(jobs)


def test_the_row_of_a_figure_draws_that_figure_and_the_report(finished):
    """A figure of the paper is a row of data; what draws it has others, too."""
    finished.edit("report/exhibits.yaml", "title: Patches that are kept\n", "title: Patches that stay\n")
    jobs = finished.planned(REPORT)
    assert count(jobs) == {"figure": 1, "report": 1}
    assert "/demo/figure2/" in jobs["figure"][0]
    append(finished, "figures/kept_patches.py")
    jobs = finished.planned(REPORT)
    drawn = sorted(path.split("/")[4] for path in jobs["figure"])
    assert drawn == sorted(f"figure{number}" for number in (2, 18, 20, 21, 22))


def test_the_code_of_one_table_and_of_one_figure_draws_those_and_the_report(finished):
    append(finished, "tables/keep_rates.py")
    append(finished, "figures/occurrence.py")
    jobs = finished.planned(REPORT)
    assert count(jobs) == {"table": 1, "figure": 1, "report": 1}
    assert "table1" in jobs["table"][0]
    assert "occurrence" in jobs["figure"][0]


def test_a_new_seed_and_a_new_dataset_make_only_new_cells(finished):
    grid = "{backbones: [audiomae-tiny], datasets: [demo-mixtures], keep_rates: [1.0, 0.5]"
    finished.edit("config.yaml", grid, f"{grid}, seeds: [0, 7]")
    grid = "      - {backbones: [audiomae-tiny], datasets: [demo-sentences]}\n"
    added = "      - {backbones: [ast-tiny], datasets: [demo-speakers], keep_rates: [0.5]}\n"
    finished.edit("config.yaml", grid, grid + added)
    jobs = finished.planned(REPORT)
    assert len([path for path in jobs["finetune"] if "demo-mixtures" in path and "seed7" in path]) == 2
    assert len([path for path in jobs["finetune"] if "ast-tiny/demo-speakers" in path]) == len(jobs["finetune"]) - 2 > 0
    assert "fetch" not in jobs
    assert all("seed7" in path or "demo-speakers" in path for path in jobs["evaluate"])


# --- data that the user brings --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def brought(tmp_path_factory) -> Project:
    """A study of a user's folder and of a built-in dataset, finished: to be copied, never changed."""
    project = Project(tmp_path_factory.mktemp("brought"))
    birds(project, damage=False)
    (project.root / "birds" / "second.csv").write_text(SWAPPED)

    def add(data):
        (grid,) = data["studies"]["birds"]["grids"]
        data["studies"]["birds"]["grids"].append({**grid, "datasets": ["demo-words"]})

    edit_yaml(project, add)
    assert project.run("audioprune", "index", "birds").returncode == WARNED
    project.pretend("birds")
    return project


@pytest.fixture
def user(brought, tmp_path) -> Project:
    """A copy of that project."""
    return brought.copy(tmp_path / "user")


def touched(project: Project) -> None:
    for path in (project.root / "birds").iterdir():
        path.touch()


def unlisted(project: Project) -> None:
    folder = project.root / "birds"
    shutil.copy(folder / "0.wav", folder / "5.wav")
    (folder / "notes.txt").write_text("a wren, or a robin?")


def byte(project: Project) -> None:
    path = project.root / "birds" / "1.wav"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def another(project: Project, **place: str) -> None:
    edit_yaml(project, lambda data: data["datasets"]["birds"].update(place))


def assert_only_cells_of_birds(jobs: dict[str, list[str]]) -> None:
    made = [path for kind, paths in jobs.items() if kind not in ("table", "figure", "report") for path in paths]
    assert {"audio", "features", "finetune", "evaluate"} <= set(jobs)
    assert all("/birds/" in path for path in made)
    assert len(jobs["audio"]) == len(jobs["finetune"]) == len(jobs["report"]) == 1
    drawn = {path.split("/")[4] for path in jobs["table"] + jobs["figure"]}
    assert "table1" in drawn
    assert "forensics" not in drawn  # which shows published numbers only


@pytest.mark.parametrize(
    ("change", "reruns"), [(touched, False), (unlisted, False), (byte, True)], ids=["touched", "unlisted", "byte"]
)
def test_users_data(user, change: Callable[[Project], None], reruns: bool):
    change(user)
    jobs = user.planned(BIRDS)
    if reruns:
        assert_only_cells_of_birds(jobs)
    else:
        assert jobs == {}


@pytest.mark.parametrize("place", [{"csv": "second.csv"}, {"folder": "moved"}], ids=["csv", "folder"])
def test_another_place_of_users_data_is_pending_until_it_is_indexed_and_back_again_nothing_is(user, place):
    shutil.copytree(user.root / "birds", user.root / "moved")
    was = {"folder": "birds", "csv": "birds/labels.csv"}
    before = user.jobs("birds")
    assert before == {}
    another(user, **was | {"csv": "labels.csv"} | place)
    assert_only_cells_of_birds(user.planned(BIRDS))
    assert "waits for you: not indexed: config.yaml names" in user.run("audioprune", "plan", "birds").stdout
    pending = user.jobs("birds")["audio"]
    another(user, **was)
    assert user.planned(BIRDS) == {}
    another(user, **was | {"csv": "labels.csv"} | place)
    assert user.run("audioprune", "index", "birds").returncode == WARNED
    jobs = user.jobs("birds")
    if "csv" in place:
        assert len(jobs["audio"]) == 1
        assert jobs["audio"] != pending
    else:
        assert jobs == {}  # the same data in another place


def test_another_checkpoint_is_pending_until_it_is_indexed_and_changes_only_the_cells_made_from_it(project):
    def named(name: str) -> dict[str, list[str]]:
        edit_yaml(project, lambda data: data.update(checkpoints={"audiomae-b": name}))
        return project.jobs("all")

    for value, name in enumerate(("first.pth", "second.pth")):
        weights(project.root / name, value=float(value))
    named("first.pth")
    assert project.run("audioprune", "index", "checkpoint-audiomae-b").returncode == 0
    first, second = named("first.pth"), named("second.pth")
    why = f"not indexed: config.yaml names {project.root}/second.pth, but {project.root}/first.pth was indexed"
    assert why in project.run("audioprune", "plan").stdout
    assert project.run("audioprune", "index", "checkpoint-audiomae-b").returncode == 0
    indexed = project.jobs("all")
    for found in (second, indexed):
        for kind in ("audio", "features", "clusters", "macs", "throughput"):
            assert found[kind] == first[kind]
        (other,) = set(found["fetch"]) - set(first["fetch"])
        assert other.startswith("fetch/checkpoint-audiomae-b/")
        for kind in ("finetune", "evaluate", "trace"):
            own = [path for path in first[kind] if f"{kind}/audiomae-b/" in path]
            assert set(first[kind]) - set(found[kind]) == set(own) != set()
    assert len({tuple(found["fetch"]) for found in (first, second, indexed)}) == 3
