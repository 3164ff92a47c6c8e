"""Mistakes in templates are found before anything is trained, and end in one sentence with file and line."""

import shutil
from types import NoneType, SimpleNamespace
from typing import get_args

import planted
import pytest
import yaml

from latentlab.records.assignment_file import NOTEBOOK_VARIABLES, PAGE_VARIABLES, RESERVED_NAMES, assignment_names
from latentlab.records.assignments import load_assignment
from latentlab.records.metrics import LayerSummary, Method
from latentlab.records.settings import ModelSettings
from latentlab.report import render
from latentlab.report.template_check import REQUIRED_SETTINGS, check_templates, type_hints
from latentlab.report.templates import render_template
from latentlab.runtime.errors import UserError

CONFIG = yaml.safe_load((planted.ROOT / "config.yaml").read_text(encoding="utf-8"))
ASSIGNMENT = {
    "title": "T",
    "dataset": "MNIST",
    "sections": ["1 What", "2.1 Why"],
    "models": {
        "ae": {"config": "lab8-ae", "label": "AE"},
        "vae": {"config": "lab8-vae", "label": "VAE"},
        "cvae": {"config": "summary-cvae", "label": "CVAE"},
        "best": {"config": "best-cvae", "label": "larger CVAE"},
        "few": {"config": "lab8-vae", "label": "VAE", "metrics": ["plane.json"]},
    },
    "sweeps": {"sweep": {"config": "lab8-vae", "label": "VAE"}},
    "pca_comparisons": {"flat": {"config": "linear-ae", "label": "linear"}},
    "figures": {
        "vae_map": {"plot": "decoder_map", "models": ["vae"], "width": 50},
        "confusion": {"plot": "confusion", "models": ["cvae"], "width": 50},
    },
}
PAGE = """{% extends "base.html.j2" %}
{% from "base.html.j2" import figure, section with context %}
{% from "phrases.html.j2" import by_order, largest as most %}
{% block discussion %}
{% call section("1") %}
TEXT
{% endcall %}
{% endblock %}
"""
LINE = 6  # of TEXT


@pytest.fixture
def folder(tmp_path):
    """A folder of templates with the shared ones and the assignment "mine", which has no page yet."""
    folder = tmp_path / "templates"
    (folder / "mine").mkdir(parents=True)
    for path in planted.TEMPLATES.glob("*.*"):
        shutil.copy(path, folder)
    (folder / "mine/assignment.yaml").write_text(yaml.safe_dump(ASSIGNMENT, sort_keys=False))
    return folder


def check(folder):
    check_templates(folder, [load_assignment(folder, "mine", CONFIG)])


def mistake(folder):
    """The sentence with which the assignment is refused."""
    with pytest.raises(UserError) as error:
        check(folder)
    message = str(error.value)
    assert "\n" not in message and len(message) < 500
    return message


def write_page(folder, text):
    (folder / "mine/page.html.j2").write_text(PAGE.replace("TEXT", text), encoding="utf-8")


# --- all that is right ------------------------------------------------------------------------------------------------


def test_the_templates_of_the_repository_have_no_mistake():
    assignments = [load_assignment(planted.TEMPLATES, name, CONFIG) for name in assignment_names(planted.TEMPLATES)]
    assert len(assignments) == 6
    check_templates(planted.TEMPLATES, assignments)


