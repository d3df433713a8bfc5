#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures maps, unmaps and buffers, compared with the kernel's own code; see "make help".

No target is enforced: the tables show which are missed.
"""

import collections
import csv
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import graft
import initramfs
import kunit
import plot
import project
import vm

CONFIG = project.TOOLS / 'bench.config'
BUILD = project.BUILD / 'bench'
SECONDS = 1800
PARTS = 'native', 'counted', 'buffers', 'display'

# How a driver is loaded and unloaded
DRIVERS = {'sgt': (['virtio_gpu_sgt'], ['virtio_gpu_sgt', 'drm_gpupt', 'drm_gem_sgt']),
           'in-tree': (['virtio_gpu'], ['virtio_gpu'])}
ROUNDS = 3

# The rows of the display: what sgt_bench calls them, and what part of the other's cost is allowed,
# for all sizes or by bytes
DISPLAY: dict[str, tuple[str, float | dict[int, float]]] = {
    'dumb': ('create and destroy, not shown', 0.1),
    'show': ('create, touch, add, show, destroy', 1),
    'huge': ('the same, ours with huge pages', {1 << 20: 0.5, 4 << 20: 1, 64 << 20: 0.2}),
    'burst': ('each of 2,000 creates and frees', 1),
    'map': ('create, map, touch, destroy', 1),
    'setcrtc': ('flip by SETCRTC', 1),
    'dirty': ('DIRTYFB of the screen', 1),
    'damage': ('DIRTYFB of 64x64 in a buffer', 1),
    'move': ('move of the cursor', 1),
}

SCATTERED = 'scattered-256', 'scattered-4096', 'scattered-65536', 'scattered-262144'

# The targets
TIMES, FIXED_NS = 1.5, 100
FEWER = 10
FLAT = 1.1
# One below the root, and one of 512 leaves of 2M
NEEDED_TABLES = 2

RESULT = re.compile(r'drm_gpupt_bench: (\S+) ([a-z]\S+) (\d+) (-?\d+) (-?\d+) (\d+)$', re.M)
TABLES = re.compile(r'drm_gpupt_bench: tables (\d+) of (\d+)$', re.M)
CLOCK = re.compile(r'drm_gpupt_bench: clock (\d+) ticks (\d+) ns$', re.M)

Cost = collections.namedtuple('Cost', 'ptes minimum median samples')
Met = Callable[[float, float], bool]
# By unit, driver, what, bytes, how many are alive (0: does not matter) and round
Samples = dict[tuple, list[int]]
# What is measured: its name, bytes and how many are alive
Case = tuple[str, int, int]
# The units of the guests, and how many of them the tables show as one
UNITS = {'instructions': 1, 'ns': 1000}


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Prints rows of strings: the first column is words, the others are numbers."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    project.say(f'\n{title}')
    for row in [head, *rows]:
        project.say('  '.join(word.rjust(width) if column else word.ljust(width)
                              for column, (word, width) in enumerate(zip(row, widths))).rstrip())


def number(value: float) -> str:
    return f'{value:.2f}' if value < 10 else f'{value:.1f}' if value < 1000 else f'{value:.0f}'


def verdict(met: bool | None) -> str:
    return '-' if met is None else 'met' if met else 'MISSED'


def size(count: int) -> str:
    return f'{count >> 20} MiB' if count >> 20 else f'{count >> 10} KiB'


class Csv:
    """A file of what was measured."""

    def __init__(self, name: str, *head: str) -> None:
        self.file = open(BUILD / name, 'w', newline='', buffering=1)
        self.writer = csv.writer(self.file)
        self.writer.writerow(head)

    def add(self, *row: object) -> None:
        self.writer.writerow(row)


class Costs:
    """The results of drm_gpupt_bench, in units of a number of ticks."""

    def __init__(self, log: str, part: str, unit: str, ticks: float, file: Csv) -> None:
        self.costs = {}
        for case, what, ptes, *numbers in RESULT.findall(log):
            minimum, median, samples = (int(word) for word in numbers)
            cost = Cost(int(ptes), minimum / ticks, median / ticks, samples)
            self.costs[case, what] = cost
            file.add(part, case, what, unit, ptes, f'{cost.minimum:.1f}', f'{cost.median:.1f}',
                     samples)
        if not self.costs:
            raise project.Failed(f'{part}: the benchmark has said nothing')

    def __getitem__(self, key: tuple[str, str]) -> Cost:
        return self.costs[key]

    def row(self, case: str, what: str, other: str, target: str = '-', met: Met | None = None,
            each: bool = False) -> list[str]:
        """A row of the table compares what with other; met(ours, theirs): is the target met?"""
        ours, theirs = self[case, what], self[case, other]
        ptes = ours.ptes if each else 1
        return [f'{case} {what}', number(ours.minimum / ptes), number(ours.median / ptes),
                other, number(theirs.minimum / ptes), number(theirs.median / ptes),
                f'{ours.median / max(theirs.median, 1):.2f}', target,
                verdict(met and met(ours.median, theirs.median))]


HEAD = ['what', 'minimum', 'median', 'beside', 'minimum', 'median', 'ratio', 'target', '']


def no_more(ours: float, theirs: float) -> bool:
    return ours <= theirs


def show_native(costs: Costs) -> None:
    """Contiguous ranges and unmaps have targets; the other rows show where time is spent."""
    bound = f'{TIMES:g} x + {FIXED_NS} ns'
    rows = []
    for case in '256x4K', '256x2M':
        rows += [costs.row(case, what, 'memset64', bound,
                           lambda ours, theirs: ours <= TIMES * theirs + FIXED_NS)
                 for what in ('map', 'map-commit')]
        rows += [costs.row(case, 'unmap' + phase, 'map' + phase, '1 x', no_more)
                 for phase in ('', '-commit')]
    for case in '1x4K', '1x2M':
        rows.append(costs.row(case, 'map', 'memset64', f'{FIXED_NS} ns',
                              lambda ours, theirs: ours < FIXED_NS))
        rows.append(costs.row(case, 'unmap', 'map', '1 x', no_more))
    table('Page tables: ns of one call (User Mode Linux)', HEAD, rows)

    rows = []
    for case in SCATTERED:
        rows.append(costs.row(case, 'map', 'memset64', each=True))
        rows.append(costs.row(case, 'unmap', 'map', '1 x', no_more, each=True))
    table('Page tables: ns of each PTE, single pages (User Mode Linux)', HEAD, rows)


def show_counted(costs: Costs, tables: tuple[int, int]) -> None:
    rows = []
    for case in SCATTERED:
        rows.append(costs.row(case, 'map', 'lib-map', f'{1 / FEWER:g} x',
                              lambda ours, theirs: ours * FEWER <= theirs, each=True))
        rows.append(costs.row(case, 'unmap', 'lib-unmap', each=True))
        rows.append(costs.row(case, 'unmap', 'map', '1 x', no_more, each=True))
    for case in '256x4K', '256x2M', '1x4K', '1x2M':
        rows.append(costs.row(case, 'map', 'lib-map', each=True))
        rows.append(costs.row(case, 'unmap', 'lib-unmap', each=True))
    ours, theirs = tables
    rows.append(['tables for 1 GiB of 2M folios', str(ours), '', 'reserved by VA', str(theirs),
                 '', f'{ours / theirs:.3f}', f'{NEEDED_TABLES}', verdict(ours == NEEDED_TABLES)])
    table('Page tables: instructions of each PTE (QEMU -icount), beside a call of io-pgtable '
          'for each segment', HEAD, rows)


def native(file: Csv) -> Costs:
    """Runs the benchmark on a User Mode Linux kernel of its own; returns the costs."""
    with graft.lock():
        home = graft.home()
        if not (home / 'bench/vmlinux').exists():
            project.say('-- the first build of this kernel takes some minutes')
        project.step('configuration', **kunit.kunit_py(
            home, 'config', f'--kunitconfig={CONFIG}', build='bench'))
        graft.build('kernel for User Mode Linux', home, ['ARCH=um', 'O=../bench'],
                    project.BUILD / 'log/bench-build.log')
        project.say('-- measuring page tables, native')
        output = '\n'.join(project.lines('User Mode Linux', **kunit.kunit_py(
            home, 'exec', '--raw_output=all', f'--timeout={SECONDS}', build='bench')))
    clock = CLOCK.search(output)
    if not clock:
        raise project.Failed('native: it did not come to an end; see build/log/kunit-exec.log')
    return Costs(output, 'native', 'ns', int(clock[1]) / int(clock[2]), file)


def modules() -> tuple[Path, list[Path]]:
    """The kernel's root, and our modules with the benchmark."""
    root = project.kernel('root')
    environment = {name: value for name, value in os.environ.items() if name != 'KDIR'}
    project.step('modules', [project.TOOLS / 'modules.sh', 'bench', 'CONFIG_DRM_GPUPT_BENCH=m'],
                 project.BUILD / 'log/bench-modules.log', env=environment)
    return root, sorted((project.BUILD / project.release(root) / 'bench').rglob('*.ko'))


