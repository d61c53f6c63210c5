"""A real SLURM on this machine, below one folder: munge, MariaDB, slurmdbd, slurmctld, slurmd, and two faked GPUs.

    python -m tests.slurm.cluster [FOLDER]      start it, print what to export, stop it on Enter

Nothing outside the folder is written; ports are free ones of the loopback interface. Needs root (munge and slurmd run
as it) and the Debian packages in PACKAGES. Memory limits are enforced by polling, so that no cgroups are needed; the
accounting database refuses jobs of unknown accounts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .conf import SLURM_CONF, SLURMDBD_CONF

PACKAGES = "munge mariadb-server slurmctld slurmd slurmdbd slurm-client"
PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "srun", "sacct", "sacctmgr")
ACCOUNT = "lab"
PARTITION = "gpu"
GPUS, MODEL = 2, "fake"
os.environ["PATH"] += ":/usr/sbin:/sbin"  # where Debian keeps daemons

MARIADB = ("--no-defaults", "--user=root", "--datadir={folder}/db", "--socket={folder}/db.socket", "--tmpdir={folder}")


def missing() -> str:
    """Why no SLURM can be started here, or an empty text."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "starting SLURM needs Linux and root"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}; as root: apt-get install {PACKAGES}" if absent else ""


class Cluster:
    """Five daemons below `folder`; `environment` is what SLURM's commands need to find them."""

    def __init__(self, folder: Path):
        self.folder, self.host = folder, socket.gethostname().split(".")[0]
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    # --- starting and stopping ----------------------------------------------------------------------------------

    def start(self) -> None:
        """All of it, ready for jobs; what was started is stopped again when something does not come up."""
        try:
            self._configure()
            self.start_munge()
            self.start_database()
            self.start_slurmdbd()
            user = f"user root account={ACCOUNT} defaultaccount={ACCOUNT}"
            for what in ("cluster audioprune", f"account {ACCOUNT}", user):
                self.ask("sacctmgr", "--immediate", "add", *what.split())
            self.start_slurmctld()
            self.start_slurmd()
            self._wait("the node to be idle", lambda: self.node_state().startswith("idle"))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Jobs, daemons, and whatever else still carries this cluster's SLURM_CONF."""
        if (self.folder / "slurmctld.pid").exists():
            self.ask("scancel", "--user=root", "--signal=KILL", check=False)
            self.ask("scancel", "--user=root", check=False)
        for name in ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged"):
            self.stop_daemon(name)
        for pid in self.processes():
            _signal(pid, signal.SIGKILL)
        self._wait("all processes of its jobs to end", lambda: not self.processes())

    def start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        paths = {"socket": "munge.socket", "pid-file": "munge.run", "log-file": "munge.log", "seed-file": "munge.seed"}
        options = [f"--{option}={self.folder / name}" for option, name in paths.items()]
        self._daemon("munged", "--foreground", "--force", f"--key-file={key}", *options)
        found = ["munge", f"--socket={self.folder / 'munge.socket'}", "--no-input"]
        self._wait("munged", lambda: subprocess.run(found, capture_output=True, check=False).returncode == 0)

    def start_database(self) -> None:
        where = [option.format(folder=self.folder) for option in MARIADB]
        made = subprocess.run(
            ["mariadb-install-db", *where, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{made.stdout[-1500:]}{made.stderr[-1500:]}")
        small = ["--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"]
        self._daemon("mariadbd", *where, "--bind-address=127.0.0.1", f"--port={self.ports['db_port']}", *small)
        client = ["mariadb", "--no-defaults", f"--socket={self.folder / 'db.socket'}", "--user=root", "--execute"]
        grant = "CREATE USER slurm@'%' IDENTIFIED BY 'slurm'; GRANT ALL ON slurm_acct.* TO slurm@'%';"
        self._wait("MariaDB", lambda: subprocess.run([*client, "SELECT 1"], capture_output=True).returncode == 0)
        subprocess.run([*client, grant], capture_output=True, check=True)

    def start_slurmdbd(self) -> None:
        self._daemon("slurmdbd", "-D")
        self._wait("slurmdbd", lambda: self.ask("sacctmgr", "-n", "list", "cluster", check=False) is not None)

    def start_slurmctld(self) -> None:
        self._daemon("slurmctld", "-D")
        self._wait("slurmctld", lambda: "is UP" in (self.ask("scontrol", "ping", check=False) or ""))

    def start_slurmd(self) -> None:
        self._daemon("slurmd", "-D")

    def stop_daemon(self, name: str, number: int = signal.SIGTERM) -> None:
        """Stop one of the daemons that this object, or another one for the same folder, started."""
        path = self.folder / f"{name}.pid"
        pid = int(path.read_text()) if path.exists() else 0
        if pid and _alive(pid) and name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            _signal(pid, number)
            try:
                self._wait(f"{name} to stop", lambda: not _alive(pid), seconds=15)
            except RuntimeError:
                _signal(pid, signal.SIGKILL)
                self._wait(f"{name} to be killed", lambda: not _alive(pid), seconds=5)
        path.unlink(missing_ok=True)

    # --- asking -------------------------------------------------------------------------------------------------

    def ask(self, *command: str, check: bool = True) -> str | None:
        """Standard output of one of SLURM's commands; None where it fails and `check` is off."""
        environment = {**os.environ, **self.environment}
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        if found.returncode and check:
            raise RuntimeError(f"{' '.join(command)} failed: {found.stdout}{found.stderr}\n{self._logs()}")
        return None if found.returncode else found.stdout

    def node_state(self) -> str:
        return (self.ask("sinfo", "--noheader", "--format=%T", check=False) or "").strip()

    def jobs(self) -> list[dict[str, str]]:
        """Every job that the controller knows, by submission: id, state, comment, restarts, TRES and so on."""
        text = self.ask("scontrol", "--oneliner", "show", "job", check=False) or ""
        lines = [line for line in text.splitlines() if line.startswith("JobId=")]
        found = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]
        return sorted(found, key=lambda job: int(job["JobId"]))

    def accounted(self, fields: str = "JobIDRaw,State,ExitCode,AllocTRES,Comment,ReqMem") -> list[dict[str, str]]:
        """The same from the accounting database, which also remembers every run of a requeued job."""
        text = self.ask("sacct", "--allocations", "--duplicates", "--noheader", "--parsable2", f"--format={fields}")
        return [dict(zip(fields.split(","), line.split("|"), strict=True)) for line in text.splitlines()]

    def processes(self, *words: str) -> list[int]:
        """Processes that carry this cluster's SLURM_CONF, daemons left out, with all `words` on their command line."""
        found, daemons = [], {int(path.read_text()) for path in self.folder.glob("*.pid")}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"SLURM_CONF={self.folder / 'slurm.conf'}\0".encode() in (path / "environ").read_bytes()
                line = (path / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if ours and int(path.name) not in daemons and all(word in line for word in words):
                found.append(int(path.name))
        return [pid for pid in found if pid != os.getpid()]

    # --- inside -------------------------------------------------------------------------------------------------

    def _configure(self) -> None:
        for name in ("bin", "ctld", "d", "db"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.ports = dict(zip(("db_port", "dbd_port", "ctld_port", "d_port"), free_ports(4), strict=True))
        found = subprocess.run(["slurmd", "-C"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        facts = dict(word.split("=") for word in found.split())
        sizes = {"memory": facts["RealMemory"], "cpus": max(2, int(facts["CPUs"])), "gpus": GPUS, "model": MODEL}
        values = {"folder": self.folder, "host": self.host, "partition": PARTITION, **sizes, **self.ports}
        (self.folder / "slurm.conf").write_text(SLURM_CONF.format(**values))
        (self.folder / "slurmdbd.conf").write_text(SLURMDBD_CONF.format(**values))
        (self.folder / "slurmdbd.conf").chmod(0o600)
        # Snakemake's plugin takes SLURM_CONF out of the environment in which it calls srun.
        srun = self.folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder / "slurm.conf"} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        cards = [self.folder / f"nvidia{i}" for i in range(GPUS)]
        for card in cards:
            subprocess.run(["mknod", str(card), "c", "1", "3"], check=True)  # the null device
        lines = ["AutoDetect=off", *(f"Name=gpu Type={MODEL} File={card}" for card in cards)]
        (self.folder / "gres.conf").write_text("\n".join(lines) + "\n")

    def _daemon(self, name: str, *options: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "PYTHON"))}
        with open(self.folder / f"{name}.out", "ab") as out:
            process = subprocess.Popen(
                [shutil.which(name), *options],
                env={**environment, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                start_new_session=True,
            )
        (self.folder / f"{name}.pid").write_text(str(process.pid))
        _started[process.pid] = process

    def _wait(self, what: str, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Ask until it is so; raises RuntimeError with the ends of all logs."""
        try:
            wait_for(what, ready, seconds, every=0.2)
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self._logs()}") from None

    def _logs(self) -> str:
        ends = []
        for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")]):
            ends += [f"--- {path.name}", *path.read_text(errors="replace").splitlines()[-8:]]
        return "\n".join(ends)


_started: dict[int, subprocess.Popen] = {}  # children, which stay zombies until they are waited for


def _alive(pid: int) -> bool:
    if pid in _started:
        return _started[pid].poll() is None
    return Path(f"/proc/{pid}").exists()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_for(what: str, ready: Callable[[], bool], seconds: float = 90, every: float = 0.5) -> None:
    """Ask `ready` until it says yes; raises TimeoutError naming `what`."""
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(every)


def free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def main() -> None:
    if reason := missing():
        raise SystemExit(reason)
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster = Cluster(folder)
    cluster.start()
    said = " ".join(f"{name}={value}" for name, value in cluster.environment.items())
    print(f"export {said}\naccount {ACCOUNT}, partition {PARTITION}, {GPUS} GPUs", flush=True)
    try:
        input("Enter stops it: ")
    finally:
        cluster.stop()
        if len(sys.argv) == 1:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
