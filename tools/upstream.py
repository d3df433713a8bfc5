# SPDX-License-Identifier: GPL-2.0
"""Runs upstream's IGT programs, as Debian builds them, on a driver and on the kernel's own.

Each driver has a guest of its own, so that what one breaks is not blamed on the other.
"""

import dataclasses
import fnmatch
import functools
import re
import threading
from collections.abc import Iterable

import boots
import deadline
import guestroot
import igt
import project
import splat
import vm
from report import Report

SUITE = 'check-igt'
SETUPS = ('phys', 'iommu', 'swiotlb', 'virgl',
          'debug-phys', 'debug-iommu', 'debug-swiotlb', 'debug-virgl')
# {test: why it fails}; a test here that does not fail, fails the run.
KNOWN = project.TOOLS / 'igt-known'
THEIRS = 'in-tree'
# The time limit of a program, on each side
SECONDS = 300

# All that need no 3D, no CRC of what a screen shows, and no hardware that a guest has not
PROGRAMS = '''
    core_auth core_debugfs core_getclient core_getstats core_getversion core_setmaster
    core_setmaster_vs_auth core_sysfs dumb_buffer drm_read drm_virtgpu dmabuf_sync_file fbdev
    prime_vgem syncobj_basic syncobj_eventfd syncobj_timeline syncobj_wait vgem_basic
    kms_addfb_basic kms_async_flips kms_atomic kms_atomic_interruptible kms_atomic_transition
    kms_concurrent kms_cursor_legacy kms_debugfs kms_feature_discovery kms_flip
    kms_flip_event_leak kms_getfb kms_invalid_mode kms_lease kms_prop_blob kms_properties kms_rmfb
    kms_sequence kms_setmode kms_sysfs_edid_timing kms_vblank core_hotunplug
'''.split()

STATES = {'SUCCESS': 'pass', 'SKIP': 'skip', 'FAIL': 'fail', 'CRASH': 'fail', 'TIMEOUT': 'fail'}
STARTED = re.compile(r'^Starting subtest: (\S+)\n', re.M)
ENDED = re.compile(r'^(?:Subtest (\S+): )?(SUCCESS|SKIP|FAIL|CRASH|TIMEOUT) \((\d+\.\d+)s\)', re.M)
LOGGED = re.compile(r'\[IGT\] \w+: starting subtest (\S+)$', re.M)


@dataclasses.dataclass(frozen=True)
class Result:
    """What a test made of one driver."""
    state: str
    detail: str = ''
    seconds: float = 0.0


# {subtest: its result}; a program without subtests has one, without a name.
Results = dict[str, Result]


def parts(text: str, start: re.Pattern[str]) -> dict[str, str]:
    """{subtest: the text from its start to that of the next one}; '' has what is before them."""
    pieces = start.split(text)
    return {'': pieces[0], **dict(zip(pieces[1::2], pieces[2::2]))}


def results(outcome: vm.Outcome, taint: int) -> Results:
    """The results of a program, which ran all of its subtests."""
    outputs, logs = parts(outcome.output, STARTED), parts(outcome.log, LOGGED)
    found = {}
    for subtest, word, seconds in ENDED.findall(outcome.output):
        text, state = outputs.get(subtest, ''), STATES[word]
        # A fixture that skips says why before the first subtest, or in place of it.
        detail = igt.reason(text or outcome.output, state == 'fail') if state != 'pass' else ''
        found[subtest] = Result(state, detail, float(seconds))
    # What did not end, did not pass.
    last = [*outputs][-1]
    if last not in found and (outcome.status not in (0, igt.SKIP) or not found):
        killed = f'killed after {outcome.seconds:.0f} s' * (outcome.status == igt.KILLED)
        found[last] = Result('fail', killed or f'exit status {outcome.status}', outcome.seconds)
    for subtest, log in logs.items():
        wrong = splat.complaint(log, 0)
        if wrong:
            found[subtest] = Result('fail', wrong)
    new = splat.complaint('', outcome.taint & ~taint)
    if new and not any(result.detail.startswith('kernel: ') for result in found.values()):
        found[last] = Result('fail', new)
    return found


def listed() -> dict[str, str]:
    """{test, as a pattern: reason} of KNOWN; one that is not run has a ! before it."""
    lines = (line.split('#')[0].split(maxsplit=1) for line in KNOWN.read_text().splitlines())
    return {test: reason.strip() for test, reason in filter(None, lines)}


def known() -> dict[str, str]:
    """{test, as a pattern: why it fails} of KNOWN."""
    return {test: why for test, why in listed().items() if not test.startswith('!')}


