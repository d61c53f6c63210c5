import subprocess
import sys

import pytest

from audioprune.errors import UserError
from audioprune.locks.main import hold

HOLDER = "import sys, time; from pathlib import Path; from audioprune.locks.main import hold; "
HOLDER += "f = hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"


def test_the_second_is_told_who_holds_it_and_a_killed_holder_leaves_nothing(tmp_path):
    path = tmp_path / "main.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=rf"process {holder.pid} on .* is already running in this folder"):
            hold(path)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    hold(path).close()
