# SPDX-License-Identifier: GPL-2.0
"""The boots of the debug kernels: the tests of each, and what one turn of three leaves out."""

import dataclasses
import functools
import os
from collections.abc import Iterable

import igt
import project

# Three runs in a row, each with the turn after that of the one before, run everything.
TURNS = 3
# {turn: the set-ups of igt on the kernels of the list KERNELS that have turns}: those that are
# known to pass.
KERNELS: dict[int, tuple[str, ...]] = {0: ('icount', 'swiotlb'), 1: ('phys', 'edu', 'blob'),
                                      2: ('mmio', 'iommu')}
# {turn: the set-ups of igt on the architectures that are not this machine's}
ARCHES: dict[int, tuple[str, ...]] = {0: ('phys',), 1: ('iommu',), 2: ('noncoherent',)}
# The one that runs upstream's IGT programs.
UPSTREAM = 0
# The one that starts desktops.
DESKTOP = 1
# The one that builds and tests the ports, also in 3D.
PORTS = 2
# The one that makes a series of patches, and builds each.
PATCHES = 0
# The one that compiles with clang, and for i386.
VARIANTS = 1


@dataclasses.dataclass(frozen=True)
class Boot:
    """A guest, and which tests run in it, as program@subtest."""
    kernel: str
    setup: str
    tests: str
    rounds: int = 1
    # The console on the screen takes four fifths of the time of a bind.
    console: bool = False
    but: str = ''
    # Emulated, a second one makes all that is no race take twice as long.
    cpus: int = 2
    # The turn that runs all of it, if not every turn does; and what the others run, in one round.
    turn: int | None = None
    short: str = ''


# What needs a second CPU to go wrong
RACES = 'sgt_race@* sgt_module@close-race sgt_vm_unbind@race sgt_vm_unbind@*-in-flight'
# By all routes, as only the ends of a PCI device have the kernel look for mappings by itself
BRIEF = ('sgt_create@* sgt_import_unbind@virtio-* sgt_vm_unbind@virtio-* sgt_unbind@virtio-* '
         'sgt_unbind@pci-everything sgt_unbind@remove-everything')
ALL = functools.partial(Boot, 'debug', tests='*', rounds=7, but=RACES, cpus=1, short=BRIEF)
RACING = functools.partial(Boot, 'debug', tests=RACES, rounds=7, short=RACES)

# In an order that has one with two CPUs beside one with a single CPU, most of the time. Twenty
# rounds of each test that repeats itself, over the three set-ups; KCSAN samples: it wants time more
# than repetition. Where a commit can fail does not depend on the set-up, and takes ten times as
# long with an IOMMU; nor does what a file may multiply, which takes minutes. The set-up that takes
# the least time has its turn with KCSAN's, whose kernel the other two do not build.
BOOTS = {
    'kunit': Boot('debug', 'iommu', 'kunit'),
    'iommu': ALL('iommu', but=f'{RACES} sgt_fail_kms@* sgt_abuse*@*', turn=0),
    'kcsan-kunit': Boot('kcsan', 'iommu', 'kunit', turn=2),
    'fuzz': Boot('debug', 'iommu', 'fuzz', turn=0, short='fuzz'),
    'bypass': Boot('debug', 'bypass', '*'),
    'edu': Boot('debug', 'edu', '*', cpus=1),
    'blob': Boot('debug', 'blob', 'sgt_blob@* sgt_fb@*', cpus=1),
    'swiotlb': ALL('swiotlb', but=f'{RACES} sgt_abuse*@*', turn=1),
    'console': Boot('debug', 'iommu', 'sgt_unbind@pci-* sgt_screen@*', console=True, turn=1,
                    short='sgt_unbind@pci-everything sgt_screen@screen'),
    'kcsan': Boot('kcsan', 'iommu', 'sgt_race@* sgt_unbind@pci-* sgt_vm_unbind@pci-*', turn=2),
    'iommu-races': RACING('iommu', turn=0),
    'swiotlb-races': RACING('swiotlb', turn=1),
    'phys': ALL('phys', turn=2),
    'phys-races': RACING('phys', turn=2),
    'mmio': Boot('debug', 'mmio', igt.SHORT['mmio'], turn=1,
                 short='sgt_unbind@virtio-everything sgt_unbind@virtio-unload'),
}
COMPARABLE = 'swiotlb', 'iommu', 'phys'


def turn() -> int | None:
    """The turn that TURN= selects; None without one: everything runs."""
    asked = os.environ.get('TURN')
    if asked and not asked.isdigit():
        raise project.Failed(f'TURN={asked}: a number is wanted, of which {TURNS} are different')
    return int(asked) % TURNS if asked else None


def in_turn(boot: Boot, number: int | None) -> Boot | None:
    """The part of a boot that a turn runs, as a boot; None if it runs nothing."""
    if number is None or boot.turn in (None, number):
        return boot
    return dataclasses.replace(boot, tests=boot.short, rounds=1) if boot.short else None


def chosen(names: Iterable[str], number: int | None) -> dict[str, Boot]:
    """{name: boot} that a turn runs, first the boots that only this turn runs in full."""
    first = sorted(names, key=lambda name: number is None or BOOTS[name].turn != number)
    found = {name: in_turn(BOOTS[name], number) for name in first}
    return {name: boot for name, boot in found.items() if boot}


def of(turns: dict[int, tuple[str, ...]], number: int | None) -> list[str]:
    """The set-ups that a turn, or a run without turns, has of KERNELS or ARCHES."""
    return [setup for turn, setups in turns.items() if number in (None, turn)
            for setup in setups]


def left_out(number: int | None) -> str:
    """Says what a turn leaves to the others; empty if it leaves nothing."""
    if number is None:
        return ''
    found = {name: in_turn(boot, number) for name, boot in BOOTS.items()}
    gone = [name for name, boot in found.items() if not boot]
    brief = [name for name, boot in found.items() if boot and boot is not BOOTS[name]]
    said = [f'all of {", ".join(gone)}'] * bool(gone)
    said += [f'all but a short form of {", ".join(brief)}'] * bool(brief)
    return f'turn {number} of {TURNS} left out: {"; ".join(said)}'