@pytest.mark.parametrize(
    "text",
    [
        '{{ vae.test.kl | number(2) }} {{ vae["test"]["kl"] }} {{ few.plane.grid.precision }} {{ flat.error[0] }}',
        "{{ vae.latents.std[0] }} {{ vae.latents.std[:1] | max }} {{ sweep.kl.mean.index(3.0) }}",
        "{{ cvae.classifier.methods.quadrature.ece }} {{ cvae.classifier.methods[cvae.classifier.best].nll }}",
        "{% for name, method in cvae.classifier.methods.items() %}{{ name }} {{ method.anything }}{% endfor %}",
        "{% for a, b, share in vae.latents.overlaps[:2] %}{{ loop.index }} {{ a }} {{ share | percent }}{% endfor %}",
        "{% for layer in vae.layers if layer.part == 'encoder' %}{{ layer.kernel_size }}{% endfor %}",
        "{% for key in ('kl', 'ink_error') %}{{ vae.test[key] }} {{ vae.latents[key].foo }}{% endfor %}",
        "{% set grid = vae.plane.grid %}{{ grid.precision }}"
        "{% set d, at = sweep.dims, 0 %}{{ d[at] }} {{ d.count(2) }}",
        "{% set x = vae.test %}{% set x = vae.plane %}{{ x.grid }} {{ x.kl }}",
        "{% set y = y | default(1) %}{{ y.real }} {% set z = z %}",
        "{% macro row(vae) %}{{ vae.anything }}{% endmacro %}{{ row({'anything': 1}) }}",
        "{% with part = vae.test %}{{ part.kl }}{% endwith %} {{ vae.settings.normalised_likelihood }}",
        "{% set best_part = namespace(name='kl') %}{{ vae.test[best_part.name] }} {{ range(3) | list }}",
        "{{ vae.plan is defined }} {{ vae.test.kll | default('–') }} {{ other is defined }}",
        "{% if other is defined %}{{ other.thing }}{% endif %}",
        "{% if ae.test.kl is defined %}{{ ae.test.kl | number }}{% endif %}",
        "{{ ae.test.kl if ae.settings.family == 'vae' else 0 }} {{ best.plane is defined and best.plane.grid }}",
        "{% for model in models.values() %}{{ model.test.anything }}{% endfor %} {{ models.vae.test.kl }}",
        '{{ figure("vae_map", "alt", "caption") }} {{ figure(name="confusion", alt="", caption="") }}',
        '{% set name = "x" %}{{ figure(name, "alt", "caption") }} {{ most(vae.plane.grid.class_share, page.classes) }}',
        "{{ page.title }} {{ provenance.commit }} {{ synthetic }} {{ self.figures() }} {{ caller }}",
        '{% include "other.html.j2" ignore missing %}{% include ["other.html.j2", "phrases.html.j2"] %}',
        '{% import "phrases.html.j2" as phrases %}{{ phrases.by_order(1, 2, 0, "a", "b", "c") }}',
    ],
)
def test_what_may_be_right_is_not_refused(folder, text):
    write_page(folder, text)
    check(folder)


def test_a_figure_that_is_declared_need_not_be_shown(folder):
    write_page(folder, "")
    check(folder)


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_folder_without_a_page_is_refused(folder):
    assert mistake(folder) == (
        "templates/mine: there is an assignment.yaml but no page.html.j2, the text of the report; write one, beginning "
        "with a copy of another assignment's"
    )


def test_a_template_in_another_encoding_is_refused(folder):
    (folder / "mine/page.html.j2").write_bytes("Übung".encode("latin-1"))
    assert mistake(folder) == "templates/mine/page.html.j2: not UTF-8 text; save it as UTF-8"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            '{% include "part.html.j2" %}',
            "there is no template 'part.html.j2' in templates/mine or templates; did you mean parts.html.j2?",
        ),
        (
            '{% from "phrase.html.j2" import by_order %}',
            "there is no template 'phrase.html.j2' in templates/mine or templates; did you mean phrases.html.j2?",
        ),
        (
            '{% include ["x", "y"] %}',
            "there is no template 'x' in templates/mine or templates",
        ),
        (
            '{% from "phrases.html.j2" import by_ordr %}',
            "templates/phrases.html.j2 does not define by_ordr; did you mean by_order?",
        ),
    ],
)
def test_what_a_template_includes_or_imports_has_to_exist(folder, statement, sentence):
    (folder / "mine/parts.html.j2").write_text("")
    write_page(folder, statement)
    assert mistake(folder) == f"templates/mine/page.html.j2, line {LINE}: {sentence}"


