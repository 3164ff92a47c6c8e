from latentlab import cluster

JOB = "JobId={id} JobName=x JobState={state} WorkDir=/w StdOut={folder}/.snakemake/slurm_logs/rule_a/{id}.log"


def test_only_this_directory_s_unfinished_jobs_are_orphans(tmp_path):
    listed = [
        JOB.format(id=1, state="RUNNING", folder=tmp_path),
        JOB.format(id=2, state="PENDING", folder=tmp_path),
        JOB.format(id=3, state="COMPLETED", folder=tmp_path),
        JOB.format(id=4, state="RUNNING", folder=tmp_path / "elsewhere"),
        "No jobs in the system",
    ]
    assert cluster.orphans("\n".join(listed), tmp_path) == ["1", "2"]
    assert cluster.orphans("", tmp_path) == []
