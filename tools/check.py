#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the tests: tools/check.py kunit|igt|static ...; see "make help" for the variables."""

import os
import sys

import igt
import kunit
import project
import report
import static
import vm


def main():
    wanted = os.environ.get('TEST', '')
    setups = os.environ.get('SETUP', '').split() or list(vm.SETUPS)
    driver = os.environ.get('DRIVER') or 'sgt'
    unknown = [setup for setup in setups if setup not in vm.SETUPS]
    if unknown or driver not in ('sgt', 'in-tree'):
        sys.exit(f'SETUP is one or more of: {" ".join(vm.SETUPS)}; DRIVER is sgt or in-tree')
    parts = {
        'kunit': lambda results: kunit.run(results, wanted),
        'igt': lambda results: igt.run(results, setups, wanted, driver),
        'static': lambda results: static.run(results, wanted),
    }
    results = report.Report()
    for part in sys.argv[1:]:
        try:
            parts[part](results)
        except project.Failed as error:
            results.add(part, 'start', 'fail', 0.0, str(error), again=f'make {part}')
    return results.finish()


if __name__ == '__main__':
    try:
        sys.exit(main())
    except project.Failed as error:
        sys.exit(f'{error}')
    except KeyboardInterrupt:
        sys.exit(130)
