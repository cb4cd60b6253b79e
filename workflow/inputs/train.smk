"""Input functions and params of the rules of train."""

from types import SimpleNamespace

from kneeoa.backbones import registry as backbones
from kneeoa.reruns.copied_results import made_from
from kneeoa.heads import registry as modes
from kneeoa.plugins import registry as plugins

# Several runs share one job and its GPU (profiles/slurm-packed).
PACKED = "packed" in workflow.resource_settings.overwrite_resources.get("train_run", {})


def members(arm):
    """The lazily imported modules of an arm's network: its backbone, mode, losses and plug-in, and
    no others.
    """
    factors = LAYOUT.arm(arm)
    mode, plugin = STUDY.modes[factors.mode], STUDY.plugins.get(factors.plugin)
    return [
        *backbones.code_modules(STUDY.backbones[factors.backbone].kind),
        *modes.code_modules(mode.kind, modes.losses(mode, STUDY.levels).values()),
        *([] if plugin is None else plugins.code_modules(plugin.kind)),
    ]


def selecting_modules(arm):
    """The modules that say what an arm's plug-in chose: its network's, and its kind's own."""
    return [*members(arm), *plugins.selection_modules(STUDY.plugins[LAYOUT.arm(arm).plugin].kind)]


def network_of(wildcards):
    """Specification of an arm's network: its backbone, its mode, its levels, its plug-in where it
    has one, and the shape of its input.
    """
    factors = LAYOUT.arm(wildcards.arm)
    backbone, shape = STUDY.backbones[factors.backbone], STUDY.input_shape(factors)
    plugin = {} if factors.plugin is None else {"plugin": plain(STUDY.plugins[factors.plugin])}
    return {
        "backbone": backbone.kind,
        "options": plain(backbone)["options"],
        "dimensions": len(shape),
        "shape": list(shape),
        "mode": plain(STUDY.modes[factors.mode]),
        "levels": [plain(level) for level in STUDY.levels_of(factors.mode)],
        "trained_on": images_of(factors),
    } | plugin


def untrained_network_of(wildcards):
    """Specification of an arm's network without pretrained weights."""
    network = network_of(wildcards)
    fresh = {"options": {key: value for key, value in network["options"].items() if key != "weights"}}
    if "plugin" in network:
        fresh["plugin"] = {key: value for key, value in network["plugin"].items() if key != "pretrained"}
    return network | fresh


def pretrained_weights(wildcards):
    """The files of pretrained weights of an arm, where its backbone or its plug-in names one."""
    arm = LAYOUT.arm(wildcards.arm)
    backbone, plugin = STUDY.backbones[arm.backbone], STUDY.plugins.get(arm.plugin)
    named = [
        (
            f"backbones.{arm.backbone}.options.weights",
            backbone.options.get("weights"),
            backbones.weights_file(backbone.kind, backbone.options),
        )
    ]
    if plugin is not None and plugin.weights_file() is not None:
        named.append((f"plugins.{arm.plugin}.pretrained.file", plugin.pretrained.file, plugin.weights_file()))
    for key, text, file in named:
        if file is not None and not file.is_file():
            raise WorkflowError(
                f"{key} is '{text}', which is no file here ({file}); "
                "set the environment variable that it names, or name a file that was fetched beforehand."
            )
    return list(dict.fromkeys(str(file) for _, _, file in named if file is not None))


def images_of(factors):
    """Description of the images that an arm is trained on, enough to bring other images to the same
    form.
    """
    name = STUDY.view_of(factors)
    return {
        "view": name,
        "canonical": plain(STUDY.views[name]),
        "left_knees": "mirrored" if STUDY.views[name].mirrors else "as_they_are",
        "cohorts": [cohort for cohort in LAYOUT.cohorts_with_view(name) if STUDY.cohorts[cohort].role == "develop"],
    }


def indifferent(key):
    """A key of training that changes no result, as a resource: a number or a word."""

    def value(wildcards):
        setting = getattr(LAYOUT.arm(wildcards.arm).training, key)
        return int(setting) if isinstance(setting, bool) else setting

    return value


def run_settings(wildcards):
    """The settings that decide a run's result, without its seed."""
    arm = LAYOUT.arm(wildcards.arm)
    return {
        "study": STUDY.study,
        "network": network_of(wildcards),
        "training": arm.training.result_settings(),
        "threads": STUDY.resources.train.threads,
    }


def run_data_files(arm):
    """The small files that represent an arm's data."""
    return [*LAYOUT.volume_lists(arm), *LAYOUT.splits(arm), *LAYOUT.training_labels(arm), *LAYOUT.agreements(arm)]


def run_made_from(arm):
    """The record of code, settings and data that an arm's runs should have."""
    return made_from(code("train_run", members(arm)), run_settings(SimpleNamespace(arm=arm)), run_data_files(arm))


def forget_kept_states():
    """Remove the states of finished runs of packs: no other run's failure can remove their results
    any more.
    """
    if PACKED:
        from kneeoa.training.checkpoint import NAME

        for state in Path(LAYOUT.root).glob(f"runs/*/*/{NAME}"):
            if (state.parent / "run.json").exists():
                state.unlink(missing_ok=True)
