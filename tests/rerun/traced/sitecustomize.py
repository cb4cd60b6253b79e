"""Writes down which functions of the library a job calls: Python imports this module by itself
where its folder is on PYTHONPATH.

One file a job in the folder that KNEEOA_CALLED names: the script's name, then a line for each
module-level function or class whose code ran. Functions that an import runs are left out: they
belong to what the import makes.
"""

import atexit
import os
import re
import sys
import threading
from pathlib import Path
from types import FrameType

_JOB = re.compile(r"\.snakemake[/\\]scripts[/\\]tmp\w+\.(\w+)\.py$")
_NOTED: dict[object, str | None] = {}
_OPTIMIZED = 1  # CO_OPTIMIZED: a function's body, not a class' or a module's


def _note(frame: FrameType, event: str, argument: object) -> None:
    code = frame.f_code
    if code in _NOTED:
        return
    file = code.co_filename
    if "/kneeoa/" not in file or not file.endswith(".py") or not code.co_flags & _OPTIMIZED:
        _NOTED[code] = None
        return
    caller: FrameType | None = frame
    while caller is not None:
        if caller.f_code.co_name == "<module>" and "/kneeoa/" in caller.f_code.co_filename:
            return  # within an import; the same code may run again outside of one
        caller = caller.f_back
    module = file[file.rindex("/kneeoa/") + 1 :].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    _NOTED[code] = f"{module}:{code.co_qualname.split('.')[0]}"


def _write(folder: Path, script: str) -> None:
    sys.settrace(None)
    called = sorted({name for name in _NOTED.values() if name and "<" not in name})
    (folder / f"{script}.{os.getpid()}.txt").write_text("\n".join([script, *called]) + "\n")


_match = next(filter(None, map(_JOB.search, getattr(sys, "orig_argv", []))), None)
if _match and "KNEEOA_CALLED" in os.environ:
    atexit.register(_write, Path(os.environ["KNEEOA_CALLED"]), _match[1])
    threading.settrace(_note)  # type: ignore[arg-type]
    sys.settrace(_note)  # type: ignore[arg-type]