def test_the_file_that_is_named_is_the_one_with_the_mistake(folder):
    write_page(folder, '{% include "part.html.j2" %}')
    part = folder / "mine/part.html.j2"
    part.write_text("\n{{ vae.test.kll }}")
    assert mistake(folder).startswith("templates/mine/part.html.j2, line 2: vae.test.kll is not measured")
    part.write_text("{% if %}")
    assert mistake(folder).startswith("templates/mine/part.html.j2, line 1: not a valid template")
    part.write_text("")
    shared = folder / "phrases.html.j2"
    text = shared.read_text(encoding="utf-8")
    shared.write_text(text.replace("| percent", "| precent", 1), encoding="utf-8")
    line = text[: text.index("| percent")].count("\n") + 1
    assert mistake(folder) == (
        f"templates/phrases.html.j2, line {line}: there is no filter 'precent'; did you mean percent?"
    )


def test_names_that_an_included_template_defines_or_uses_are_known(folder):
    write_page(folder, '{% set grid = vae.plane.grid %}{% include "part.html.j2" %}')
    (folder / "mine/part.html.j2").write_text("{{ grid.precision }}")
    check(folder)
    (folder / "mine/part.html.j2").write_text("{{ grid.precisoin }}")
    assert "part.html.j2, line 1: grid.precisoin is not measured; did you mean grid.precision?" in mistake(folder)


# --- syntax -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (
            "{% call section('2.1') %}\n",
            LINE + 3,
            "not a valid template (Encountered unknown tag 'endblock'; You probably made a nesting mistake; Jinja is "
            "expecting this tag, but currently looking for 'endcall'; The innermost block that needs to be closed is "
            "'call')",
        ),
        ("{{ vae.test.kl", LINE + 1, "not a valid template (expected token 'end of print statement', got '{')"),
        ("\n{% endfor %}", LINE + 1, "not a valid template (Encountered unknown tag 'endfor'"),
        ("\n{{ 1 | numbr }}", LINE + 1, "there is no filter 'numbr'; did you mean number?"),
        ("{% if false %}{{ 1 | numbr }}{% endif %}", LINE, "there is no filter 'numbr'; did you mean number?"),
        ("{{ 1 is definde }}", LINE, "there is no test 'definde'; did you mean defined?"),
        ("{% block discussion %}{% endblock %}", 4, "there is a block 'discussion' above; join the two"),
    ],
)
def test_a_mistake_in_the_syntax_is_one_sentence_with_its_line(folder, text, line, sentence):
    write_page(folder, text)
    assert mistake(folder).startswith(f"templates/mine/page.html.j2, line {line}: {sentence}")


# --- metrics ----------------------------------------------------------------------------------------------------------

