# SPDX-License-Identifier: GPL-2.0
"""The time when a run has to end: tests that are left then are skipped, which says so."""

import os
import time

from report import Report

# In seconds since the epoch: better than a run that is cut off.
UNTIL = float(os.environ.get('UNTIL') or 'inf')


def left() -> float:
    """The seconds that are left; not negative."""
    return max(0.0, UNTIL - time.time())


def is_late() -> bool:
    return not left()


def skip(report: Report, suite: str, test: str) -> None:
    """Records that a test is skipped for lack of time."""
    report.add(suite, test, 'skip', 0.0, 'no time was left')
    report.note(f'no time was left for some tests of {suite}')
