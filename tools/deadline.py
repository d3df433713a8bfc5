# SPDX-License-Identifier: GPL-2.0
"""The time when a run has to end: what is left then is skipped, which says so."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report import Report

# In seconds since the epoch: better than a run that is cut off.
UNTIL = float(os.environ.get('UNTIL') or 'inf')


class Late(Exception):
    """The time was up before a command had ended."""


def left() -> float:
    """The seconds that are left; not negative."""
    return max(0.0, UNTIL - time.time())


def is_late() -> bool:
    return not left()


def skip(report: Report, suite: str, test: str) -> None:
    """Records that a test is skipped for lack of time."""
    report.add(suite, test, 'skip', 0.0, 'no time was left')
    report.note(f'no time was left for some tests of {suite}')


def family(process: int) -> list[int]:
    """A process, and all that it has started."""
    found = [process]
    for path in Path(f'/proc/{process}/task').glob('*/children'):
        # A thread can end meanwhile.
        with contextlib.suppress(OSError):
            for child in path.read_text().split():
                found += family(int(child))
    return found


def end(process: int) -> None:
    """Ends a process and all that it has started. A make removes what it has half built."""
    for each in family(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGTERM)


@contextlib.contextmanager
def ending(process: subprocess.Popen[str], what: str) -> Iterator[None]:
    """Waits for a process after the block; ends it, and raises Late, when the time is up."""
    timer = None
    if UNTIL < float('inf'):
        timer = threading.Timer(left(), end, [process.pid])
        timer.daemon = True
        timer.start()
    try:
        yield
        process.wait()
    finally:
        if timer:
            timer.cancel()
    if process.returncode and is_late():
        raise Late(f'{what}: no time was left')
