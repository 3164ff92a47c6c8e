"""The README's picture of the rules, in Mermaid: python docs/rulegraph.py

What a hand-in's figures are drawn by is one rule here, and arrows that follow from others are left out."""

import re
import subprocess
import sys
from pathlib import Path

import networkx

ROOT = Path(__file__).parents[1]


def picture():
    drawn = subprocess.run(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--rulegraph",
            "mermaid-js",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    names = dict(re.findall(r"(id\d+)\[(\S+)\]", drawn))
    names = {number: re.sub("^plot_.*", "plot_HANDIN", name) for number, name in names.items()}
    arrows = networkx.DiGraph((names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", drawn))
    kept = sorted(networkx.transitive_reduction(arrows).edges)
    return "\n".join(["```mermaid", "flowchart LR", *(f"    {a} --> {b}" for a, b in kept), "```", ""])


if __name__ == "__main__":
    print(picture(), end="")
