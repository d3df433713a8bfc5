# SPDX-License-Identifier: GPL-2.0
"""Runs random programs of ioctls on a debug kernel, and reduces those that break it."""

import math
import os
import re
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import deadline
import debugguest
import igt
import project
import splat
import vm
from report import Report

PROGRAM = project.BUILD / 'igt/fuzz/sgt_fuzz'
FOUND = project.BUILD / 'fuzz'
SETUPS = 'iommu', 'phys', 'swiotlb'
SECONDS = int(os.environ.get('SECONDS') or 180)
BRIEF_SECONDS = min(SECONDS, 60)

# The program that killed a guest is searched for with up to this many new guests.
BOOTS = 12
# For one program and its reduction
PATIENCE = 900
# How often a suspect program runs; how many programs before it are tried with it
TRIES, BEFORE = 20, 10
# Without a limit, each set-up runs for this many seconds in turn.
TURN = 600


def word(text: str) -> str:
    """A program as one word of a command line."""
    lines = (line.split('#')[0].split() for line in text.splitlines())
    return ';'.join(','.join(line) for line in lines if line)


def text(ops: str) -> str:
    """A program as text, one operation a line."""
    return ops.replace(',', ' ').replace(';', '\n') + '\n'


class Listener:
    """Parses the output of the fuzzer: its position, the suspect program, and messages."""

    def __init__(self, setup: str) -> None:
        self.setup, self.rest = setup, b''
        self.index, self.ops, self.found, self.progress = 0, '', '', ''

    def __call__(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b'\n')
        for line in lines:
            self.line(line.decode(errors='replace'))

    def line(self, line: str) -> None:
        key, _, value = line.partition(' ')
        if key == 'at':
            self.index = int(value)
        elif key == 'ops':
            self.ops = value
        else:
            if key == 'found:':
                self.found = value
            if key == 'seed':
                self.progress = line
            if key in ('found:', 'seed', 'looking'):
                project.say(f'   {self.setup:<8} {line}')


