# SPDX-License-Identifier: GPL-2.0
"""Programs that draw in 3D, on the kernel's virtio_gpu and on its port: both must show the same.

Then the GPU is unbound under them. On the debug kernel, DMA_API_DEBUG counts the mappings left.
"""

import dataclasses
import fnmatch
from collections.abc import Iterable
from typing import Any

import boots
import desktop
import project
import splat
import vm
from report import Report
from upstream import THEIRS

SUITE = 'check-virgl'
# {set-up: its programs}; on the debug kernel, what Weston needs first takes minutes.
SETUPS = {'virgl': ('weston-gl', 'kmscube'), 'debug-virgl': ('kmscube',)}
PROGRAMS = SETUPS['virgl']


class Side(desktop.Side):
    """Runs the programs on one driver; the kernel's own is not bound again."""

    def command(self, program: str, subtest: str | None) -> list[str]:
        return ['desktop', program, 'unbind' if self.machine.driver == THEIRS else 'again']

    def add(self, test: str, outcome: vm.Outcome, *arguments: Any, **keywords: Any) -> str:
        if test not in PROGRAMS:
            return super().add(test, outcome, *arguments, **keywords)
        if self.guest.is_debug():
            self.report.fact(self.suite, f'mappings left, {test}', splat.pending(outcome.log))
        # What the kernel's driver leaves is a number to compare with.
        if self.machine.driver == THEIRS:
            outcome = dataclasses.replace(outcome, log='', taint=self.taint, bound=True)
        return super().add(test, outcome, *arguments, **keywords)


def names() -> list[str]:
    return [*PROGRAMS]


def run(report: Report, setups: Iterable[str], wanted: str) -> None:
    if boots.turn() not in (None, boots.PORTS):
        report.note(f'turn {boots.turn()} of {boots.TURNS} left out: {SUITE}')
        return
    chosen = {setup: fnmatch.filter(SETUPS[setup], wanted or '*') for setup in setups or SETUPS}
    if not any(chosen.values()):
        raise project.Failed(f'no program of {" ".join(chosen)} matches TEST={wanted}')
    for setup, programs in chosen.items():
        if programs:
            desktop.show(report, setup, setup, programs, 'ported', f'make {SUITE} SETUP={setup}',
                         Side)