METRICS = {
    "{{ vae.test.kll | number }}": "vae.test.kll is not measured; did you mean vae.test.kl?",
    '{{ vae["test"]["kll"] }}': "vae.test.kll is not measured; did you mean vae.test.kl?",
    "{{ vae.tests.kl }}": "vae.tests is not measured; did you mean vae.test?",
    "{{ vae.planes.grid }}": "vae.planes is not measured; did you mean vae.plane?",
    "{% if vae.test.kl > 1 %}{{ vae.test.kll }}{% endif %}": "vae.test.kll is not measured; did you mean vae.test.kl?",
    "{{ vae.test.kl.mean }}": "vae.test.kl.mean is not measured",
    "{{ vae.latents.std.mean }}": (
        "vae.latents.std.mean is not measured; the items of vae.latents.std are numbered: vae.latents.std[0]"
    ),
    "{{ vae.settings.epoch }}": "vae.settings.epoch is not measured; did you mean vae.settings.epochs?",
    "{{ vae.training.xyz }}": "vae.training.xyz is not measured; vae.training has best_epoch, converged_epoch",
    "{{ sweep.squared_error.means[0] }}": (
        "sweep.squared_error.means is not measured; did you mean sweep.squared_error.mean?"
    ),
    "{{ flat.errors }}": "flat.errors is not measured; did you mean flat.error?",
    "{{ cvae.classifier.methods.exact.ece }}": (
        "cvae.classifier.methods.exact is not measured; cvae.classifier.methods has elbo, importance_weighted, "
        "quadrature"
    ),
    "{{ cvae.classifier.methods[cvae.classifier.best].acuracy }}": (
        "cvae.classifier.methods[…].acuracy is not measured; did you mean cvae.classifier.methods[…].accuracy?"
    ),
    "{{ cvae.classifier.mistakes[0].lable }}": (
        "cvae.classifier.mistakes[0].lable is not measured; did you mean cvae.classifier.mistakes[0].label?"
    ),
    "{{ cvae.baselines.svm.ece }}": "cvae.baselines.svm is not measured; cvae.baselines has dataset, data, neighbours",
    "{% set grid = vae.plane.grid %}{{ grid.precison }}": "grid.precison is not measured; did you mean grid.precision?",
    "{% set t, p = vae.test, vae.plane %}{{ p.grids }}": "p.grids is not measured; did you mean p.grid?",
    "{% set t = vae.test %}{% set u = t %}{{ u.kll }}": "u.kll is not measured; did you mean u.kl?",
    "{% with l = vae.likelihood %}{{ l.gaps }}{% endwith %}": "l.gaps is not measured; did you mean l.gap?",
    "{% for layer in vae.layers %}{{ layer.kernel }}{% endfor %}": (
        "layer.kernel is not measured; did you mean layer.kernel_size?"
    ),
    "{% for a, b, c in vae.latents.overlaps %}{{ c.share }}{% endfor %}": "c.share is not measured",
    "{{ vea.test.kl }}": "vea is not defined; did you mean vae?",
    "{{ plane }}": "plane is not defined",
    "{{ ae.test.kl | number }}": "ae.test.kl is measured only with family: vae or exact, which lab8-ae does not have",
    "{{ cvae.classifier.methods.elbo.ece }}": (
        "cvae.classifier.methods.elbo is measured only with latent_dim: 3 or more, which summary-cvae does not have"
    ),
    "{{ ae.likelihood.gap }}": "ae.likelihood is measured only with family: vae or exact, which lab8-ae does not have",
    "{{ best.likelihood.gap }}": (
        "best.likelihood.gap is measured only with family: vae and latent_dim: 1 or 2, which best-cvae does not have"
    ),
    "{{ best.latents.overlaps }}": (
        "best.latents.overlaps is measured only with latent_dim: 2, which best-cvae does not have"
    ),
    "{{ vae.failures.share.unrealistic }}": (
        "vae.failures is not measured for this page; name failures.json among the metrics of models.vae in "
        "assignment.yaml"
    ),
    "{{ few.test.kl }}": (
        "few.test is not measured for this page; name metrics.json among the metrics of models.few in assignment.yaml"
    ),
    "{{ sweep.plane }}": "sweep.plane is not measured; sweep has model, settings, dims",
}


@pytest.mark.parametrize("text", METRICS)
def test_a_metric_that_is_not_measured_is_named_with_its_line(folder, text):
    write_page(folder, text)
    assert mistake(folder).startswith(f"templates/mine/page.html.j2, line {LINE}: {METRICS[text]}")


def test_the_line_is_that_of_the_metric_and_not_of_its_statement(folder):
    write_page(folder, "{{ vae.test.kl +\n   vae.test.reconstruction +\n   vae.test.klll }}")
    assert mistake(folder).startswith(f"templates/mine/page.html.j2, line {LINE + 2}: vae.test.klll")


def test_each_required_setting_is_that_of_an_optional_metric():
    required = {
        (record, field) for record, fields in REQUIRED_SETTINGS.items() if record is not dict for field in fields
    }
    optional = {
        (record, field)
        for record in REQUIRED_SETTINGS
        if record is not dict  # of methods, which a classifier has or has not
        for field, hint in type_hints(record).items()
        if NoneType in get_args(hint)
    }
    assert required == optional and LayerSummary not in REQUIRED_SETTINGS
    assert set(REQUIRED_SETTINGS[dict]) == set(get_args(Method))


