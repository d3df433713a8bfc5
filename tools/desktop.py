# SPDX-License-Identifier: GPL-2.0
"""Desktops of Debian on a driver and on the kernel's own: both must show the same.

Each driver has a guest. Both start a program at the same time, and wait until their screens are
equal; then one of them unbinds the GPU under it, and starts it again.
"""

import fnmatch
import functools
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import boots
import deadline
import guestroot
import igt
import picture
import project
import vm
from report import Report
from upstream import THEIRS, compared

SUITE = 'check-desktop'
SETUPS = 'phys', 'iommu', 'swiotlb'
FILES = project.TOOLS / 'desktop'
# The time limit of each look at a screen, and of a program
LOOK_SECONDS, SECONDS = 120, 400
# That of the other guest's program before: it can hang until that guest is lost and booted again.
MEET_SECONDS = SECONDS + vm.GRACE_SECONDS + vm.BOOT_SECONDS + 60
# Pixels of a colour that show that a window is there
PIXELS = 1000

# {program: {a colour: pixels of it that the screen has at least when it is complete}}
WINDOWS = {'bfbfbf': 18000, 'ffbc00': 1000}
PROGRAMS = {
    'weston-pixman': WINDOWS,
    'weston-gl': WINDOWS,
    'xorg': {'204060': 100000, 'f0c020': 1000, 'c02040': 1000, '30a060': 1000, 'ffffff': 50000},
    'modetest': {'c0c000': 1000, '32006a': 1000},
    'kmscube': {'808080': 100000},
}

# Width, height and RGB bytes
Picture = tuple[int, int, bytes]
Colours = dict[str, int]


def missing(shown: Picture, colours: Colours) -> list[str]:
    """The colours of which a picture has too few pixels."""
    return [colour for colour, least in colours.items()
            if picture.count(shown[2], bytes.fromhex(colour)) < least]


class Scene:
    """What a program shows on both drivers."""

    def __init__(self, program: str, colours: Colours, directory: Path) -> None:
        self.program, self.colours, self.directory = program, colours, directory
        self.lock = threading.Lock()
        # Both guests start a program at once.
        self.meeting = threading.Barrier(2)
        # {driver: its last complete picture}
        self.last: dict[str, Picture] = {}
        self.agreed: Picture | None = None

    def wrong(self, driver: str, shown: Picture) -> str:
        """How a screen differs from that of the other driver; empty if it does not."""
        lost = missing(shown, self.colours)
        if lost:
            return f'the screen lacks colour {" ".join(lost)}'
        with self.lock:
            changed, self.last[driver] = self.last.get(driver) != shown, shown
            if changed:
                return 'the screen changes'
            other = self.agreed or next((last for side, last in self.last.items()
                                         if side != driver), None)
            if not other:
                return 'the other driver shows nothing complete'
            if other[:2] != shown[:2]:
                return f'the screen is {shown[0]}x{shown[1]}, the other {other[0]}x{other[1]}'
            if shown[2] != other[2]:
                return picture.difference(*shown, other[2]) or ''
            if not self.agreed:
                self.agreed = shown
                self.save('', shown)
        return ''

    def save(self, driver: str, shown: Picture) -> Path:
        """Writes a picture; without a driver, it is that of both."""
        path = self.directory / f'{self.program}{"-" * bool(driver)}{driver}.png'
        picture.write_png(path, *shown)
        return path