def left_out(program: str) -> list[str]:
    """The subtests of a program, as patterns, that KNOWN leaves out."""
    globs = [test[1:].partition('@') for test in listed() if test.startswith('!')]
    return [subtest for name, _, subtest in globs if name == program]


def reason(test: str, why: dict[str, str]) -> str:
    """The reason that is known for a test; '' if there is none."""
    return next((said for glob, said in why.items() if fnmatch.fnmatchcase(test, glob)), '')


def judge(ours: Result | None, theirs: Result | None, why: str) -> tuple[str, str]:
    """The result of a test, and its detail; why is the reason that is known for it."""
    beside = theirs.state if theirs else 'none'
    said = f': {ours.detail}' if ours and ours.detail else ''
    state = ours.state if ours else 'none'
    if state == 'pass' and why:
        return 'fail', f'passes, but {KNOWN.name} has a reason why it fails: {why}'
    if state == 'pass':
        return 'pass', f'{THEIRS}: {beside}' if beside != 'pass' else ''
    if beside == 'pass' or state == 'none':
        return 'fail', f'{state}, {THEIRS}: {beside}{said}'
    if state == 'skip':
        return 'skip', said[2:] + f' ({THEIRS}: {beside})' * (beside != 'skip')
    if why:
        return 'skip', f'fails ({THEIRS}: {beside}): {why}'
    return 'fail', f'{THEIRS}: {beside}{said}'


# What is a fault, whatever the other driver does
GRAVE = re.compile('kernel: |VM lost|exit status')


def grave(found: Results) -> Results:
    """The tests in which the kernel complained, or that could not run."""
    return {subtest: result for subtest, result in found.items()
            if result.state == 'fail' and GRAVE.match(result.detail)}


class Side(igt.Session):
    """Runs programs on one driver, each whole."""

    def __init__(self, table: 'Table', driver: str, machine: vm.Vm, again: str,
                 seconds: int = SECONDS) -> None:
        super().__init__(table.report, machine, f'{SUITE}-{driver}', again, seconds)
        self.table, self.driver = table, driver

    def one(self, program: str, subtest: str | None) -> None:
        command = ['upstream', program]
        out = left_out(program) if not subtest else []
        if subtest or out:
            command += ['--run-subtest', subtest or ','.join(['*', *(f'!{glob}' for glob in out)])]
        try:
            outcome = self.machine.run(self.limit(), *command)
        except vm.Lost as error:
            output = self.machine.received.decode(errors='replace')
            self.drop()
            last = [*parts(output, STARTED)][-1]
            found = {**results(vm.Outcome(0, output, '', 0, True, 0), 0),
                     last: Result('fail', f'VM lost: {error}')}
            self.table.add(program, self.driver, found, output)
            return
        if self.is_cut(outcome):
            self.late(program, subtest)
            return
        found = results(outcome, self.taint)
        broken = self.unfit(outcome) or not outcome.bound
        self.taint = outcome.taint
        self.table.add(program, self.driver, found,
                       f'{outcome.output}\n-- kernel log\n{outcome.log}')
        if broken:
            self.drop()

    def late(self, program: str, subtest: str | None) -> None:
        self.table.late.add(program)

    def stop(self) -> None:
        """Unloads a driver that is tested; how the other one ends is not our matter."""
        if self.driver == THEIRS:
            self.drop()
        else:
            super().stop()


