"""A class, and the smoke pipeline, on a Slurm cluster that the tests start on this machine; a job is cancelled and a
node is lost."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from projects import ROOT, copy_source, snakemake_command, snakemake_environment

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
OPTIONS = [
    *("--workflow-profile", str(ROOT / "profiles/slurm")),
    *("--configfile", str(ROOT / "profiles/smoke/settings.yaml")),
    *("--slurm-init-seconds-before-status-checks", "3"),
]


class Slurm:
    """The daemons of a cluster. They run in the foreground, so that each can be ended by its process."""

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
        # SLURM_CONF is not passed on to the steps of a job, so an srun ahead of the real one on PATH sets it again
        (folder / "bin").mkdir()
        srun = folder / "bin/srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        self.variables = {"SLURM_CONF": str(conf), "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def start(self, name, *command):
        log = (self.folder / f"{name}.out").open("w")
        self.daemons[name] = subprocess.Popen(command, env=os.environ | self.variables, stdout=log, stderr=log)

    def __enter__(self):
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={self.folder}/munge.{suffix}" for option, suffix in files.items()]
        self.start("munged", shutil.which("munged") or "/usr/sbin/munged", *options, "--foreground", "--force")
        self.start("slurmctld", "/usr/sbin/slurmctld", "-D")
        for i in range(1, NODES + 1):
            self.start(f"n{i}", "/usr/sbin/slurmd", "-D", "-N", f"n{i}")
        wait_until(
            lambda: self.query("sinfo", "-h", "-o", "%T %D").strip() == f"idle {NODES}", 60, "nodes are not idle"
        )
        return self

    def __exit__(self, *_):
        for process in reversed(self.daemons.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.daemons.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
        for command in Path("/proc").glob("[0-9]*/cmdline"):  # jobs of a lost node, which nothing else ends
            with contextlib.suppress(OSError):
                if str(self.folder.parent).encode() in command.read_bytes():
                    os.kill(int(command.parent.name), signal.SIGKILL)

    def query(self, *command):
        """The output of a command of Slurm."""
        process = subprocess.run(command, env=os.environ | self.variables, capture_output=True, text=True)
        return process.stdout + process.stderr

    def running(self):
        """Number and node of each running job."""
        return [line.split() for line in self.query("squeue", "-h", "-t", "R", "-o", "%i %N").splitlines()]


def wait_until(condition, seconds, problem):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, problem
        time.sleep(0.2)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A cluster, and beside its folder those of the tests: it ends what runs there."""
    folder = tmp_path_factory.mktemp("cluster") / "slurm"
    folder.mkdir()
    with Slurm(folder) as slurm:
        yield slurm


def test_the_reports_of_a_class_are_those_of_a_run_on_one_machine(project, slurm):
    folder = slurm.folder.with_name("class")
    folder.mkdir()
    (folder / "class.csv").write_text("id,name,assignment\na1,Ada Lovelace,lab8\n")
    command = [sys.executable, "-m", "latentlab.report.class_run", "class.csv", *OPTIONS]
    environment = snakemake_environment(ROOT, **slurm.variables)
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert "latentlab: made 1 of 1 reports" in process.stderr, process.stderr[-4000:]
    assert (folder / "results/class/students/a1/lab8.pdf").exists()
    models = next((folder / "results/class/shared").glob("*/results/models"))
    files = [path for path in models.rglob("*") if path.is_file()]
    assert len(files) > 30
    for path in files:
        assert (project.results / "models" / path.relative_to(models)).read_bytes() == path.read_bytes(), path


def test_a_lost_node_and_a_cancelled_job_change_nothing(project, slurm):
    remote = copy_source(slurm.folder.with_name("remote"))
    log = (remote.root / "run.log").open("w")

    def start():
        environment = snakemake_environment(remote.root, **slurm.variables)
        command = snakemake_command("--directory", "results/smoke", *OPTIONS)
        return subprocess.Popen(command, cwd=remote.root, env=environment, stdout=log, stderr=log)

    def has_results(name):
        """Whether jobs are running and have made several results of this name."""
        return len(list(remote.results.rglob(name))) > 2 and slurm.running()

    # The main process is killed while jobs are in the queue: the next run cancels them and continues.
    run = start()
    wait_until(slurm.running, 90, "nothing was submitted")
    run.kill()
    run.wait()
    orphans = {job for job, _ in slurm.running()}
    assert orphans
    run = start()
    wait_until(lambda: orphans.isdisjoint(job for job, _ in slurm.running()), 60, "the orphans still run")
    wait_until(lambda: has_results("weights.safetensors"), 180, "no model was trained")
    cancelled, _ = slurm.running()[0]
    slurm.query("scancel", cancelled)
    wait_until(lambda: has_results("codes.npz"), 240, "no model was evaluated")
    _, lost_node = slurm.running()[0]
    slurm.query("scontrol", "update", f"nodename={lost_node}", "state=down", "reason=lost")
    assert run.wait(1200) == 0, (remote.root / "run.log").read_text()[-4000:]
    jobs = slurm.query("scontrol", "--oneliner", "show", "job")
    states = set(re.findall(r"JobState=(\w+)", jobs))
    assert {"CANCELLED", "NODE_FAIL", "COMPLETED"} <= states, states
    assert remote.hashes() == project.hashes()