class Side(igt.Session):
    """Runs the programs on one driver."""

    def __init__(self, report: Report, suite: str, guest: guestroot.Guest, again: str,
                 scenes: dict[str, Scene]) -> None:
        super().__init__(report, guest.machine(report.directory / suite), suite, again,
                         guest.seconds(SECONDS))
        self.guest, self.scenes = guest, scenes

    def booted(self, outcome: vm.Outcome) -> None:
        self.machine.host.requests.update(look=self.look, colour=self.colour)

    def one(self, program: str, subtest: str | None) -> None:
        self.scene = self.scenes[program]
        again = f'{self.again} TEST={program}'
        try:
            self.scene.meeting.wait(self.guest.seconds(MEET_SECONDS))
        except threading.BrokenBarrierError:
            if deadline.is_late():
                self.late(program, subtest)
                return
            self.report.add(self.suite, program, 'fail', 0.0, 'the other guest is gone', '', again)
            return
        super().one(program, subtest)

    def command(self, program: str, subtest: str | None) -> list[str]:
        return ['desktop', program] + ['again'] * (self.machine.driver != THEIRS)

    def unfit(self, outcome: vm.Outcome) -> bool:
        # What a desktop leaves that did not end by itself stops the next one.
        return outcome.status == igt.KILLED or super().unfit(outcome)

    def until(self, wrong: Callable[[Picture], str]) -> str:
        """Waits until nothing is wrong with the screen; the reply to the guest."""
        end = time.monotonic() + self.guest.seconds(LOOK_SECONDS)
        while said := wrong(shown := self.machine.host.dump()):
            if time.monotonic() > end:
                path = self.scene.save(self.machine.driver, shown)
                return f'fail {said} ({project.shown(path)})'
            time.sleep(0.3)
        return 'ok'

    def colour(self, wanted: str) -> str:
        """A request of the guest: the screen has a colour."""
        return self.until(lambda shown: ' '.join(missing(shown, {wanted: PIXELS})))

    def look(self, *stage: str) -> str:
        """A request of the guest: the screen is right."""
        started = time.monotonic()
        answer = self.until(functools.partial(self.scene.wrong, self.machine.driver))
        if answer != 'ok':
            return answer
        seconds = f'{time.monotonic() - started:.0f} s'
        what = f'{self.scene.program} {" ".join(stage)}'
        project.say(f'{self.suite:<19} {what} after {seconds}')
        self.report.fact(self.machine.driver, what, seconds)
        return 'ok'

    def stop(self) -> None:
        """Unloads a driver that is tested; how the other one ends is not our matter."""
        if self.machine.driver == THEIRS:
            self.drop()
        else:
            super().stop()


def names() -> list[str]:
    return [*PROGRAMS]


def files() -> Path:
    """The directory of what the programs read; builds what stops one that never ends to draw."""
    into = project.BUILD / 'desktop'
    shutil.copytree(FILES, into, dirs_exist_ok=True)
    source = into / 'stop-at-frame.c'
    project.step(source.stem, ['gcc', '-O2', '-Wall', '-shared', '-fPIC', source, '-o',
                               source.with_suffix('.so')], project.BUILD / f'log/{source.stem}.log')
    return into


def show(report: Report, suite: str, setup: str, programs: Iterable[str], driver: str, again: str,
         side: type[Side] = Side) -> None:
    """Runs programs on a driver and on the kernel's own; again is the command that repeats it."""
    guests = guestroot.guests('desktop', setup, compared(driver),
                              {'desktop': project.TOOLS / 'guest-desktop'},
                              {'packages/root/desktop': files()})
    pictures = report.directory / suite
    pictures.mkdir(exist_ok=True)
    scenes = {name: Scene(name, PROGRAMS[name], pictures) for name in programs}

    def session(guest: guestroot.Guest) -> None:
        try:
            side(report, f'{suite}-{guest.driver}', guest, again, scenes).run(
                [(name, None) for name in scenes])
        finally:
            for scene in scenes.values():
                scene.meeting.abort()

    project.say(f'-- {len(scenes)} programs in QEMU, set-up {setup}, on {driver} and {THEIRS}')
    report.side_by_side((f'{suite}-{name}', again, functools.partial(session, guest))
                        for name, guest in guests.items())


def run(report: Report, setups: Iterable[str], wanted: str, driver: str) -> None:
    if boots.turn() not in (None, boots.DESKTOP):
        report.note(f'turn {boots.turn()} of {boots.TURNS} left out: {SUITE}')
        return
    for setup in setups or SETUPS[:1]:
        again = ' '.join([f'make {SUITE}', *[f'DRIVER={driver}'] * (driver != 'sgt'),
                          *[f'SETUP={setup}'] * bool(setups)])
        show(report, SUITE, setup, fnmatch.filter(PROGRAMS, wanted or '*'), driver, again)
