"""Functions that are called when a run of the workflow begins."""


def lift_start_limit():
    """Remove Snakemake's default limit on job starts, which makes its scheduler run too often.

    Snakemake allows 100 job starts a second. To keep to that, it runs its scheduler again a second
    after each run, and once more whenever a job ends (its pull request 3744). Where jobs wait, that
    is hundreds of runs a second after some hundred jobs, each with the sizes of all their inputs.
    Neither a machine nor a queue takes 100 jobs a second, so that limit is removed; a lower one
    stays.
    """
    limit = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limit and limit.max_jobs >= 100 * limit.timespan:
        workflow.scheduler.job_rate_limiter = None
