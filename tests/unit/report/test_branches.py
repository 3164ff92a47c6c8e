"""Every branch of every page is taken both ways by the claims in test_pages.py."""

import jinja2
import planted
import pytest
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from test_pages import CLAIMS

from latentlab.report import render, templates

COMPARISONS = {"by_order", "by_interval"}  # macros whose words depend on a comparison: each call is a branch


class Recorder(NodeTransformer):
    """Makes each condition of a template, and each call of a comparison, report what it gave."""

    def __init__(self, template, environment):
        self.template, self.environment, self.branches = template, environment, []

    def record(self, node):
        branch = f"{self.template}, line {node.lineno}, branch {len(self.branches)}"
        self.branches.append(branch)
        recorded = nodes.Filter(node, "record", [nodes.Const(branch)], [], None, None, lineno=node.lineno)
        return recorded.set_environment(self.environment)

    def visit_If(self, node):
        self.generic_visit(node)
        node.test = self.record(node.test)
        return node

    visit_CondExpr = visit_If

    def visit_Call(self, node):
        self.generic_visit(node)
        return self.record(node) if getattr(node.node, "name", None) in COMPARISONS else node


@pytest.fixture
def outcomes(monkeypatch):
    """Branch → what it gave so far, of all pages that are rendered."""
    seen = {}

    class Environment(templates._Environment):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.filters["record"] = self.record

        def record(self, value, branch):
            seen[branch].add(str(value).strip() if isinstance(value, str) else bool(value))
            return value

        def _parse(self, source, name, filename):
            template = super()._parse(source, name, filename)
            if name == "page.html.j2":
                recorder = Recorder(filename.split("templates/")[1], self)
                template = recorder.visit(template)
                for branch in recorder.branches:
                    seen.setdefault(branch, set())
            return template

    monkeypatch.setattr(templates, "_Environment", Environment)
    monkeypatch.setattr(render, "font_faces", lambda html: "")
    return seen


@pytest.mark.parametrize("assignment", planted.ASSIGNMENTS)
def test_every_branch_of_a_page_is_taken_both_ways_by_a_claim(assignment, outcomes, tmp_path):
    for name, changes, _, opposite_changes, _ in CLAIMS:
        if name == assignment:
            for values in (changes, opposite_changes):
                planted.html(name, tmp_path, values)
    assert outcomes, "no branch was found"
    missed = [f"{branch}: only {', '.join(map(str, values))}" for branch, values in outcomes.items() if len(values) < 2]
    assert not missed, "\n".join(missed)


def test_a_branch_that_is_taken_one_way_is_noticed(outcomes, tmp_path):
    planted.html("lab8", tmp_path)
    assert any(len(values) == 1 for values in outcomes.values())
    assert isinstance(next(iter(outcomes)), str) and jinja2
