from latentlab.runtime.cluster import find_orphans

JOB = "JobId={id} JobName=x JobState={state} WorkDir=/w StdOut={folder}/.snakemake/slurm_logs/rule_a/{id}.log"


def test_only_unfinished_jobs_of_this_directory_are_orphans(tmp_path):
    listing = [
        JOB.format(id=1, state="RUNNING", folder=tmp_path),
        JOB.format(id=2, state="PENDING", folder=tmp_path),
        JOB.format(id=3, state="COMPLETED", folder=tmp_path),
        JOB.format(id=4, state="RUNNING", folder=tmp_path / "elsewhere"),
        "No jobs in the system",
    ]
    assert find_orphans("\n".join(listing), tmp_path) == ["1", "2"]
    assert find_orphans("", tmp_path) == []