class Vm(vm.Vm):
    """A guest whose CPU does not clear memory a byte at a time: QEMU counts them all."""

    def command_line(self, accel: str, shell: bool) -> list[str]:
        return ['max,erms=off,fsrm=off' if word == 'max' else word
                for word in super().command_line(accel, shell)]


class Guest:
    """A guest that has both drivers; sgt is loaded first."""

    def __init__(self, setup: str, root: Path, image: Path) -> None:
        self.machine = Vm(setup, 'both', root, image, BUILD / setup,
                          append='drm_kms_helper.fbdev_emulation=0')

    def __enter__(self) -> 'Guest':
        project.say(f'-- booting a guest, set-up {self.machine.setup}')
        self.check('modules', self.machine.boot())
        self.run('rmmod', 'vgem')
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        try:
            if not kind:
                self.machine.power_off()
        finally:
            self.machine.close()

    def check(self, what: str, outcome: vm.Outcome) -> vm.Outcome:
        if outcome.status:
            raise project.Failed(f'{what}: status {outcome.status}\n{outcome.output}'
                                 f'{outcome.log[-2000:]}')
        return outcome

    def run(self, *command: str, live: vm.Live | None = None) -> vm.Outcome:
        return self.check(' '.join(command), self.machine.run(SECONDS, *command, live=live))

    def load(self, driver: str) -> None:
        self.run('modprobe', '-a', *DRIVERS[driver][0])

    def unload(self, driver: str) -> None:
        self.run('rmmod', *DRIVERS[driver][1])


