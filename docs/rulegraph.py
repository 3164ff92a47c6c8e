"""The graph of the rules in docs/workflow.md, in Mermaid: python docs/rulegraph.py

The rules that draw the figures of each assignment are shown as one, and arrows that follow from others are left out."""

import re
import subprocess
import sys
from pathlib import Path

import networkx

ROOT = Path(__file__).parents[1]


def rule_graph() -> str:
    """A fenced Mermaid block."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {
        number: re.sub("^plot_.*", "plot_ASSIGNMENT", name) for number, name in re.findall(r"(id\d+)\[(\S+)\]", output)
    }
    arrows = networkx.DiGraph((names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", output))
    needed = sorted(networkx.transitive_reduction(arrows).edges)
    return "\n".join(["```mermaid", "flowchart LR", *(f"    {a} --> {b}" for a, b in needed), "```", ""])


if __name__ == "__main__":
    print(rule_graph(), end="")
