"""What the rules of volumes take: input functions and params."""


def shard_digest(wildcards):
    """What the raw files of a shard are, so that a changed subject reruns its own shard alone."""
    return raw_index(wildcards.cohort).get(int(wildcards.shard), "")
