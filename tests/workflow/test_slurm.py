"""The smoke pipeline through a Slurm of its own on this one machine: a job is cancelled and a node lost on the way."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import copy_source

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not shutil.which("slurmctld"), reason="needs Debian's slurmctld, slurmd, slurm-client and munge"
    ),
]
NODES, PORT = 4, 17001
CONF = """
ClusterName=throwaway
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdTimeout=20
KillWait=2
JobRequeue=0
MinJobAge=600
DefMemPerCPU=500
{nodes}
PartitionName=all Nodes=n[1-{count}] Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """The daemons, in the foreground: each is ended by its own process."""

    def __init__(self, folder):
        self.folder, self.daemons = folder, {}
        host, user = os.uname().nodename.split(".")[0], subprocess.check_output(["id", "-un"], text=True).strip()
        nodes = "\n".join(
            f"NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={PORT + i} CPUs=1 RealMemory=4000"
            for i in range(1, NODES + 1)
        )
        conf = folder / "slurm.conf"
        conf.write_text(CONF.format(host=host, user=user, folder=folder, port=PORT, nodes=nodes, count=NODES))
        (folder / "state").mkdir()
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o400)
        for i in range(1, NODES + 1):
            (folder / f"n{i}").mkdir()
        # a job's step forgets SLURM_CONF: an srun before the real one on PATH sets it again
        (folder / "bin").mkdir()
        srun = folder / "bin/srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        self.environment = os.environ | {"SLURM_CONF": str(conf), "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def start(self, name, *command):
        log = (self.folder / f"{name}.out").open("w")
        self.daemons[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def __enter__(self):
        at = self.folder
        munged = ["--socket", f"{at}/munge.socket", "--key-file", f"{at}/munge.key", "--pid-file", f"{at}/munge.pid"]
        munged += ["--log-file", f"{at}/munge.log", "--seed-file", f"{at}/munge.seed", "--foreground", "--force"]
        self.start("munged", shutil.which("munged") or "/usr/sbin/munged", *munged)
        self.start("slurmctld", "/usr/sbin/slurmctld", "-D")
        for i in range(1, NODES + 1):
            self.start(f"n{i}", "/usr/sbin/slurmd", "-D", "-N", f"n{i}")
        wait_for(lambda: self.ask("sinfo", "-h", "-o", "%T %D").strip() == f"idle {NODES}", 60, self.ask("sinfo"))
        return self

    def __exit__(self, *_):
        for process in reversed(self.daemons.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.daemons.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()

    def ask(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout + done.stderr

    def running(self):
        """Job number and node of the jobs that are at work."""
        return [line.split() for line in self.ask("squeue", "-h", "-t", "R", "-o", "%i %N").splitlines()]


def wait_for(holds, seconds, otherwise=""):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.2)


def test_a_lost_node_and_a_cancelled_job_change_nothing(project, tmp_path):
    remote = copy_source(tmp_path / "remote")
    (tmp_path / "slurm").mkdir()
    with Slurm(tmp_path / "slurm") as slurm:
        words = ["-m", "snakemake", "--workflow-profile", "profiles/slurm", "--directory", "results/smoke"]
        words += ["--configfile", "profiles/smoke/settings.yaml", "--slurm-init-seconds-before-status-checks", "3"]
        environment = slurm.environment | {"PYTHONPATH": str(remote.root / "workflow")}
        log = (tmp_path / "run.log").open("w")
        start = [sys.executable, *words]
        options = {"cwd": remote.root, "env": environment, "stdout": log, "stderr": log}
        # killed with jobs in the queue: the same command cancels them and goes on
        run = subprocess.Popen(start, **options)
        wait_for(slurm.running, 90, "nothing was submitted")
        run.kill()
        run.wait()
        orphans = {job for job, _ in slurm.running()}
        assert orphans
        run = subprocess.Popen(start, **options)
        wait_for(lambda: orphans.isdisjoint(job for job, _ in slurm.running()), 60, "orphans go on")
        wait_for(lambda: len(list(remote.made.rglob("weights.safetensors"))) > 2 and slurm.running(), 180)
        cancelled, _ = slurm.running()[0]
        slurm.ask("scancel", cancelled)
        wait_for(lambda: len(list(remote.made.rglob("codes.npz"))) > 2 and slurm.running(), 240)
        lost = slurm.running()[0][1]
        slurm.ask("scontrol", "update", f"nodename={lost}", "state=down", "reason=lost")
        assert run.wait(1200) == 0, (tmp_path / "run.log").read_text()[-4000:]
        states = slurm.ask("scontrol", "--oneliner", "show", "job")
    found = set(re.findall(r"JobState=(\w+)", states))
    assert {"CANCELLED", "NODE_FAIL", "COMPLETED"} <= found, found
    assert remote.hashes() == project.hashes()
