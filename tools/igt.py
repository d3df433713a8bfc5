# SPDX-License-Identifier: GPL-2.0
"""Runs the IGT tests in the guest, each subtest alone, in one boot per set-up."""

import fnmatch
import os
import re
import subprocess
import time

import initramfs
import project
import vm

SECONDS = int(os.environ.get('TEST_SECONDS') or 180)
SKIP = 77
KILLED = 137

# Kernel taints that a test must not cause: an Oops or BUG, a WARNING, a soft lockup.
TAINTS = {1 << 7: 'D', 1 << 9: 'W', 1 << 14: 'L'}
CRASHED = 1 << 7 | 1 << 14
SPLAT = re.compile(r'\bBUG\b|WARNING:|\bOops\b|general protection fault|Kernel panic|'
                   r'soft lockup|hung_task|blocked for more than|DMA-API:|'
                   r'DMAR: .*fault|rcu: .*stall|refcount_t:')


def subtests(program):
    """The names that the program lists; [None] when it has no subtests."""
    listed = subprocess.run([program, '--list-subtests'], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, timeout=60)
    return listed.stdout.split() or [None]


def select(programs, wanted):
    """The (program, subtest) pairs that match "program[@subtest]"; both may be patterns."""
    program_glob, _, subtest_glob = (wanted or '*').partition('@')
    return [(name, subtest) for name, path in programs.items()
            if fnmatch.fnmatch(name, program_glob)
            for subtest in subtests(path)
            if not subtest_glob or fnmatch.fnmatch(subtest or '', subtest_glob)]


def complaint(log, new_taint):
    """What the kernel had to say against a test, or None."""
    found = next((line for line in log.splitlines() if SPLAT.search(line)), None)
    letters = ''.join(letter for bit, letter in TAINTS.items() if new_taint & bit)
    if letters and not found:
        return f'the kernel is tainted: {letters}'
    return found and 'kernel: ' + re.sub(r'^\[[^]]*\] *', '', found)[:120]


def reason(output, failed):
    """IGT's own words on a failure or a skip, shortened; empty when there are none."""
    if failed:
        said = re.findall(r'CRITICAL: (.*)', output.split('**** DEBUG')[0])
        said = [text.removeprefix('Failed assertion: ') for text in said[1:]]
    else:
        said = (re.findall(r'^Test requirement: (.*)', output, re.M) or
                re.findall(r'^(?!Starting )(.*)\nSubtest \S+: SKIP', output, re.M))
    return '; '.join(dict.fromkeys(said))[:120]


def verdict(outcome, taint, must_be_bound=True):
    """Result and detail of what ran, with the taint there was before."""
    wrong = complaint(outcome.log, outcome.taint & ~taint)
    if wrong:
        return 'fail', wrong
    if outcome.status == KILLED and outcome.seconds >= SECONDS:
        return 'fail', f'killed after {SECONDS} s'
    if outcome.status not in (0, SKIP):
        return 'fail', reason(outcome.output, True) or f'exit status {outcome.status}'
    if must_be_bound and not outcome.bound:
        return 'fail', 'it left the GPU without a driver'
    if outcome.status == SKIP:
        return 'skip', reason(outcome.output, False)
    return 'pass', ''


class SetUp:
    """The tests of one set-up, in one guest as long as it lasts."""

    def __init__(self, report, machine):
        self.report, self.machine = report, machine
        self.again = f'make igt SETUP={machine.setup}'
        if machine.driver != 'sgt':
            self.again += f' DRIVER={machine.driver}'
        self.taint = 0
        self.up = False

    def run(self, tests):
        for number, (program, subtest) in enumerate(tests):
            if not self.up and not self.boot(again=number > 0):
                return
            self.one(program, subtest)
        if self.up:
            self.stop()

    def add(self, test, outcome, again, must_be_bound=True):
        result, detail = verdict(outcome, self.taint, must_be_bound)
        self.taint = outcome.taint
        self.report.add(self.machine.setup, test, result, outcome.seconds, detail,
                        f'{outcome.output}\n-- kernel log\n{outcome.log}', again)

    def lost(self, test, error, again, started):
        self.drop()
        output = self.machine.received.decode(errors='replace')
        console = self.machine.console.read_text(errors='replace').splitlines()
        self.report.add(self.machine.setup, test, 'lost', time.monotonic() - started,
                        f'VM lost: {error}',
                        f'{output}\n-- console\n' + '\n'.join(console[-300:]) + '\n', again)

    def drop(self):
        self.machine.close()
        self.up = False

    def boot(self, again):
        """Boots and loads the modules; when it works again after a loss, says nothing."""
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
        if outcome.status:
            self.drop()
        return self.up

    def one(self, program, subtest):
        test = f'{program}@{subtest}' if subtest else program
        again = f'{self.again} TEST={test}'
        command = [program] + (['--run-subtest', subtest] if subtest else [])
        started = time.monotonic()
        try:
            outcome = self.machine.run(SECONDS, *command)
        except vm.Lost as error:
            self.lost(test, error, again, started)
            return
        broken = outcome.taint & ~self.taint & CRASHED
        self.add(test, outcome, again)
        # No test is to suffer from what the one before it broke.
        if broken or not outcome.bound:
            self.drop()

    def stop(self):
        started = time.monotonic()
        try:
            self.add('unload', self.machine.unload(), self.again, must_be_bound=False)
            self.machine.power_off()
        except vm.Lost as error:
            self.lost('power-off', error, self.again, started)


def run(report, setups, wanted, driver):
    root, modules = project.build_modules()
    built = project.build_programs()
    tests = select(built['igt'], wanted)
    if not tests:
        raise project.Failed(f'no test matches TEST={wanted}')
    image = project.BUILD / f'guest-{driver}.cpio'
    initramfs.build(root, modules, {**built['samples'], **built['igt']}, driver, image)
    for setup in setups:
        directory = project.BUILD / 'check' / setup
        project.say(f'-- {len(tests)} tests in QEMU, set-up {setup}')
        machine = vm.Vm(setup, driver, root, image, directory,
                        lambda key, value, setup=setup: report.fact(setup, key, value))
        SetUp(report, machine).run(tests)
