"""What the rules of train take: input functions and params."""

from kneeoa.backbones import registry as backbones
from kneeoa.modes import registry as modes


def members(arm):
    """The lazily imported modules that an arm's network is made of: its own backbone, mode and losses, and no other."""
    factors = LAYOUT.arm(arm)
    mode = STUDY.modes[factors.mode]
    return [
        *backbones.code_modules(STUDY.backbones[factors.backbone].kind),
        *modes.code_modules(mode.kind, modes.losses(mode, STUDY.levels).values()),
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
        "trained_on": images_of(factors),
    }


def untrained_network_of(wildcards):
    """The same before it has seen anything: no weights of a file either."""
    network = network_of(wildcards)
    return network | {"options": {key: value for key, value in network["options"].items() if key != "weights"}}


def pretrained_weights(wildcards):
    """The file of weights that an arm's training begins from, where its backbone names one."""
    name = LAYOUT.arm(wildcards.arm).backbone
    backbone = STUDY.backbones[name]
    file = backbones.weights_file(backbone.kind, backbone.options)
    if file is not None and not file.is_file():
        raise WorkflowError(
            f"backbones.{name}.options.weights is '{backbone.options['weights']}', which is no file here ({file}); "
            "set the environment variable that it names, or name a file that was fetched beforehand."
        )
    return [] if file is None else [str(file)]


def images_of(factors):
    """What an arm learns from, as its description keeps it: enough to bring other images to the same form."""
    name = STUDY.view_of(factors)
    return {
        "view": name,
        "canonical": plain(STUDY.views[name]),
        "left_knees": "mirrored" if STUDY.views[name].mirrors else "as_they_are",
        "cohorts": [cohort for cohort in LAYOUT.cohorts_with_view(name) if STUDY.cohorts[cohort].role == "develop"],
    }


def indifferent(key):
    """A key of training that changes no result, as resources take it: a number or a word."""

    def value(wildcards):
        setting = getattr(LAYOUT.arm(wildcards.arm).training, key)
        return int(setting) if isinstance(setting, bool) else setting

    return value