def counted(guest: Guest, file: Csv) -> tuple[Costs, tuple[int, int]]:
    """Runs the benchmark as a module; returns the costs and the two numbers of tables."""
    project.say('-- measuring page tables, instructions')
    log = guest.run('modprobe', 'drm_gpupt_bench').log
    guest.run('rmmod', 'drm_gpupt_bench')
    tables = TABLES.search(log)
    if not tables:
        raise project.Failed(f'counted: it did not come to an end\n{log[-2000:]}')
    return (Costs(log, 'counted', 'instructions', 1, file),
            (int(tables[1]), int(tables[2])))


class Progress:
    """Prints the progress of the buffer benchmark."""

    def __init__(self, driver: str, turn: int) -> None:
        self.what, self.rest, self.alive = f'{driver}, round {turn}', '', ''

    def __call__(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data.decode(errors='replace')).split('\n')
        for line in lines:
            words = line.split()
            if len(words) == 4 and words[2] != self.alive:
                self.alive = words[2]
                project.say(f'   {self.what}: {self.alive} buffers alive')


def turns(guest: Guest) -> Iterable[tuple[str, int]]:
    """Loads each driver in turn, in a guest that has the first one; yields its name and round."""
    loaded = 'sgt'
    for turn in range(1, ROUNDS + 1):
        for driver in DRIVERS:
            if driver != loaded:
                guest.unload(loaded)
                guest.load(driver)
                loaded = driver
            yield driver, turn


def buffers(guest: Guest, unit: str, samples: Samples, file: Csv) -> None:
    """Measures buffers with each driver in turn; the first one is loaded."""
    project.say(f'-- measuring the life of buffers, {unit}')
    for driver, turn in turns(guest):
        output = guest.run('sgt_bench', live=Progress(driver, turn)).output
        for what, *words in re.findall(r'^(\w+) (\d+) (\d+) (-?\d+)$', output, re.M):
            count, alive, cost = (int(word) for word in words)
            samples[unit, driver, what, count, alive, turn].append(cost)
            file.add(driver, what, count, alive, turn, unit, cost)


def display(guest: Guest, unit: str, samples: Samples, file: Csv) -> None:
    """Measures dumb buffers and commits with each driver in turn."""
    project.say(f'-- measuring dumb buffers and commits, {unit}')
    for driver, turn in turns(guest):
        project.say(f'   {driver}, round {turn}')
        output = guest.run('sgt_bench', 'display').output
        for what, *words in re.findall(r'^(\w+) (\d+) (-?\d+)$', output, re.M):
            count, cost = (int(word) for word in words)
            samples[unit, driver, what, count, 0, turn].append(cost)
            file.add(driver, what, count, turn, unit, cost)


