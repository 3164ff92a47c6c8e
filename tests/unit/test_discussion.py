import pytest

from latentlab import discussion
from latentlab.errors import UserError

METRICS = {"vae": {"test": {"elbo": -1234.5678, "kl": 6.0}, "name": "x", "code": {"std": [1.5, 2.5]}}}


def html(tmp_path, text):
    (tmp_path / "mine.md").write_text(text, encoding="utf-8")
    return discussion.to_html(tmp_path / "mine.md", METRICS)


def test_figures_are_quoted_by_name(tmp_path):
    assert "<p>−1235 and 2.5, <em>x</em></p>" in html(
        tmp_path, "{{ vae.test.elbo }} and {{vae.code.std.1}}, *{{ vae.name }}*"
    )


def test_an_unknown_name_is_an_error_that_names_the_line(tmp_path):
    with pytest.raises(UserError, match=r"mine\.md, line 3: no figure is called 'vae\.test\.elbow'; did you mean"):
        html(tmp_path, "one\n\n{{ vae.test.elbow }}")


@pytest.mark.parametrize("attack", ["{{ 7 * 7 }}", "{{ vae.__class__ }}", "{{ config }}", "{{ ''.join([]) }}"])
def test_nothing_is_evaluated(tmp_path, attack):
    with pytest.raises(UserError, match="no figure is called"):
        html(tmp_path, attack)


def test_statements_and_html_stay_text(tmp_path):
    page = html(tmp_path, "{% include 'x' %} <script>alert(1)</script> <b>bold</b>")
    assert "<script" not in page and "<b>" not in page and "{% include" in page


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        discussion.read(tmp_path / "none.md")
    with pytest.raises(UserError, match="is a directory"):
        discussion.read(tmp_path)
    (tmp_path / "latin.md").write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        discussion.read(tmp_path / "latin.md")
