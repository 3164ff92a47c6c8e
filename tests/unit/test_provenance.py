from latentlab import provenance


def names(script):
    return {path.rsplit("/", 1)[1].removesuffix(".py") for path in provenance.imported_modules(script)}


def test_imports_are_found_through_one_another(tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import torch\nfrom latentlab import training\nfrom latentlab.jobs import job\n")
    assert names(script) == {"training", "models", "objectives", "files", "errors", "jobs"}
    script.write_text("def f():\n    from latentlab.grids import axis\n")
    assert names(script) == {"grids"}


def test_the_commit_is_told():
    assert provenance.commit() == "unknown" or len(provenance.commit().rstrip("+")) == 10
