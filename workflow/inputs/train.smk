"""What the rules of train take: input functions and params."""

from kneeoa.backbones import registry as backbones
from kneeoa.modes import registry as modes


def members(arm):
    """The lazily imported modules that an arm's network is made of: its own backbone and mode, and no other."""
    factors = LAYOUT.arm(arm)
    return [
        *backbones.code_modules(STUDY.backbones[factors.backbone].kind),
        *modes.code_modules(STUDY.modes[factors.mode].kind),
    ]


def network_of(wildcards):
    """What the arm's network is: its backbone, its mode, the levels that concern it, and the shape of its input."""
    factors = LAYOUT.arm(wildcards.arm)
    backbone, shape = STUDY.backbones[factors.backbone], STUDY.input_shape(factors)
    return {
        "backbone": backbone.kind,
        "options": plain(backbone)["options"],
        "dimensions": len(shape),
        "shape": list(shape),
        "mode": plain(STUDY.modes[factors.mode]),
        "levels": [plain(level) for level in STUDY.levels_of(factors.mode)],
    }
