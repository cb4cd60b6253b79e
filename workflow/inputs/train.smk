"""What the rules of train take: input functions and params."""

from types import SimpleNamespace

from kneeoa.backbones import registry as backbones
from kneeoa.copied import made_from
from kneeoa.modes import registry as modes

# Several runs share one job and its GPU (profiles/slurm-packed).
PACKED = "packed" in workflow.resource_settings.overwrite_resources.get("train_run", {})


def members(arm):
    """The lazily imported modules that an arm's network is made of: its own backbone, mode and
    losses, and no other.
    """
    factors = LAYOUT.arm(arm)
    mode = STUDY.modes[factors.mode]
    return [
        *backbones.code_modules(STUDY.backbones[factors.backbone].kind),
        *modes.code_modules(mode.kind, modes.losses(mode, STUDY.levels).values()),
    ]


def network_of(wildcards):
    """What the arm's network is: its backbone, its mode, the levels that concern it, and the shape
    of its input.
    """
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
    """What an arm learns from, as its description keeps it: enough to bring other images to the
    same form.
    """
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


def trained_as(wildcards):
    """All of the configuration that decides a run's result, but its seed."""
    arm = LAYOUT.arm(wildcards.arm)
    return {
        "study": STUDY.study,
        "network": network_of(wildcards),
        "training": arm.training.decisive(),
        "threads": STUDY.resources.train.threads,
    }


def trained_on(arm):
    """The small files that stand for an arm's data."""
    return [*LAYOUT.volume_lists(arm), *LAYOUT.splits(arm), *LAYOUT.training_labels(arm), *LAYOUT.agreements(arm)]


def run_made_from(arm):
    """What the runs of an arm should say that they were made from."""
    return made_from(code("train_run", members(arm)), trained_as(SimpleNamespace(arm=arm)), trained_on(arm))


def forget_kept_states():
    """Remove what finished runs of packs have kept: now no other member's failure takes their
    results away.
    """
    if PACKED:
        from kneeoa.training.checkpoint import NAME

        for state in Path(LAYOUT.root).glob(f"runs/*/*/{NAME}"):
            if (state.parent / "run.json").exists():
                state.unlink(missing_ok=True)
