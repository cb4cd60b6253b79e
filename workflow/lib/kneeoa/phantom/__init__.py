"""The phantom cohort: its people (plan), their knees (anatomy), images (imaging), grades
(labelling) and files (release).
"""
