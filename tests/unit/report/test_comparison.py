"""What differs between what was handed in and what it makes again is named."""

import base64
import json
import zipfile

import planted
import pytest

from latentlab.records.provenance import Provenance
from latentlab.report.comparison import Comparison, are_same_number
from latentlab.report.fonts import data_uri
from latentlab.report.handed_in import read_handed_in
from latentlab.report.pdf import print_pdf
from latentlab.report.rebuild import conclusion

METRICS = {"test": {"kl": 6.7, "negative_elbo": 266.0}, "layers": [1, 2]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The members of a report of lab8 as they were made: name → path."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "lab8.html").write_text(planted.html("lab8", folder))
    provenance = planted.provenance(planted.metrics(planted.load("lab8"), folder))
    (folder / "config.yaml").write_text("assignment: lab8\n")
    provenance.write(folder / "provenance.json")
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    attachments = {name: folder / name for name in ("config.yaml", "provenance.json")}
    print_pdf(folder / "lab8.html", folder / "lab8.pdf", attachments)
    return {name: folder / name for name in ("lab8.pdf", "lab8.html", *attachments)} | {
        "metrics/vae/metrics.json": folder / "metrics.json"
    }


def altered_report(made, folder, old, new, count=-1):
    """The PDF of the report with `new` in place of `old`, wherever that is in its page or at most `count` times."""
    html = made["lab8.html"].read_text()
    assert old in html
    (folder / "page.html").write_text(html.replace(old, new, count))
    print_pdf(
        folder / "page.html", folder / "lab8.pdf", {name: made[name] for name in ("config.yaml", "provenance.json")}
    )
    return folder / "lab8.pdf"


def archive(made, folder, **changes):
    """An archive of the report: name with "_" in place of "." and "/" → other contents, or None to leave it out."""
    with zipfile.ZipFile(folder / "lab8.zip", "w") as file:
        for name, path in made.items():
            content = changes.get(name.replace("/", "_").replace(".", "_"), path.read_bytes())
            if content is not None:
                file.writestr(name, content)
    return folder / "lab8.zip"


def compare(path, made):
    return Comparison(read_handed_in(path), made, Provenance.read(made["provenance.json"]))


def differences(path, made):
    return compare(path, made).differences()


def test_an_honest_report_and_an_honest_archive_are_the_same(made, tmp_path):
    for path in (made["lab8.pdf"], archive(made, tmp_path)):
        comparison = compare(path, made)
        assert comparison.differences() == []
        assert conclusion(comparison) == "made again: the same bytes"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("62\u202f%", "95\u202f%", "“95\u202f%” was handed in, “62\u202f%” made"),
        ("Ada Example", "Bob Other", "“Bob Other” was handed in, “Ada Example” made"),
        ("All 10 classes", "Remarkably, all 10 classes", "“Remarkably, all” was handed in, “All” made"),
        ("less often", "more often", "“more” was handed in, “less” made"),
    ],
)
def test_altered_words_and_numbers_are_named(made, tmp_path, old, new, sentence):
    found = differences(altered_report(made, tmp_path, old, new), made)
    assert any(sentence in each for each in found), found


def test_what_no_reader_sees_is_not_said_to_be_the_same(made, tmp_path):
    (sentence,) = differences(altered_report(made, tmp_path, "</title>", " II</title>"), made)
    assert sentence.startswith("page: its bytes differ, but no word, number or figure")


def test_an_altered_text_of_a_figure_is_named(made, tmp_path):
    (sentence,) = differences(altered_report(made, tmp_path, 'alt="Grid', 'alt="A better grid'), made)
    assert sentence.startswith("figure “Grid") and sentence.endswith("another text for those who do not see it")


def test_an_exchanged_figure_is_named(made, tmp_path):
    html = made["lab8.html"].read_text()
    picture = html.split('<img src="')[1].split('"')[0]
    svg = base64.b64decode(picture.partition(",")[2]).decode()
    black = data_uri(svg.replace("/>", '><rect width="999" height="999"/></svg>').encode(), "image/svg+xml")
    found = differences(altered_report(made, tmp_path, picture, black, 1), made)
    assert len(found) == 1 and found[0].startswith("figure “") and found[0].endswith("it looks different")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"metrics_vae_metrics_json": json.dumps(METRICS | {"test": {"kl": 5.7, "negative_elbo": 266.0}})},
            "metrics/vae/metrics.json: test kl: 5.7 was handed in, 6.7 made",
        ),
        (
            {"metrics_vae_metrics_json": json.dumps(METRICS | {"layers": [1]})},
            "metrics/vae/metrics.json: layers 1: None was handed in, 2 made",
        ),
        ({"metrics_vae_metrics_json": "{"}, "metrics/vae/metrics.json: damaged"),
        (
            {"metrics_vae_metrics_json": json.dumps({"layers": list(range(7))})},
            "metrics/vae/metrics.json: … and 5 more values",
        ),
    ],
)
def test_altered_metrics_are_named(made, tmp_path, changes, sentence):
    assert differences(archive(made, tmp_path, **changes), made)[-1] == sentence


