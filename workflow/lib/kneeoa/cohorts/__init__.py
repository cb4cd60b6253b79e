"""Read cohorts: layouts of sources (one module per reader, a lazy registry), the cohort's tables,
and digests of the raw tree.
"""
