"""From prediction tables to what each arm achieved and how arms differ: the tables METRICS and
CONTRASTS.
"""