def test_settings_that_were_added_are_named(made, tmp_path):
    changes = {"config_yaml": made["config.yaml"].read_text() + "data_dir: /etc\n"}
    assert differences(archive(made, tmp_path, **changes), made) == [
        "config.yaml: data_dir: /etc was handed in, None made"
    ]


def test_nothing_that_was_handed_in_controls_the_terminal(made, tmp_path):
    changes = {"metrics_vae_metrics_json": json.dumps(METRICS | {"layers": ["\x1b[31m", 2]})}
    (sentence,) = differences(archive(made, tmp_path, **changes), made)
    assert sentence == "metrics/vae/metrics.json: layers 0: �[31m was handed in, 1 made"


def test_members_that_are_missing_or_do_not_belong_there_are_named(made, tmp_path):
    other, missing = "metrics/vae/other.json", "metrics/vae/plane.json"
    with zipfile.ZipFile(archive(made, tmp_path), "a") as file:
        file.writestr(other, "{}")
    again = made | {missing: made["metrics/vae/metrics.json"]}
    assert differences(tmp_path / "lab8.zip", again) == [f"{other}: is no part of the report", f"{missing}: missing"]


def made_elsewhere(made, folder, old="AMX_BF16", new="AVX512_BF16", **metrics):
    """An archive of the report with `new` in place of `old` in its provenance, other weights, and other metrics."""
    provenance = made["provenance.json"].read_text().replace(old, new)
    weights = Provenance.read(made["provenance.json"]).weights.sha256
    changes = {
        "metrics_vae_metrics_json": json.dumps(METRICS | {"test": metrics or METRICS["test"]}),
        "provenance_json": provenance.replace(weights, "e" * 64),
    }
    pdf = altered_report(made, folder, weights[:8], "e" * 8)
    return archive(made, folder, lab8_pdf=pdf.read_bytes(), **changes)


def test_from_another_kind_of_processor_last_digits_may_differ(made, tmp_path):
    comparison = compare(made_elsewhere(made, tmp_path, kl=6.71, negative_elbo=266.1), made)
    assert comparison.other_processor and not comparison.other_commit
    assert comparison.differences() == [], comparison.differences()
    assert conclusion(comparison).endswith("the same up to last digits, as it comes from another kind of processor")
    (sentence,) = differences(made_elsewhere(made, tmp_path, kl=7.7, negative_elbo=266.1), made)
    assert sentence == "metrics/vae/metrics.json: test kl: 7.7 was handed in, 6.7 made"


def test_other_weights_from_the_same_kind_of_processor_are_named(made, tmp_path):
    found = differences(made_elsewhere(made, tmp_path, new="AMX_BF16"), made)
    assert any(sentence.startswith("provenance.json: weights sha256: eeee") for sentence in found)
    assert any("“eeeeeeee” was handed in" in sentence for sentence in found)


def test_from_another_commit_only_the_commit_may_differ(made, tmp_path):
    commit = Provenance.read(made["provenance.json"]).commit
    provenance = made["provenance.json"].read_text().replace(commit, "0123456789")
    pdf = altered_report(made, tmp_path, f"commit {commit}", "commit 0123456789")
    html = made["lab8.html"].read_text().replace(commit, "0123456789")
    changes = {"lab8_pdf": pdf.read_bytes(), "lab8_html": html, "provenance_json": provenance}
    comparison = compare(archive(made, tmp_path, **changes), made)
    assert comparison.differences() == []
    assert conclusion(comparison).endswith(f"the commit, which was 0123456789 and is {commit} here")
    changes["lab8_html"] = html.replace("less often", "more often")
    comparison = compare(archive(made, tmp_path, **changes), made)
    assert comparison.differences() == []
    assert conclusion(comparison).endswith("here; not compared, as their bytes differ: lab8.html")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("266.0", "266.2", True),
        ("266.0", "280.0", False),
        ("(62\u202f%)", "(63\u202f%)", True),
        ("62", "70", False),
        ("−0.12", "−0.13", True),
        ("12\u202f345", "12\u202f400", True),
        ("word", "other", False),
        ("62\u202f%", "62", False),
    ],
)
def test_which_numbers_are_the_same_up_to_last_digits(one, other, same):
    assert are_same_number(one, other) is same
