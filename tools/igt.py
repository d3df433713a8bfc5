# SPDX-License-Identifier: GPL-2.0
"""Runs the IGT tests in guests, each subtest alone, in one boot per set-up."""

import fnmatch
import functools
import math
import os
import re
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import choice
import deadline
import initramfs
import ports
import project
import sample
import splat
import vm
from report import Report

SOURCES = project.TOP / 'igt-tests'
SECONDS = int(os.environ.get('TEST_SECONDS') or 180)
SKIP = 77
KILLED = 137

USUAL = 'swiotlb', 'iommu', 'phys', 'blob', 'mmio', 'icount', 'edu', 'noncoherent'
# The programs of the set-ups that do not run all; COUNTING, EDU and BLOBS would skip elsewhere.
ONLY = {'icount': 'sgt_flat*', 'bypass': 'sgt_import', 'edu': 'edu_*'}
# What a set-up runs unless TEST= says otherwise; its other tests behave as in another set-up.
SHORT = {'blob': 'sgt_blob@* sgt_fb@* sgt_frames@* sgt_screen@* sgt_cursor@* sgt_display@* '
                 'sgt_commit@* sgt_vblank@* sgt_unbind@*-scanout sgt_unbind@*-everything',
         'mmio': 'sgt_create@* sgt_map@* sgt_screen@* sgt_module@* sgt_unbind@virtio-* '
                 'sgt_unbind@out-fence sgt_unbind@generations sgt_vm_unbind@virtio-*'}
# The set-up of check-quick, and the tests that it leaves out, which take a minute and a half
QUICK, SLOW = 'phys', 'sgt_abuse*@* sgt_limits@*'
COUNTING = 'sgt_flat*'
EDU = 'edu_*'
BLOBS = 'sgt_blob'
FAULTS = 'sgt_fail*'

# A program and its subtest
Test = tuple[str, str | None]


def subtests(program: Path) -> list[str | None]:
    """The names that the program lists; [None] if it has no subtests."""
    listed = subprocess.run([*project.emulator(), program, '--list-subtests'], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, timeout=60)
    return [*listed.stdout.split()] or [None]


def is_possible(setups: Collection[str], wanted: str) -> bool:
    """Whether the sources document a test that matches and that one of the set-ups runs."""
    program_glob, _, subtest_glob = (wanted or '*').partition('@')
    found: list[Test] = []
    for name in choice.igt_tests():
        program, _, subtest = name.partition('@')
        if fnmatch.fnmatch(program, program_glob) and fnmatch.fnmatch(subtest, subtest_glob or '*'):
            found.append((program, subtest))
    return any(plan(found, setups, wanted).values())


def select(programs: dict[str, Path], wanted: str) -> list[Test]:
    """The (program, subtest) pairs that match "program[@subtest]"; both may be patterns."""
    program_glob, _, subtest_glob = (wanted or '*').partition('@')
    return [(name, subtest) for name, path in programs.items()
            if fnmatch.fnmatch(name, program_glob) and (SOURCES / f'{name}.c').exists()
            for subtest in subtests(path)
            if not subtest_glob or fnmatch.fnmatch(subtest or '', subtest_glob)]


def is_any(test: Test, globs: str) -> bool:
    """Whether one of the globs matches a test."""
    name = f'{test[0]}@{test[1] or ""}'
    return any(fnmatch.fnmatch(name, glob) for glob in globs.split())


def fitting(tests: list[Test], setup: str, faults: bool = False) -> list[Test]:
    """The tests that can run in the set-up; faults: the kernel can inject them."""
    refused = ([] if setup in ONLY else
               [COUNTING, EDU] + [BLOBS] * (setup != 'blob') + [FAULTS] * (not faults))
    return [test for test in tests
            if fnmatch.fnmatch(test[0], ONLY.get(setup, '*')) and
            not any(fnmatch.fnmatch(test[0], glob) for glob in refused)]


def plan(tests: list[Test], setups: Collection[str], wanted: str) -> dict[str, list[Test]]:
    """{set-up: its tests} of the set-ups; without any, of the usual ones of the architecture."""
    named = bool(setups)
    setups = setups or [setup for setup in USUAL if setup in vm.setups()]
    return {setup: [test for test in fitting(tests, setup)
                    if (named and wanted) or is_any(test, SHORT.get(setup, '*'))]
            for setup in setups}


