"""From the layout of a source to the cohort's tables: one module per reader, a lazy registry, and
the raw tree's digests.
"""