def costs(samples: Samples, unit: str, driver: str, case: Case) -> list[float]:
    """The cost in each round."""
    return [statistics.median(samples[unit, driver, *case, turn])
            for turn in range(1, ROUNDS + 1)]


def compared(ours: list[float], theirs: list[float], target: float) -> list[str]:
    """Cells: median and range of the ratios of all rounds, and a verdict.

    There is one if all rounds agree, and another round would that is out by half the range.
    """
    found = sorted(our / max(their, 1) for our, their in zip(ours, theirs))
    least, most = found[0], found[-1]
    half = (most - least) / 2
    met = {least - half <= target, most + half <= target}
    return [f'{statistics.median(found):.2f}', f'{least:.2f}-{most:.2f}',
            verdict(met.pop()) if len(met) == 1 else 'too noisy']


def compare(title: str, rows: list[tuple[str, float, Case]], samples: Samples) -> None:
    """Prints cases on both drivers."""
    words = []
    for text, target, case in rows:
        row = [text, f'{target:g} x']
        for unit, scale in UNITS.items():
            ours, theirs = (costs(samples, unit, driver, case) for driver in DRIVERS)
            row += [*(number(statistics.median(each) / scale) for each in (ours, theirs)),
                    *compared(ours, theirs, target)]
        words.append(row)
    table(f'{title}: instructions (QEMU -icount), and microseconds, to the answer of the host; '
          f'ratios of {ROUNDS} rounds',
          ['what', 'target', *DRIVERS, 'ratio', 'of rounds', '',
           *(f'{driver} us' for driver in DRIVERS), 'ratio', 'of rounds', ''], words)


def show_flat(rows: list[tuple[str, Case, Case]], samples: Samples) -> None:
    """Prints what must not depend on a number: two cases, with the smaller number first."""
    words = []
    for text, few, many in rows:
        row = [text, f'{FLAT} x']
        for unit, scale in UNITS.items():
            less, more = (costs(samples, unit, 'sgt', case) for case in (few, many))
            row += [*(number(statistics.median(each) / scale) for each in (less, more)),
                    *compared(more, less, FLAT)]
        words.append(row)
    table('Independent of number and size: instructions, and microseconds',
          ['what', 'target', 'few', 'many', 'ratio', 'of rounds', '',
           'few us', 'many us', 'ratio', 'of rounds', ''], words)


def show_display(samples: Samples) -> None:
    rows: list[tuple[str, float, Case]] = []
    for what, (text, allowed) in DISPLAY.items():
        for count in sorted({key[3] for key in samples if key[2] == what}):
            target = allowed[count] if isinstance(allowed, dict) else allowed
            rows.append((f'{text}, {size(count)}', target, (what, count, 0)))
    compare('Dumb buffers and commits', rows, samples)

    small, large = sorted({key[3] for key in samples if key[2] == 'damage'})
    show_flat([(f'{DISPLAY["damage"][0]}, {size(small)} and {size(large)}',
                ('damage', small, 0), ('damage', large, 0))], samples)


def show_buffers(samples: Samples) -> None:
    sizes = sorted({key[3] for key in samples})
    alive = sorted({key[4] for key in samples})
    compare('Buffers', [(f'{what} {size(each)}, {count} alive', 1, (what, each, count))
                        for what, counts in (('create', alive[:1]), ('touch', alive[:1]),
                                             ('destroy', alive))
                        for count in counts for each in sizes], samples)
    show_flat([(f'destroy {size(each)}, {alive[0]} and {alive[-1]} alive',
                ('destroy', each, alive[0]), ('destroy', each, alive[-1])) for each in sizes],
              samples)


def plot_buffers(samples: Samples) -> None:
    sizes = sorted({key[3] for key in samples})
    few, *_, many = sorted({key[4] for key in samples})
    panels = []
    for what, count in ('create', few), ('touch', few), ('destroy', many):
        series = {driver: {each: statistics.median(costs(samples, 'instructions', driver,
                                                         (what, each, count)))
                           for each in sizes} for driver in DRIVERS}
        panels.append((f'{what}, {count} alive', series,
                       {each: size(each).replace(' ', '').replace('iB', '') for each in sizes},
                       'instructions, by bytes'))
    plot.write(BUILD / 'buffers.svg', panels)


