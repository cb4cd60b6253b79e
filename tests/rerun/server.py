"""Runs Snakemake's own command many times from one process: `python server.py FOLDER`, a JSON list
of arguments a line.

Starting Python and importing Snakemake costs more than a dry run of a small study does. Each
command runs in a fork of a process that has imported Snakemake, and has read the library's modules
as the code digest reads them; nothing else is kept between commands. What a command printed goes
to a file, and its exit code to standard output.
"""

import json
import os
import sys
from pathlib import Path


def output_file(folder: Path, server: int) -> Path:
    """The file that holds what the last command of a server (its process id) printed."""
    return folder / ".snakemake" / f"output-{server}.txt"


def serve(folder: Path) -> None:
    """Answer commands from standard input in ``folder`` until it ends."""
    os.chdir(folder)
    sys.path.insert(0, str(folder / "workflow" / "lib"))
    import snakemake.cli
    import snakemake.executors.dryrun
    import snakemake.executors.touch

    import kneeoa.layout
    from kneeoa.reruns import code_digest

    assert Path(kneeoa.layout.__file__).is_relative_to(folder), "another clone's library would be planned with"
    snakemake.executors.touch.Executor.SLEEPING_TIME = 0
    code_digest.read_library()
    output = output_file(folder, os.getpid())
    output.parent.mkdir(exist_ok=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(snakemake.cli.main, json.loads(line), output)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(main, arguments: list[str], output: Path) -> None:  # type: ignore[no-untyped-def]
    """One command in this process, which then ends without its parent's farewells."""
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    code = 1
    try:
        main(arguments)
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve())