class Table:
    """The results of two drivers; reports each program when both have run it."""

    def __init__(self, report: Report, driver: str, again: str, whole: bool = True) -> None:
        """again is the command that repeats it; whole: the programs run all of their subtests."""
        self.report, self.driver, self.again, self.whole = report, driver, again, whole
        self.why = known() if driver == 'sgt' else {}
        self.lock = threading.Lock()
        self.found: dict[str, dict[str, Results]] = {}
        self.texts: dict[str, str] = {}
        # Programs that a driver had no time for
        self.late: set[str] = set()

    def add(self, program: str, driver: str, found: Results, text: str) -> None:
        with self.lock:
            self.found.setdefault(program, {})[driver] = found
            if driver == self.driver:
                self.texts[program] = text
            if len(self.found[program]) == 2:
                self.compare(program)

    def compare(self, program: str) -> None:
        """Reports the tests of a program."""
        sides = self.found.get(program, {})
        ours, theirs = (sides.get(driver, {}) for driver in (self.driver, THEIRS))
        if not ours and not theirs:
            self.report.add(SUITE, program, 'fail', 0.0, 'ran on neither driver', '',
                            f'{self.again} TEST={program}')
        for subtest in dict.fromkeys([*ours, *theirs]):
            test = f'{program}@{subtest}' if subtest else program
            mine, other = ours.get(subtest), theirs.get(subtest)
            why = reason(test, self.why)
            # Where both fail, the port has changed nothing.
            if (self.driver != 'sgt' and mine and other and mine.state == other.state == 'fail' and
                    subtest not in grave(ours)):
                why = f'{THEIRS} fails, too'
            result, detail = judge(mine, other, why)
            self.report.add(SUITE, test, result, mine.seconds if mine else 0.0, detail,
                            self.texts.get(program, ''), f'{self.again} TEST={test}')
        failed = [f'{program}@{subtest}' for subtest, mine in ours.items() if mine.state == 'fail']
        for glob in self.why if self.whole else ():
            if glob.partition('@')[0] == program and not fnmatch.filter(failed, glob):
                self.report.add(SUITE, glob, 'fail', 0.0, f'{KNOWN.name} names it, but no such '
                                'test fails', '', f'{self.again} TEST={program}')

    def rest(self, programs: Iterable[str]) -> None:
        """Reports the programs that one of the drivers has not run."""
        for program in programs:
            if program in self.late:
                for subtest, mine in grave(self.found.get(program, {}).get(self.driver, {})).items():
                    self.report.add(SUITE, f'{program}@{subtest}', 'fail', mine.seconds, mine.detail,
                                    self.texts[program], f'{self.again} TEST={program}@{subtest}')
                deadline.skip(self.report, SUITE, program)
            elif len(self.found.get(program, {})) != 2:
                self.compare(program)

    def summary(self) -> None:
        """Prints, for each program, what the tests made of both drivers."""
        sides = self.driver, THEIRS
        project.say(f'\n{"passed, failed, skipped":<28}' + ''.join(f'{side:>16}' for side in sides))
        for program, found in sorted(self.found.items()):
            counts = []
            for side in sides:
                states = [result.state for result in found.get(side, {}).values()]
                counts.append(' '.join(f'{states.count(state):>4}' for state in ('pass', 'fail', 'skip')))
            project.say(f'{program:<28}' + ''.join(f'{count:>16}' for count in counts))


def select(wanted: str) -> list[igt.Test]:
    """The programs, each with the pattern of its subtests if TEST= has one."""
    program, _, subtest = (wanted or '*').partition('@')
    return [(name, subtest or None) for name in PROGRAMS if fnmatch.fnmatch(name, program)]


def compared(driver: str) -> tuple[str, str]:
    """The drivers that are compared."""
    if driver == THEIRS:
        raise project.Failed(f'DRIVER={THEIRS}: the driver that others are compared with')
    return driver, THEIRS


def note(report: Report, tests: list[igt.Test]) -> None:
    """Names what is not run."""
    out = [f'{name}@{glob}' for name, subtest in tests if not subtest for glob in left_out(name)]
    report.note(f'{SUITE} left out: {", ".join(out)}' if out else '')
    # Debian's next release gets new versions, whose tests may be others.
    version = guestroot.root('igt').name.removeprefix('igtroot-').rpartition('-')[0]
    report.note(f'{SUITE} ran version {version} of IGT')


def run(report: Report, setups: Iterable[str], wanted: str, driver: str) -> None:
    if boots.turn() not in (None, boots.UPSTREAM):
        report.note(f'turn {boots.turn()} of {boots.TURNS} left out: {SUITE}')
        return
    sides, tests = compared(driver), select(wanted)
    if not tests:
        raise project.Failed(f'no program matches TEST={wanted}: {" ".join(PROGRAMS)}')
    again = f'make {SUITE}' + (f' DRIVER={driver}' if driver != 'sgt' else '')
    for setup in setups or SETUPS[:1]:
        table = Table(report, driver, again + (f' SETUP={setup}' if setups else ''),
                      '@' not in wanted)

        def session(guest: guestroot.Guest) -> None:
            machine = guest.machine(report.directory / f'{SUITE}-{guest.driver}')
            Side(table, guest.driver, machine, table.again, guest.seconds(SECONDS)).run(tests)

        guests = guestroot.guests('igt', setup, sides,
                                  {'upstream': project.TOOLS / 'guest-upstream'})
        project.say(f'-- {len(tests)} programs of IGT in QEMU, set-up {setup}, '
                    f'on {driver} and {THEIRS}')
        report.side_by_side((f'{SUITE}-{side}', table.again, functools.partial(session, guest))
                            for side, guest in guests.items())
        table.rest(program for program, _ in tests)
        table.summary()
    note(report, tests)
