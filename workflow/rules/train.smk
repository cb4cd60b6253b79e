"""
Training: one GPU job per arm and seed.

REQUIRED INPUTS: volumes (or their resampling to the arm's grid), splits, labels (the reference's,
                 or a noisy rater's); the file of pretrained weights, where a backbone names one
OUTPUTS: <out>/runs/{arm}/seed-{seed}/{weights.safetensors,model.json,history.parquet,run.json}
UNDECLARED: last.ckpt.safetensors beside them, the state of an unfinished run (in a pack, of a
            finished one too): it must outlive a failed job's outputs
"""


include: "../inputs/train.smk"


rule train_run:
    """Train one arm with one seed.

    Settings that change no result are resources and no params: another value makes no run again.
    """
    input:
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.splits(wildcards.arm),
        labels=lambda wildcards: LAYOUT.training_labels(wildcards.arm),
        agreements=lambda wildcards: LAYOUT.agreements(wildcards.arm),
        weights=pretrained_weights,
    output:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        history="<out>/runs/{arm}/seed-{seed}/history.parquet",
        run="<out>/runs/{arm}/seed-{seed}/run.json",
    log:
        "<logs>/train_run/{arm}-seed-{seed}.log",
    benchmark:
        "<benchmarks>/train_run/{arm}-seed-{seed}.jsonl"
    # Runs of a pack are local rules of its one job, in which they run in parallel.
    localrule: PACKED and workflow.remote_exec
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.train.threads
    resources:
        gpu=STUDY.resources.train.gpus,
        packed=0,
        mem_mb=memory("train"),
        runtime=minutes("train"),
        save_every=indifferent("save_every"),
        tensorboard=indifferent("tensorboard"),
        data=indifferent("data"),
        recompute=indifferent("recompute"),
    params:
        code=lambda wildcards: code("train_run", members(wildcards.arm)),
        study=STUDY.study,
        network=network_of,
        training=lambda wildcards: LAYOUT.arm(wildcards.arm).training.result_settings(),
        threads=STUDY.resources.train.threads,
    script:
        "../../scripts/train_run.py"


onsuccess:
    forget_kept_states()
