# SPDX-License-Identifier: GPL-2.0
"""Runs the tests in guests with a debug kernel, whose checkers can fail them, too."""

import functools
import os
import re
import time
from pathlib import Path
from typing import Any

import boots
import coverage
import deadline
import debugguest
import fuzz
import igt
import kunit
import project
import splat
import vm
from report import Report

SECONDS = int(os.environ.get('TEST_SECONDS') or 400)


class Session(igt.Session):
    """Tests in a guest with a debug kernel."""

    def __init__(self, report: Report, name: str, boot: boots.Boot, driver: str) -> None:
        self.name, self.driver = name, driver
        self.kernel = boot.kernel
        suite = name if name.startswith('kcsan') else f'debug-{name}'
        guest = debugguest.machine(suite, boot.setup, boot.kernel, boot.tests == 'kunit',
                                   driver=driver,
                                   fact=functools.partial(report.fact, suite),
                                   rounds=boot.rounds, console=boot.console, cpus=boot.cpus)
        again = f'make check-debug SETUP={name}' + (f' DRIVER={driver}' * (driver != 'sgt'))
        super().__init__(report, guest, suite, again, SECONDS)
        self.left = self.warnings = self.races = 0

    def run(self, tests: list[igt.Test]) -> None:
        super().run(tests)
        self.report.fact(self.suite, 'mappings left at unbind', self.left)
        self.report.fact(self.suite, 'WARNINGs', self.warnings)
        if self.kernel == 'kcsan':
            self.report.fact(self.suite, 'data races elsewhere', self.races)

    def add(self, test: str, outcome: vm.Outcome, *arguments: Any, **keywords: Any) -> str:
        self.left += splat.pending(outcome.log)
        self.warnings += outcome.log.count('WARNING: CPU')
        self.races += len(splat.foreign_races(outcome.log))
        return super().add(test, outcome, *arguments, **keywords)

    def unfit(self, outcome: vm.Outcome) -> bool:
        # Some checkers report once only: after that, a silent log proves nothing.
        return bool(splat.complaint(outcome.log, outcome.taint & ~self.taint))

    def before_unload(self) -> None:
        started = time.monotonic()
        outcome = self.machine.run(SECONDS, 'sgt-debug', 'checks')
        said = debugguest.wrong(outcome.output) or igt.verdict(outcome, self.taint)[1]
        self.report.add(self.suite, 'checkers', 'fail' if said else 'pass',
                        time.monotonic() - started, said, outcome.output, self.again)

    def after_unload(self) -> None:
        if self.kernel == 'debug' and self.driver == 'sgt':
            outcome = self.machine.run(SECONDS, 'sgt-debug', 'coverage')
            coverage.save(outcome.output, project.BUILD / 'debug/counters' / self.name)


class KunitSession(Session):
    """The KUnit suites, which run while the module is loaded."""

    def run(self, wanted: Any) -> None:
        self.wanted = wanted
        if self.boot(again=False):
            self.stop()

    def booted(self, outcome: vm.Outcome) -> None:
        self.record(outcome.log)

    def lost(self, test: str, error: Exception, again: str, started: float) -> None:
        super().lost(test, error, again, started)
        self.record(self.machine.console.read_text(errors='replace'))

    def record(self, log: str) -> None:
        output = ((float(match[1]), match[2]) for match in
                  re.finditer(r'^\[ *(\d+\.\d+)\] ?(.*)', log, re.M))
        if not kunit.record(self.report, self.suite, output, self.wanted, self.again):
            raise project.Failed(f'no KUnit case ran (TEST={self.wanted or "*"})')


def plan(programs: dict[str, Path], chosen: dict[str, boots.Boot],
         wanted: str) -> dict[str, str | list[igt.Test]]:
    """{boot: what its session runs}, without the boots that have nothing to run."""
    found = igt.select(programs, wanted)
    plans: dict[str, str | list[igt.Test]] = {}
    for name, boot in chosen.items():
        if boot.tests in ('kunit', 'fuzz'):
            if not (wanted and found):
                plans[name] = wanted
            continue
        fit = [test for test in igt.fitting(found, boot.setup, boot.kernel == 'debug')
               if igt.is_any(test, boot.tests) and not igt.is_any(test, boot.but)]
        if fit:
            plans[name] = fit
    return plans


def run_boot(report: Report, name: str, boot: boots.Boot, tests: Any, driver: str) -> None:
    """Runs the tests of one boot."""
    if deadline.is_late() and boot.tests in ('kunit', 'fuzz'):
        deadline.skip(report, name, boot.tests)
        return
    if boot.tests == 'fuzz':
        brief = boot is not boots.BOOTS[name]
        fuzz.run(report, fuzz.BRIEF_SECONDS if brief else fuzz.SECONDS, seed=debugguest.SEED)
        return
    kind = KunitSession if boot.tests == 'kunit' else Session
    session = kind(report, name, boot, driver)
    try:
        session.run(tests)
    finally:
        session.drop()


def run(report: Report, names: list[str], wanted: str, driver: str) -> None:
    turn = boots.turn() if not names and driver == 'sgt' else None
    names = names or list(boots.BOOTS if driver == 'sgt' else boots.COMPARABLE)
    chosen = boots.chosen(names, turn)
    plans = plan(project.build_programs()['igt'], chosen, wanted)
    if not plans:
        raise project.Failed(f'no test matches TEST={wanted} in {", ".join(chosen)}')
    for kernel in dict.fromkeys(chosen[name].kernel for name in plans):
        debugguest.prepare(kernel, driver)

    if driver == 'in-tree':
        project.say('-- the in-tree driver, for comparison: its failures are the differences')
    project.say(f'-- debug kernels in QEMU: {", ".join(plans)}')
    report.side_by_side(
        (name, f'make check-debug SETUP={name}' + f' DRIVER={driver}' * (driver != 'sgt'),
         functools.partial(run_boot, report, name, chosen[name], tests, driver))
        for name, tests in plans.items())
    report.note(boots.left_out(turn))
    if not wanted and driver == 'sgt':
        counters = sorted((project.BUILD / 'debug/counters').glob('*'))
        coverage.show(counters, project.BUILD / 'debug/gcov', report.directory / 'coverage.txt')
