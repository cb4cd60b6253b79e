"""Errors of the operating system: a file's fault excludes its case, a machine's fault stops the
job, to be run again.
"""

from __future__ import annotations

import errno

from kneeoa.errors import UnusableImage

# Out of handles or memory, a network disk away: no reason to exclude a case.
_MACHINE_ERRORS = frozenset({errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN})


def unreadable(error: OSError, name: str) -> UnusableImage:
    """The exclusion for an error in opening or reading a file (``unreadable``); ``name`` is the
    file's name in it.

    Raises:
        OSError: ``error`` itself, where the machine is at fault.
    """
    if error.errno in _MACHINE_ERRORS:
        raise error
    return UnusableImage("unreadable", f"{name}: cannot be read ({error.strerror or type(error).__name__}); is it damaged or locked?")