def reason(output: str, failed: bool) -> str:
    """IGT's message about a failure or a skip, shortened; empty if there is none.

    A script of the guest begins such a line with "failed: ".
    """
    if failed:
        said = re.findall(r'CRITICAL: (.*)', output.split('**** DEBUG')[0])
        said = [text.removeprefix('Failed assertion: ') for text in said[1:]]
        said += re.findall(r'^failed: (.*)', output, re.M)
    else:
        said = (re.findall(r'^Test requirement: .*\n(?!Last errno|Subtest )(.+)', output, re.M) or
                re.findall(r'^Test requirement: (.*)', output, re.M) or
                re.findall(r'^(?!Starting )(.*)\nSubtest \S+: SKIP', output, re.M))
    return '; '.join(dict.fromkeys(said))[:120]


def verdict(outcome: vm.Outcome, taint: int, limit: float = 0,
            must_be_bound: bool = True) -> tuple[str, str]:
    """Result and detail of an outcome; taint is that before the test, limit is in seconds."""
    wrong = splat.complaint(outcome.log, outcome.taint & ~taint)
    if wrong:
        return 'fail', wrong
    if outcome.status == KILLED and outcome.seconds >= limit > 0:
        where = splat.blocked(outcome.log)
        return 'fail', f'killed after {limit} s' + (f', blocked in {where}' if where else '')
    if outcome.status not in (0, SKIP):
        return 'fail', reason(outcome.output, True) or f'exit status {outcome.status}'
    if must_be_bound and not outcome.bound:
        return 'fail', 'it left the GPU without a driver'
    if outcome.status == SKIP:
        return 'skip', reason(outcome.output, False)
    return 'pass', ''


def seeded(again: str, output: str) -> str:
    """The command that repeats a test: as this run, and with the seed that it has printed."""
    seed = re.search(r'\bSGT_SEED=(\d+)', output)
    given = {'SEED': seed[1] if seed else '',
             **{name: os.environ.get(name, '') for name in ('ROUNDS', 'TEST_SECONDS')}}
    return again + ''.join(f' {name}={value}' for name, value in given.items() if value)


