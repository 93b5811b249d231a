"""Becomes the command it is given, tied to its parent: when the parent dies, however it dies, this is killed too.

A program of its own, because code between fork and exec may deadlock in a parent with threads. The tie survives exec.
Arguments: the parent's process id, then the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""linux/prctl.h. The kernel means the *thread* that forked: `process.py` forks from one that lives to the end."""

if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() == int(parent):
        os.execvp(command[0], command)
