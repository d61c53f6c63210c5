"""One cluster and one undisturbed run for all tests of this folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.workflow.conftest import Project

from .cluster import Cluster, missing
from .study import Run, small_project


@pytest.fixture(scope="session")
def cluster():
    if reason := missing():
        if os.environ.get("AUDIOPRUNE_TEST_SLURM") == "required":
            pytest.fail(reason)
        pytest.skip(f"no SLURM: {reason}")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: the path of a socket has at most 107 characters
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        left = cluster.processes()
        shutil.rmtree(folder)
    assert not left


@pytest.fixture(scope="session")
def undisturbed(cluster, tmp_path_factory) -> Project:
    """The study, run by SLURM to its report with nothing in its way."""
    project = small_project(tmp_path_factory.mktemp("undisturbed"), cluster)
    run = Run(project)
    try:
        run.finish()
    finally:
        run.stop()
    return project
