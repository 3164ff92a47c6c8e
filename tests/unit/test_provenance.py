from latentlab import provenance
from latentlab.data import NAMES
from latentlab.report import provenance_of


def names(script):
    return {path.rsplit("/", 1)[1].removesuffix(".py") for path in provenance.imported_modules(script)}


def test_imports_are_found_through_one_another(tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import torch\nfrom latentlab import training\nfrom latentlab.jobs import job\n")
    assert names(script) == {"training", "models", "objectives", "files", "errors", "jobs"}
    script = tmp_path / "other.py"
    script.write_text("def f():\n    from latentlab.grids import axis\n")
    assert names(script) == {"grids"}


def test_the_commit_is_told():
    assert provenance.commit() == "unknown" or len(provenance.commit().rstrip("+")) == 10


def test_equal_values_have_equal_digests_whatever_their_order():
    assert provenance.digest({"a": 1, "b": [2]}) == provenance.digest({"b": [2], "a": 1})
    assert provenance.digest({"a": 1}) != provenance.digest({"a": 2})


def test_the_page_s_provenance_names_configuration_data_and_weights():
    record = {"dataset": "MNIST", "source": "local", "training_size": None, "sha256": dict.fromkeys(NAMES, "ab")}
    found = provenance_of({"vae": {"seed": 3, "weights": "ff", "test": {"kl": 1}}}, [record], {"grid_samples": 21})
    assert found["models"] == {"vae": {"seed": 3, "weights": "ff"}} and found["clean"] in (True, False, None)
    other = provenance_of({"vae": {"seed": 3, "weights": "fe"}}, [record], {"grid_samples": 22})
    assert all(found[part]["sha256"] != other[part]["sha256"] for part in ("config", "weights"))
    assert found["data"] == other["data"]
