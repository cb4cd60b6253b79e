"""What becomes of labels between a cohort's tables and training: noisy readers who read them
again.
"""