class Hunt:
    """The fuzzer in guests of one set-up."""

    def __init__(self, results: Report, setup: str, seed: int) -> None:
        self.results, self.setup, self.seed = results, setup, seed
        self.name = f'seed-{seed}'
        self.again = f'make fuzz SETUP={setup} SEED={seed}'

    def guest(self) -> vm.Vm:
        # Without the console, the core keeps the last cursor when no file is open.
        return debugguest.machine(f'fuzz-{self.setup}', self.setup, console=True)

    def run(self, limit: float, *arguments: object) -> vm.Outcome | None:
        """Runs the fuzzer in a new guest; returns the outcome, or None if the guest died."""
        self.heard = Listener(self.setup)
        machine = self.guest()
        self.log, self.cut = '', False
        try:
            machine.boot()
            limit = math.ceil(min(limit, deadline.left()))
            outcome = machine.run(limit, 'sgt_fuzz', *(str(word) for word in arguments),
                                  live=self.heard)
            self.log = outcome.output
            # Not if the kernel complained before.
            self.cut = (outcome.status == igt.KILLED and deadline.is_late() and
                        not self.heard.found and not splat.complaint(outcome.log, 0))
            if outcome.status == igt.KILLED:
                self.heard.found = self.heard.found or f'killed after {limit} s'
            if outcome.status == 0:
                checks = machine.run(limit, 'sgt-debug', 'checks')
                self.heard.found = debugguest.wrong(checks.output)
                self.log += checks.output
            return outcome
        except vm.Lost as error:
            console = machine.console.read_text(errors='replace').splitlines()
            self.heard.found = self.heard.found or str(error)
            self.log = '\n'.join(console[-300:])
            return None
        finally:
            machine.close()

    def hunt(self, seconds: float) -> None:
        """Runs random programs for a time."""
        started = time.monotonic()
        outcome = self.run(seconds + PATIENCE, '--seed', self.seed, '--seconds', seconds)
        if outcome and self.cut:
            deadline.skip(self.results, 'fuzz', f'{self.setup}-{self.name}')
            return
        heard, log = self.heard, self.log
        if outcome and outcome.status in (0, 1, 3):
            ops = heard.ops
        else:
            ops = self.search(heard)
        self.conclude(heard, ops, log, time.monotonic() - started)

    def replay(self, name: str, ops: str) -> None:
        started = time.monotonic()
        outcome = self.run(PATIENCE, '--ops', ops, '--count', TRIES)
        if outcome:
            ops = self.heard.ops or ops
        self.name, self.again = name, f'make fuzz SETUP={self.setup} REPLAY={name}'
        self.conclude(self.heard, ops, self.log, time.monotonic() - started)

    def conclude(self, heard: Listener, ops: str | None, log: str, seconds: float) -> None:
        found = heard.found
        if not found:
            said = re.sub(r'seed \d+: ', '', heard.progress)
            self.results.add('fuzz', f'{self.setup}-{self.name}', 'pass', seconds, said)
            return
        if ops:
            FOUND.mkdir(parents=True, exist_ok=True)
            path = FOUND / f'{self.setup}-{self.seed}-{heard.index}.txt'
            path.write_text(f'# {found}\n{text(ops)}')
            project.say(f'The program that does it:\n{text(ops)}')
            self.again = f'make fuzz SETUP={self.setup} REPLAY={project.shown(path)}'
        self.results.add('fuzz', f'{self.setup}-{self.name}', 'fail', seconds, found[:120], log,
                         self.again)

    def search(self, heard: Listener) -> str:
        """Reduces a program that killed the guest, with a new guest for each try."""
        boots = 0

        def breaks(*arguments: object) -> bool:
            nonlocal boots
            if deadline.is_late():
                return False
            boots += 1
            project.say(f'   {self.setup:<8} guest {boots} of at most {BOOTS}')
            outcome = self.run(PATIENCE, *arguments)
            return outcome is None or outcome.status != 0

        ops = heard.ops or self.generate(heard.index)
        if not breaks('--ops', ops, '--count', TRIES):
            first = max(0, heard.index - BEFORE)
            count = heard.index - first + 1
            alone = breaks('--seed', self.seed, '--first', first, '--count', count)
            project.say(f'   {self.setup:<8} ' + (f'it takes the sequences from {first} on' if alone
                                                  else 'it does not happen again'))
            return ops

        parts = ops.split(';')
        chunk = len(parts) // 2
        while chunk and boots < BOOTS:
            at = len(parts) - chunk
            while at >= 0 and boots < BOOTS:
                less = parts[:at] + parts[at + chunk:]
                if less and breaks('--ops', ';'.join(less), '--count', TRIES):
                    parts = less
                at -= chunk
            chunk //= 2
        return ';'.join(parts)

    def generate(self, index: int) -> str:
        """The program with this index: a function of the seed, and the same on the host."""
        listed = subprocess.run([PROGRAM, '--print', '--count', '1', '--seed', str(self.seed),
                                 '--first', str(index)], check=True,
                                stdout=subprocess.PIPE, text=True)
        return listed.stdout.splitlines()[0].partition(' ')[2]


def run(results: Report, seconds: float, setups: Collection[str] = (),
        seed: int | str | None = None, replay: str | None = None) -> None:
    """Fuzzes each set-up for its share of the seconds; 0: for ever."""
    seed = int(seed or time.time())
    setups = setups or SETUPS
    debugguest.prepare()
    if replay:
        ops = word(Path(replay).read_text())
        for setup in setups:
            Hunt(results, setup, seed).replay(replay, ops)
        return
    while True:
        project.say(f'-- fuzz: SEED={seed}, set-ups {" ".join(setups)}')
        for setup in setups:
            if deadline.is_late():
                deadline.skip(results, 'fuzz', setup)
            else:
                Hunt(results, setup, seed).hunt(seconds // len(setups) or TURN)
        if seconds or any(result in ('fail', 'lost') for _, _, result, _ in results.results):
            return
        seed += 1
