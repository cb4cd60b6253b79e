"""What is done when a run begins: functions."""


def lift_start_limit():
    """Keep Snakemake's scheduler from busying itself.

    Snakemake allows 100 job starts a second, and to keep to that wakes its scheduler again a second
    after each time that it looked, and once more whenever a job ends (its pull request 3744): where
    jobs wait, hundreds of looks a second after some hundred jobs, each with the sizes of all their
    inputs. Neither a machine nor a queue takes 100 jobs a second, so that limit goes; a lower one
    stays.
    """
    limit = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limit and limit.max_jobs >= 100 * limit.timespan:
        workflow.scheduler.job_rate_limiter = None
