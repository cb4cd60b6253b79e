"""Where a result comes from: the jobs that made it, and a crate that tells it to others."""
