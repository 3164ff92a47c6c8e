"""Run `snakemake --lint`, and fail for any finding but one: rules name no conda environment or container, because all
of them run in the environment that uv.lock describes."""

import re
import subprocess
import sys

ACCEPTED = "Specify a conda environment or container for each rule."

command = [sys.executable, "-m", "snakemake", "--lint"]
process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
_, *rules = re.split(r"^(?=Lints for )", process.stdout, flags=re.MULTILINE)
findings = [rule for rule in rules if set(re.findall(r"^    \* (.*):$", rule, re.MULTILINE)) - {ACCEPTED}]
if findings or (process.returncode and not rules):
    sys.exit("".join(findings) or process.stdout)
