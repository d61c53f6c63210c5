from __future__ import annotations

import pytest

from audioprune.errors import UserError
from audioprune.sources import mirror


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch):
    monkeypatch.delenv(mirror.VARIABLE, raising=False)


def test_no_mirror_is_no_folder():
    assert mirror.folder() is None
    assert mirror.folder(None) is None
    assert mirror.find("a.tar.gz") is None


def test_environment_wins_over_configuration(tmp_path, monkeypatch):
    for name in ("configured", "named"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.zip").write_text(name)
    configured = str(tmp_path / "configured")
    assert mirror.find("a.zip", configured).read_text() == "configured"
    monkeypatch.setenv(mirror.VARIABLE, str(tmp_path / "named"))
    assert mirror.find("a.zip", configured).read_text() == "named"
    assert mirror.find("b.zip", configured) is None


def test_a_missing_folder_is_one_clear_message(tmp_path, monkeypatch):
    gone = str(tmp_path / "gone")
    with pytest.raises(UserError, match=r"gone' does not exist \(from config.yaml's `mirror`\)"):
        mirror.find("a.zip", gone)
    monkeypatch.setenv(mirror.VARIABLE, gone)
    with pytest.raises(UserError, match=r"from the environment's AUDIOPRUNE_MIRROR"):
        mirror.folder()
