"""Errors of the operating system: the file's fault excludes a case, the machine's fault stops the
job, to be run again.
"""

from __future__ import annotations

import errno

from kneeoa.errors import UnusableImage

# Out of handles or memory, a network disk away: a case must not leave the study for that.
_MACHINE_ERRORS = frozenset({errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN})


def unreadable(error: OSError, name: str) -> UnusableImage:
    """The exclusion that an error in opening or reading a file leads to (``unreadable``); ``name``
    is how it calls the file.

    Raises:
        OSError: ``error`` itself, where the machine is at fault.
    """
    if error.errno in _MACHINE_ERRORS:
        raise error
    return UnusableImage("unreadable", f"{name}: cannot be read ({error.strerror or type(error).__name__}); is it damaged or locked?")
