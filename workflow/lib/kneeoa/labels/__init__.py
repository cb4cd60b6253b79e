"""Change labels between a cohort's tables and training: noisy raters who read them again."""
