# SPDX-License-Identifier: GPL-2.0
"""Builds the ports, and runs tests with those that have a device in the guest."""

import fnmatch
import time
from collections.abc import Collection

import boots
import igt
import ports
import project
import quotes
from report import Report

SETUPS = 'phys', 'iommu', 'swiotlb'
# What the drivers do in a guest: buffers, sharing with each other, screens, unbinds
TESTS = 'sgt_create@* sgt_map@* sgt_screen@* sgt_import@* sgt_unbind@virtio-* sgt_unbind@pci-*'
# The kernel's own virtio_gpu fails it, too.
BUT = 'sgt_screen@damage'


def names() -> list[str]:
    return [*ports.DRIVERS]


def build(report: Report, name: str) -> None:
    """Ports a driver, and builds it; it fails if a warning is left, a callback is lost, or the
    book quotes another diff."""
    started = time.monotonic()
    try:
        result = ports.port(name)
        detail = result.summary()
        ports.build(name, result, ports.stock())
        outcome = 'fail' if result.lost() else 'pass'
        for said in quotes.not_in_diffs(name, result.diffs()):
            outcome, detail = 'fail', said
    except project.Failed as error:
        outcome, detail = 'fail', str(error)
    report.add('ports', name, outcome, time.monotonic() - started, detail, '',
               f'make ports TEST={name}')


def run(report: Report, setups: Collection[str], wanted: str) -> None:
    """Builds the ports, and tests them in the set-ups; with TURN=, in one of the turns only."""
    if boots.turn() not in (None, boots.PORTS):
        report.note(f'turn {boots.turn()} of {boots.TURNS} left out: ports')
        return
    project.build_modules()
    for name in fnmatch.filter(ports.DRIVERS, wanted or '*'):
        build(report, name)
    if not wanted and project.arch().is_native():
        # Elsewhere, not all set-ups are known to pass with our own driver.
        setups = setups or (SETUPS if project.is_default() else SETUPS[:1])
        igt.run(report, setups, '', 'ported', BUT, TESTS)
