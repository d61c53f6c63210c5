"""A record says which SLURM job made it, where and with which GPUs; outside SLURM it says nothing of it."""

from __future__ import annotations

import time

from audioprune.cells import provenance


def test_the_slurm_job_is_named_only_within_slurm(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert provenance.slurm() == {}
    assert "slurm" not in provenance.stamp(time.time())
    for name, value in {"JOB_ID": "7", "RESTART_COUNT": "2", "JOB_GPUS": "3", "STEP_GPUS": ""}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("SLURMD_NODENAME", "node4")
    wanted = {"job": "7", "node": "node4", "gpus": "3", "restarts": "2"}
    assert provenance.slurm() == provenance.stamp(time.time())["slurm"] == wanted
    monkeypatch.delenv("SLURM_JOB_GPUS")
    assert provenance.slurm()["gpus"] == "none"
