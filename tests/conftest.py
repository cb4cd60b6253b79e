"""How tests are dealt to parallel workers (`pytest -n 2 --dist loadgroup --no-loadscope-reorder`)."""

from pathlib import Path

import pytest

# Their tests share a study that takes minutes to run: one worker each, and started first.
WHOLE = ("slurm", "end_to_end")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests together, and those of the folders above."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        item.add_marker(pytest.mark.xdist_group(folder if folder in WHOLE else str(item.path)))
    first = {folder: place for place, folder in enumerate(WHOLE)}
    items.sort(key=lambda item: first.get(item.path.relative_to(Path(__file__).parent).parts[0], len(WHOLE)))