# --- figures and sections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{{ figure("vae_mpa", "", "") }}', "there is no figure 'vae_mpa' in assignment.yaml; did you mean 'vae_map'?"),
        ('{{ figure(name="x", alt="") }}', "there is no figure 'x' in assignment.yaml; its figures are vae_map, confu"),
        ('<img src="{{ image("vae_mpa") }}">', "there is no figure 'vae_mpa' in assignment.yaml; did you mean 'vae_m"),
        ('{% call section("2") %}{% endcall %}', "there is no section '2' in assignment.yaml; its sections are 1, 2.1"),
        ("{% call section(1) %}{% endcall %}", "there is no section 1 in assignment.yaml; did you mean '1'?"),
        (
            '{% from "base.html.j2" import figure as picture with context %}{{ picture("vae", "", "") }}',
            "there is no figure 'vae' in assignment.yaml; did you mean 'vae_map'?",
        ),
    ],
)
def test_a_figure_or_section_that_is_not_declared_is_named(folder, text, sentence):
    write_page(folder, text)
    assert mistake(folder).startswith(f"templates/mine/page.html.j2, line {LINE}: {sentence}")


def test_a_macro_of_the_pages_own_is_not_taken_for_the_bases(folder):
    page = PAGE.replace("import figure, section", "import section")
    page = page.replace("{% block", "{% macro figure(name) %}{{ name }}{% endmacro %}\n{% block", 1)
    (folder / "mine/page.html.j2").write_text(page.replace("TEXT", '{{ figure("x") }}'))
    check(folder)


# --- notebooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{{ vae.test.kll }}", "vae.test.kll is not measured; did you mean vae.test.kl?"),
        ("{{ vae.test.kl | numbr }}", "there is no filter 'numbr'; did you mean number?"),
        ("{% if %}", "not a valid template (Expected an expression, got 'end of statement block')"),
        ("{% include 'x' %}", "there is no template 'x' in templates/mine or templates"),
        ("{{ replaced }}", "replaced is not defined"),
        ('{{ figure("vae_mpa", "") }}', "there is no figure 'vae_mpa' in assignment.yaml; did you mean 'vae_map'?"),
        ('{{ cell("modle") }}', "there is no cell 'modle' in templates/mine/my notes.py; did you mean 'model'?"),
        ('{{ cell("data") }}', "cell 'data' is not in the order of templates/mine/my notes.py; 'model' is next"),
        (
            '{% if vae.test.kl > 1 %}{{ cell("model") }}{% endif %}',
            "cell 'model' is placed under a condition; place it outside",
        ),
        (
            '{% call answer("1") %}{{ cell("model") }}{% endcall %}',
            "cell 'model' is placed in an answer, which a student's own may replace; place it outside",
        ),
    ],
)
def test_a_mistake_in_a_notebook_is_one_sentence_with_its_line(folder, line, sentence):
    write_page(folder, "")
    notebook = folder / "mine/my notes.md.j2"
    (folder / "mine/my notes.py").write_text("# %% data\nx = 1\n\n# %% model\ny = x\n")
    start = '# {{ page.title }}\n\n{{ cell("data") }}\n\n\n'
    notebook.write_text(start + line)
    assert mistake(folder) == f"templates/mine/my notes.md.j2, line 6: {sentence}"
    notebook.write_text(
        start + '{% call answer("1") %}{{ vae.test.kl }}{% endcall %} {{ cell("model") }} {{ synthetic }}'
    )
    check(folder)