def plot_tables(time: Costs | None, count: Costs | None) -> None:
    """Plots the cost of a PTE by the number of PTEs."""
    def by_ptes(costs: Costs, what: str, cases: Iterable[str]) -> dict[int, float]:
        return {costs[case, what].ptes: max(costs[case, what].median, 1) / costs[case, what].ptes
                for case in cases}

    def labels(series: dict[str, dict[int, float]]) -> dict[int, str]:
        return {ptes: str(ptes) for points in series.values() for ptes in points}

    panels = []
    if count:
        series = {what: by_ptes(count, what, SCATTERED)
                  for what in ('map', 'unmap', 'lib-map', 'lib-unmap')}
        panels.append(('single pages', series, labels(series), 'instructions a PTE, by PTEs'))
    if time:
        series = {what: by_ptes(time, what, SCATTERED) for what in ('map', 'unmap', 'memset64')}
        panels.append(('single pages', series, labels(series), 'ns a PTE, by PTEs'))
        series = {what: by_ptes(time, what, ('1x4K', '256x4K'))
                  for what in ('map', 'unmap', 'memset64')}
        panels.append(('contiguous', series, labels(series), 'ns a PTE, by PTEs'))
    plot.write(BUILD / 'page-tables.svg', panels)


def machine() -> list[tuple[str, str]]:
    """The machine and the versions that were measured."""
    model = re.search(r'^model name\s*: (.*)', open('/proc/cpuinfo').read(), re.M)
    qemu = subprocess.run(['qemu-system-x86_64', '--version'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout
    return [('CPU', f'{model[1] if model else platform.machine()}, {project.JOBS} usable'),
            ('host kernel', platform.release()),
            ('guest kernel', project.release(project.kernel('root'))),
            ('User Mode Linux', project.kernel('source').name.removeprefix('linux-')),
            ('QEMU', qemu.splitlines()[0] if qemu else 'none')]


def measure(parts: set[str]) -> None:
    time = count = None
    samples: Samples = collections.defaultdict(list)
    figures = Csv('page-tables.csv', 'part', 'case', 'what', 'unit', 'ptes', 'minimum', 'median',
                  'samples')
    if 'native' in parts:
        time = native(figures)
        show_native(time)
    shown: Samples = collections.defaultdict(list)
    if {'counted', 'buffers', 'display'} & parts:
        root, ours = modules()
        image = project.BUILD / 'guest-both.cpio'
        initramfs.build(root, ours, project.build_programs()['bench'], 'both', image)
        with Guest('icount', root, image) as guest:
            if 'counted' in parts:
                count, tables = counted(guest, figures)
                show_counted(count, tables)
            if 'buffers' in parts:
                file = Csv('buffers.csv', 'driver', 'what', 'bytes', 'alive', 'round', 'unit',
                           'cost')
                buffers(guest, 'instructions', samples, file)
            if 'display' in parts:
                rows = Csv('display.csv', 'driver', 'what', 'bytes', 'round', 'unit', 'cost')
                display(guest, 'instructions', shown, rows)
    if {'buffers', 'display'} & parts:
        with Guest('iommu', root, image) as guest:
            if 'buffers' in parts:
                buffers(guest, 'ns', samples, file)
            if 'display' in parts:
                display(guest, 'ns', shown, rows)
    if 'buffers' in parts:
        show_buffers(samples)
        plot_buffers(samples)
    if 'display' in parts:
        show_display(shown)
    if time or count:
        plot_tables(time, count)


def main() -> None:
    parts = set(os.environ.get('TEST', '').split() or PARTS)
    if not parts <= set(PARTS):
        sys.exit(f'TEST is one or more of: {" ".join(PARTS)}')
    if os.environ.get('SETUP'):
        sys.exit(f'SETUP={os.environ["SETUP"]}: make bench has no set-ups')
    try:
        lock = project.lock_checkout()
        BUILD.mkdir(parents=True, exist_ok=True)
        measure(parts)
        about = machine()
        (BUILD / 'machine.txt').write_text(''.join(f'{key}: {value}\n' for key, value in about))
        table('It ran on', ['', ''], [[key, value] for key, value in about])
        project.say(f'\nFigures and plots: {project.shown(BUILD)}')
        lock.close()
    except vm.Lost as error:
        sys.exit(f'VM lost: {error}; see {project.shown(BUILD)}/*/console.log')
    except project.Failed as error:
        sys.exit(f'{error}')
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == '__main__':
    main()
