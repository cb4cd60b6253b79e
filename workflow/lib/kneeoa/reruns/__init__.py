"""Which code a result depends on, and under which names it was known before."""
