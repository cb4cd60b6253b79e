"""Parse commands as Snakemake does: one a line on standard input, without `snakemake`; one JSON
object each on standard output.
"""

import json
import shlex
import sys

from snakemake.cli import parse_args


def read(words: str) -> dict[str, object]:
    """Targets and configuration files of one command, or the error that it ends with."""
    try:
        _, arguments = parse_args(shlex.split(words))
    except (SystemExit, Exception) as error:
        return {"error": repr(error)}
    return {"targets": sorted(arguments.targets), "files": [str(path) for path in arguments.configfile]}


if __name__ == "__main__":
    for line in sys.stdin.read().splitlines():  # whole, as an error closes standard input
        print(json.dumps(read(line)), flush=True)
