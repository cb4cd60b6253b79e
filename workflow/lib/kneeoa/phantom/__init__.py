"""The phantom cohort: who exists (plan), the knee (anatomy), its picture (imaging), its reader
(labelling), its files (release).
"""
