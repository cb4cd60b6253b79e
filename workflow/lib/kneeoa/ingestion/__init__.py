"""From raw files to shards: an array with its index and its exclusions."""