class Session:
    """Runs tests in one set-up, with a new guest only after one is lost or unfit."""

    def __init__(self, report: Report, machine: vm.Vm, suite: str, again: str,
                 seconds: float = SECONDS) -> None:
        self.report, self.machine = report, machine
        self.suite, self.again, self.seconds = suite, again, seconds
        self.taint = 0
        self.up = False

    def run(self, tests: list[Test]) -> None:
        for number, (program, subtest) in enumerate(tests):
            if deadline.is_late():
                self.late(program, subtest)
                continue
            if not self.up and not self.boot(again=number > 0):
                return
            self.one(program, subtest)
        if self.up:
            self.stop()

    def late(self, program: str, subtest: str | None) -> None:
        """Records that a test was not run."""
        deadline.skip(self.report, self.suite, f'{program}@{subtest}' if subtest else program)

    def add(self, test: str, outcome: vm.Outcome, again: str, limit: float = 0,
            must_be_bound: bool = True) -> str:
        result, detail = verdict(outcome, self.taint, limit, must_be_bound)
        self.taint = outcome.taint
        self.report.add(self.suite, test, result, outcome.seconds, detail,
                        f'{outcome.output}\n-- kernel log\n{outcome.log}',
                        seeded(again, outcome.output))
        return result

    def lost(self, test: str, error: Exception, again: str, started: float) -> None:
        self.drop()
        output = self.machine.received.decode(errors='replace')
        console = self.machine.console.read_text(errors='replace').splitlines()
        self.report.add(self.suite, test, 'lost', time.monotonic() - started,
                        f'VM lost: {error}',
                        f'{output}\n-- console\n' + '\n'.join(console[-300:]) + '\n',
                        seeded(again, output))

    def drop(self) -> None:
        self.machine.close()
        self.up = False

    def boot(self, again: bool) -> bool:
        """Boots and loads the modules; a boot after a loss is reported only if it fails."""
        self.taint = 0
        started = time.monotonic()
        try:
            outcome = self.machine.boot()
        except vm.Lost as error:
            self.lost('boot', error, self.again, started)
            return False
        self.up = True
        if outcome.status or not again:
            self.add('boot', outcome, self.again)
        self.booted(outcome)
        if outcome.status:
            self.drop()
        return self.up

    def command(self, program: str, subtest: str | None) -> list[str]:
        return [program] + (['--run-subtest', subtest] if subtest else [])

    def limit(self) -> int:
        """The seconds that a test may take."""
        return math.ceil(min(self.seconds, deadline.left()))

    def is_cut(self, outcome: vm.Outcome) -> bool:
        """Whether the end of the time has killed a test, of which the kernel has not complained.

        The guest is of no use then.
        """
        if (outcome.status != KILLED or not deadline.is_late() or
                splat.complaint(outcome.log, outcome.taint & ~self.taint)):
            return False
        self.drop()
        return True

    def one(self, program: str, subtest: str | None) -> None:
        test = f'{program}@{subtest}' if subtest else program
        again = f'{self.again} TEST={test}'
        started = time.monotonic()
        try:
            outcome = self.machine.run(self.limit(), *self.command(program, subtest))
        except vm.Lost as error:
            self.lost(test, error, again, started)
            return
        if self.is_cut(outcome):
            self.late(program, subtest)
            return
        broken = self.unfit(outcome)
        self.add(test, outcome, again, self.seconds)
        # A test must not fail for what the one before it broke.
        if broken or not outcome.bound:
            self.drop()

    def unfit(self, outcome: vm.Outcome) -> bool:
        """Whether a test left the kernel unfit for another one."""
        return bool(outcome.taint & ~self.taint & splat.CRASHED)

    def booted(self, outcome: vm.Outcome) -> None:
        """Hook for subclasses, as are the next two."""

    def before_unload(self) -> None:
        pass

    def after_unload(self) -> None:
        pass

    def stop(self) -> None:
        started = time.monotonic()
        try:
            self.before_unload()
            self.add('unload', self.machine.unload(), self.again, must_be_bound=False)
            self.after_unload()
            self.machine.power_off()
        except vm.Lost as error:
            self.lost('power-off', error, self.again, started)


def quick(report: Report, setups: Collection[str], wanted: str, driver: str) -> None:
    """Runs the tests for each commit, or those of TEST=."""
    run(report, setups or [QUICK], wanted, driver, '' if wanted else SLOW)


def run(report: Report, setups: Collection[str], wanted: str, driver: str, but: str = '',
        only: str = '*') -> None:
    if not is_possible(setups, wanted):
        raise project.Failed(f'no test matches TEST={wanted} in {", ".join(setups or USUAL)}')
    root, modules = project.build_modules()
    modules += ports.modules(driver)
    built = project.build_programs()
    tests = [test for test in select(built['igt'], wanted) if is_any(test, only) and not is_any(test, but)]
    chosen = plan(tests, setups, wanted)
    if not any(chosen.values()):
        raise project.Failed(f'no test matches TEST={wanted} in {", ".join(chosen)}')
    if driver == 'sgt' and any(program == sample.TEST for program, _ in tests):
        modules = [*modules, sample.build()]
    image = project.BUILD / f'guest-{driver}.cpio'
    initramfs.build(root, modules, {**built['samples'], **built['igt']}, driver, image)

    line = '' if project.is_default() else project.chosen_kernel()
    arch = '' if project.arch().is_native() else project.arch().name
    other = driver if driver != 'sgt' else ''
    suffix = ''.join(f'-{word}' for word in (line, arch, other) if word)
    again = ('make igt' + f' ARCH={arch}' * bool(arch) + f' DRIVER={other}' * bool(other) +
             ' SETUP=')

    def session(setup: str) -> None:
        suite = setup + suffix
        machine = vm.Vm(setup, driver, root, image, report.directory / suite,
                        lambda key, value: report.fact(suite, key, value), append=vm.asked())
        Session(report, machine, suite, again + setup).run(chosen[setup])

    for setup, fit in chosen.items():
        project.say(f'-- {len(fit)} tests in QEMU, set-up {setup}')
    report.side_by_side((setup + suffix, again + setup, functools.partial(session, setup))
                        for setup, fit in chosen.items() if fit)
