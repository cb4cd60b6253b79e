"""Classify tissues by their names: cartilage, bone, and side of the joint."""

from __future__ import annotations

from collections.abc import Mapping

_BONES = ("femur", "tibia", "patella", "fibula", "bone")
PLATES = {"femoral": ("femur", "femoral"), "tibial": ("tibia", "tibial"), "patellar": ("patella", "patellar")}
"""The plates of cartilage, and the words by which the names of tissues refer to them and to the
bone under them.
"""


def cartilage_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are cartilage: those whose name says so."""
    return {name: value for name, value in values.items() if "cartilage" in name}


def bone_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are bone, by their name (``femur``, ``tibial_bone``, ...)."""
    return {name: value for name, value in values.items() if "cartilage" not in name and any(bone in name for bone in _BONES)}


def joint_space_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are joint space, by their name (``joint_space``, ``medial_joint_space``)."""
    return {name: value for name, value in values.items() if "joint" in name or "space" in name}


def cartilage_sides(values: Mapping[str, int]) -> dict[str, list[int]]:
    """Values of femoral and of tibial cartilage, for each side of the joint that the tissues' names
    mention.
    """
    cartilage = cartilage_values(values)
    by_side = {
        side: [value for name, value in cartilage.items() if any(word in name for word in PLATES[side])] for side in ("femoral", "tibial")
    }
    return {side: side_values for side, side_values in by_side.items() if side_values}


def bones_under(cartilage: str, values: Mapping[str, int]) -> list[int]:
    """Values of the bone that a cartilage lies on, by their names; of all bones where the names do
    not say.
    """
    bones = bone_values(values)
    for words in PLATES.values():
        if any(word in cartilage for word in words):
            matching = [value for bone, value in bones.items() if any(word in bone for word in words)]
            if matching:
                return matching
    return sorted(bones.values())
