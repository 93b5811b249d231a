"""Becomes the command it is given, tied to its parent: when the parent dies, however it dies, this is killed too.

A program of its own, because code between fork and exec may deadlock in a parent with threads. The tie survives exec.
Arguments: the parent's process id, then the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""linux/prctl.h. Other systems have no such thing: there a demo that is itself killed by SIGKILL leaves the bridge."""

if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() == int(parent):
        os.execvp(command[0], command)  # noqa: S606 - our own command, no shell
