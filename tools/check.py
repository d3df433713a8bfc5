#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the tests: tools/check.py PART ...; see "make help"."""

import errno
import os
import shlex
import sys
import time
import traceback
from collections.abc import Collection

import boots
import choice
import deadline
import debug
import debugguest
import desktop
import fuzz
import igt
import kunit
import model
import patches
import portcheck
import project
from report import Report
import sample
import static
import upstream
import virgl
import vm


PARTS = {
    'kunit': choice.Part('kunit', choice.kunit_tests),
    'igt': choice.Part('igt', choice.igt_tests, tuple(vm.setups())),
    'quick': choice.Part('check-quick', choice.igt_tests, tuple(vm.setups())),
    'kernels': choice.Part('igt', choice.igt_tests, tuple(vm.setups())),
    'arches': choice.Part('igt', choice.igt_tests, tuple(vm.SETUPS['arm64'])),
    'sample': choice.Part('sample-driver'),
    'static': choice.Part('static', static.names),
    'model': choice.Part('check-model'),
    'ports': choice.Part('ports', portcheck.names, portcheck.SETUPS),
    'patches': choice.Part(patches.SUITE),
    'upstream': choice.Part(upstream.SUITE, None, upstream.SETUPS),
    'desktop': choice.Part(desktop.SUITE, desktop.names, desktop.SETUPS),
    'virgl': choice.Part(virgl.SUITE, virgl.names, tuple(virgl.SETUPS)),
    'debug': choice.Part('check-debug', lambda: choice.igt_tests() + choice.kunit_tests(),
                         tuple(boots.BOOTS)),
    'fuzz': choice.Part('fuzz', None, fuzz.SETUPS),
}


def others(results: Report, variable: str, setups: Collection[str], wanted: str,
           driver: str) -> None:
    """Runs igt on each other KERNEL or ARCH, in the set-ups of this turn if none is chosen."""
    if os.environ.get('KERNEL') or os.environ.get('ARCH'):
        return
    turns = boots.KERNELS if variable == 'KERNEL' else boots.ARCHES
    names = ([line for line, tested in project.kernels().items() if tested == 'turns']
             if variable == 'KERNEL' else
             [each.name for each in project.arches() if each.has_turns()])
    turn = boots.turn()
    if turn is not None and not setups:
        rest = [setup for setup in boots.of(turns, None) if setup not in boots.of(turns, turn)]
        results.note(f'turn {turn} of {boots.TURNS} left out: on {", ".join(names)}, igt in '
                     f'{", ".join(rest)}')
    for name in names:
        os.environ[variable] = name
        try:
            igt.run(results, setups or boots.of(turns, turn), wanted, driver,
                    '' if wanted else igt.SLOW)
        except project.Failed as error:
            results.add('igt', f'start {name}', 'fail', 0.0, str(error),
                        again=f'make igt {variable}={name}' +
                        f' DRIVER={driver}' * (driver != 'sgt'))
        finally:
            del os.environ[variable]


def sample_driver(results: Report) -> None:
    """Builds the sample driver, for KDIR= if given; else runs it in a guest, too."""
    started = time.monotonic()
    sample.build()
    results.add('sample-driver', 'build', 'pass', time.monotonic() - started)
    if os.environ.get('KDIR'):
        results.add('sample-driver', 'run', 'skip', 0.0, "only in a guest with Debian's kernel")
    else:
        igt.run(results, [igt.QUICK], sample.TEST, 'sgt')


def run(name: str, results: Report, setups: Collection[str], wanted: str, driver: str) -> None:
    """Runs a part in those of the set-ups that it has."""
    own = [setup for setup in setups if setup in PARTS[name].setups]
    if name == 'kunit':
        kunit.run(results, wanted)
    elif name == 'igt':
        igt.run(results, own, wanted, driver)
    elif name == 'quick':
        igt.quick(results, own, wanted, driver)
    elif name == 'kernels':
        others(results, 'KERNEL', own, wanted, driver)
    elif name == 'arches':
        others(results, 'ARCH', own, wanted, driver)
    elif name == 'sample':
        sample_driver(results)
    elif name == 'static':
        static.run(results, wanted)
    elif name == 'model':
        model.run(results)
    elif name == 'ports':
        portcheck.run(results, own, wanted)
    elif name == 'patches':
        patches.run(results)
    elif name == 'upstream':
        upstream.run(results, own, wanted, driver)
    elif name == 'desktop':
        desktop.run(results, own, wanted, driver)
    elif name == 'virgl':
        virgl.run(results, own, wanted)
    elif name == 'debug':
        debug.run(results, own, wanted, driver)
    elif name == 'fuzz':
        fuzz.run(results, fuzz.SECONDS, own, debugguest.SEED, os.environ.get('REPLAY'))


def again(part: choice.Part) -> str:
    """The command that repeats a part which ended before its first test."""
    given = {name: os.environ.get(name, '')
             for name in ('KDIR', 'KERNEL', 'ARCH', 'SETUP', 'TEST', 'DRIVER')}
    given['SETUP'] = ' '.join(filter(part.setups.__contains__, given['SETUP'].split()))
    return ' '.join([f'make {part.target}', *(f'{name}={shlex.quote(value)}'
                                              for name, value in given.items() if value)])


def main() -> int:
    wanted = os.environ.get('TEST', '')
    setups = os.environ.get('SETUP', '').split()
    driver = os.environ.get('DRIVER') or 'sgt'
    if driver not in ('sgt', 'in-tree', 'ported'):
        raise project.Failed(f'DRIVER={driver}: it is sgt, in-tree or ported')
    boots.turn()
    asked = [PARTS[name] for name in sys.argv[1:]]
    parts = choice.by_test(choice.by_setup(asked, setups), wanted)

    results = Report()
    for name in sys.argv[1:]:
        if PARTS[name] not in parts:
            continue
        # What a part builds first can take minutes.
        if deadline.is_late():
            deadline.skip(results, name, 'all')
            continue
        try:
            run(name, results, setups, wanted, driver)
        except deadline.Late:
            deadline.skip(results, name, 'the rest')
        except project.Failed as error:
            results.add(name, 'start', 'fail', 0.0, str(error), again=again(PARTS[name]))
        except Exception as error:  # A fault of a part does not end the others.
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            traceback.print_exc()
            results.add(name, 'run', 'fail', 0.0, repr(error), again=again(PARTS[name]))
    return results.finish()


if __name__ == '__main__':
    try:
        sys.exit(main())
    except project.Failed as error:
        sys.exit(f'{error}')
    except OSError as error:
        sys.exit(project.disk_full(error))
    except KeyboardInterrupt:
        sys.exit(130)