def test_every_cell_of_a_notebook_has_to_be_placed(folder):
    write_page(folder, "")
    (folder / "mine/notes.md.j2").write_text('{{ cell("data") }}')
    (folder / "mine/notes.py").write_text("# %% data\n\n# %% model\n")
    assert mistake(folder) == (
        "templates/mine/notes.md.j2: cell 'model' of templates/mine/notes.py is placed nowhere; write "
        "{{ cell('model') }}"
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = 1\n", "templates/mine/notes.py, line 1: a notebook's code begins with the first cell; begin it with"),
        (
            "x = 1\n# %% data\n",
            "templates/mine/notes.py, line 1: a notebook's code begins with the first cell; begin it",
        ),
        ("# %% data\n\n# %%\n", "templates/mine/notes.py, line 3: a cell has no name; write one word after # %%"),
        ("# %% data\n# %% data\n", "templates/mine/notes.py, line 2: there is a cell 'data' above; rename one of them"),
        (None, "notes.py: a notebook's text, notes.md.j2, needs its code beside it; write that file"),
        ("# é".encode("latin-1"), "notes.py: not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_mistake_in_the_code_of_a_notebook_is_one_sentence(folder, code, sentence):
    write_page(folder, "")
    (folder / "mine/notes.md.j2").write_text('{{ cell("data") }}')
    if code:
        (folder / "mine/notes.py").write_bytes(code if isinstance(code, bytes) else code.encode())
    assert sentence in mistake(folder)


# --- when a page is made ----------------------------------------------------------------------------------------------


def test_the_variables_that_are_known_are_those_that_pages_have(tmp_path, monkeypatch):
    contexts = []
    monkeypatch.setattr(render, "render_template", lambda template, context: contexts.append(context) or "")
    planted.html("lab8", tmp_path)
    assert contexts[0].keys() - planted.load("lab8").entries.keys() == PAGE_VARIABLES
    assert RESERVED_NAMES == PAGE_VARIABLES | NOTEBOOK_VARIABLES


@pytest.fixture
def ae():
    """The metrics of an autoencoder, which has no KL term."""
    record = planted.model(ModelSettings(family="autoencoder"))["metrics.json"]
    return SimpleNamespace(test=record.test, likelihood=record.likelihood)


@pytest.mark.parametrize(
    "expression",
    [
        "ae.test.kl",
        "ae.test.kl | number",
        "ae.test.kl | percent(1)",
        "ae.test.kl | abs",
        "ae.test.kl | round",
        "ae.test.kl | round(2)",
        "ae.test.kl | int",
        "'%.2f' | format(ae.test.kl)",
        "range(ae.test.kl)",
        "ae.test.kl + 1",
        "ae.test.kl < 1",
        "-ae.test.kl",
        "[1, ae.test.kl] | max",
        "ae.test['kl']",
        "vae.test.kl",
        "by_order(ae.test.kl, 1, 0, 'above', 'like', 'below')",
    ],
)
def test_a_metric_that_a_model_lacks_ends_in_one_sentence_with_the_line_that_uses_it(folder, ae, expression):
    template = folder / "mine/page.html.j2"
    template.write_text(f'{{% from "phrases.html.j2" import by_order %}}\n\n{{{{ {expression} }}}}')
    with pytest.raises(UserError) as error:
        render_template(template, {"ae": ae})
    message = str(error.value)
    assert message.startswith(f"{template}, line 3: it uses a metric that was not measured (") and "\n" not in message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{ 1 / 0 }}", "it cannot be rendered (ZeroDivisionError: division by zero)"),
        ("{{ (1, 2).index(3) }}", "it cannot be rendered (ValueError: tuple.index(x): x not in tuple)"),
        ("{{ 'x' | number }}", "it cannot be rendered (ValueError: Unknown format code 'f' for object of type 'str')"),
        ("{{ 1 | numbr }}", "not a valid template (No filter named 'numbr')"),
        ("{% if %}", "not a valid template (Expected an expression, got 'end of statement block')"),
        ("{% include 'other' %}", "there is no template 'other' in its folder or the folder above"),
    ],
)
def test_any_mistake_ends_in_one_sentence_with_its_line(folder, text, sentence):
    template = folder / "mine/page.html.j2"
    template.write_text(f"\n\n{text}")
    with pytest.raises(UserError) as error:
        render_template(template, {})
    assert str(error.value) == f"{template}, line 3: {sentence}"


def test_a_mistake_outside_the_assignments_folder_is_shown_where_it_is(folder):
    template = folder / "mine/page.html.j2"
    (folder / "shared.html.j2").write_text("\n{{ 1 / 0 }}")
    template.write_text("{% extends 'shared.html.j2' %}")
    with pytest.raises(UserError) as error:
        render_template(template, {})
    assert str(error.value).endswith("line 2: it cannot be rendered (ZeroDivisionError: division by zero)")
    assert str(error.value).startswith(f"{folder}/shared.html.j2,")
