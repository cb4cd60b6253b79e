"""Checksum of the tensors in a file: safetensors does not notice a changed byte by itself."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import torch


def checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    """CRC-32 of names and bytes, in the names' order, as eight hexadecimal characters. It detects
    accidents, not tampering.
    """
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data, value)
    return f"{value:08x}"
