"""What goes wrong for users, through the real Snakemake: one clear message each, and a non-zero exit."""

from __future__ import annotations

import numpy as np
import soundfile

from .test_end_to_end import edit_yaml, of_one_grid

LABELS = "file,label,split\n0.wav,wren,train\n1.wav,robin,train\n2.wav,wren,train\n3.wav,robin,test\n"
SWAPPED = "file,label,split\n0.wav,robin,train\n1.wav,wren,train\n2.wav,robin,train\n3.wav,wren,test\n"


def birds(project, *, damage: bool) -> None:
    """A user's folder of four clips, one of them perhaps no audio at all; configured, not yet indexed."""
    folder = project.root / "birds"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):
        soundfile.write(folder / f"{i}.wav", 0.1 * rng.standard_normal(22050), 22050)
    if damage:
        (folder / "2.wav").write_bytes(b"RIFF, but nothing that follows")
    (folder / "labels.csv").write_text(LABELS)

    def add(data):
        data["datasets"] = {"birds": {"folder": "birds", "csv": "birds/labels.csv", "task": "environmental",
                                      "classes": ["wren", "robin"], "frames": 64}}  # fmt: skip
        grid = {"backbones": ["audiomae-tiny"], "datasets": ["birds"], "keep_rates": [0.5], "initial": "scratch"}
        data["studies"]["birds"] = of_one_grid(data["studies"]["demo"], grid)

    edit_yaml(project, add)


def audio_target(project) -> str:
    import json

    jobs = json.loads(project.run("audioprune", "plan", "birds", "--json").stdout)["jobs"]
    targets = (f"results/cells/{job['cell']}/record.json" for job in jobs if job["stage"] == "audio")
    return next(targets, "")  # where it is made already


def test_a_corrupt_clip_is_named_and_can_be_set_aside(project):
    birds(project, damage=True)
    indexed = project.run("audioprune", "index", "birds")
    assert indexed.returncode == 1
    assert "2.wav: " in indexed.stdout
    found = project.run("snakemake", "--cores", "1", audio_target(project))
    assert found.returncode != 0
    assert "2.wav: unreadable" in found.stderr
    assert "bad_clips: set_aside" in found.stderr
    edit_yaml(project, lambda data: data.update(bad_clips="set_aside"))
    target = audio_target(project)
    found = project.run("snakemake", "--cores", "1", target)
    assert found.returncode == 0, found.stderr
    assert "2.wav,unreadable" in (project.root / target).with_name("set_aside.csv").read_text()


def test_one_byte_of_a_users_dataset_changes_its_cells_and_a_touch_does_not(project):
    birds(project, damage=False)
    assert "not indexed" in project.run("audioprune", "plan", "birds").stdout
    project.run("audioprune", "index", "birds")
    before = audio_target(project)
    (project.root / "birds" / "1.wav").touch()
    assert audio_target(project) == before
    path = project.root / "birds" / "1.wav"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    assert audio_target(project) != before


def test_another_csv_of_the_same_folder_is_not_read_before_it_is_indexed_and_makes_other_cells(project):
    birds(project, damage=False)
    project.run("audioprune", "index", "birds")
    first = audio_target(project)
    assert project.run("snakemake", "--cores", "1", first).returncode == 0
    (project.root / "birds" / "second.csv").write_text(SWAPPED)
    assert audio_target(project) == "", "an unlisted file in the folder changes nothing"
    edit_yaml(project, lambda data: data["datasets"]["birds"].update(csv="second.csv"))
    why = f"config.yaml names {project.root}/birds/second.csv, but {project.root}/birds/labels.csv was indexed"
    assert why in project.run("audioprune", "plan", "birds").stdout
    waiting = audio_target(project)
    found = project.run("snakemake", "--cores", "1", waiting)
    assert found.returncode != 0
    assert why in found.stderr
    assert not (project.root / waiting).exists()
    indexed = project.run("audioprune", "index", "birds").stdout
    assert indexed.startswith("birds/second.csv: reads the columns file, label, split\n")
    assert len({first, waiting, audio_target(project)}) == 3


def test_a_missing_mirror_folder_is_one_message(project):
    project.environment["AUDIOPRUNE_MIRROR"] = str(project.root / "nowhere")
    jobs = project.planned("results/mini/table1.tex")
    archive = next(job for job in jobs["fetch"] if "/checkpoint-" not in job)  # tiny ones come with the code
    found = project.run("snakemake", "--cores", "1", archive)
    assert found.returncode != 0
    assert "nowhere' does not exist (from the environment's AUDIOPRUNE_MIRROR)" in found.stderr
    assert "Traceback (most recent call last)" not in found.stderr.split("mirror folder")[0]


def test_doctor_says_what_brings_what_is_missing(project):
    found = project.run("audioprune", "doctor", "paper")
    assert found.returncode == 1
    for text in ("checkpoint-audiomae-b", "audioprune index voxceleb1", "in config.yaml as data.as20k", "GPU hours"):
        assert text in found.stdout, text
    assert project.run("audioprune", "doctor", "demo").returncode == 0


def test_a_truncated_checkpoint_is_one_message(project):
    import torch

    path = project.root / "audiomae.pth"
    torch.save({"model": {"norm.weight": torch.zeros(768)}}, path)
    path.write_bytes(path.read_bytes()[:-200])
    script = "import sys, audioprune; audioprune.load_model(backbone='audiomae', checkpoint=sys.argv[1])"
    found = project.run("python", "-c", script, str(path))
    assert found.returncode != 0
    assert "UserError" in found.stderr
    assert "audiomae.pth" in found.stderr.splitlines()[-1]
