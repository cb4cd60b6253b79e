"""The differences between the suites, in one place: `make test`, the sample of the long suite that
CI runs, and the long suite whole (KNEEOA_LONG=1, `make test-long`).

Which tests belong to which is said by two marks: `slow` (not in `make test`) and `long` (not in the
sample either).
"""

import os

LONG = os.environ.get("KNEEOA_LONG") == "1"
"""Whether the suite runs whole."""
KILLS = 50 if LONG else 20
"""Jobs of ingestion, and jobs of training, that are killed."""
EVERY = 1 if LONG else 20
"""One in so many rows of the rerun table is planned that the edits of this branch do not touch."""
TOUCHED = 20
"""Most rows that are planned because the edits touch them, where not all rows are: an edit of a
whole room touches most of the table.
"""
LAST_RESORT = 1800.0
"""Seconds after which a test stops to wait for what should have happened: no test is decided by
them, they keep a defect from hanging for ever.
"""
