#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the tests: tools/check.py kunit|igt|static|model|debug|fuzz ...; see "make help"."""

import os
import sys

import boots
import debug
import debugguest
import fuzz
import igt
import kunit
import model
import project
import report
import static
import vm


def main():
    wanted = os.environ.get('TEST', '')
    setups = os.environ.get('SETUP', '').split()
    driver = os.environ.get('DRIVER') or 'sgt'
    known = boots.BOOTS if 'debug' in sys.argv else vm.SETUPS
    if not all(setup in known for setup in setups) or driver not in ('sgt', 'in-tree'):
        sys.exit(f'SETUP is one or more of: {" ".join(known)}; DRIVER is sgt or in-tree')
    parts = {
        'kunit': ('kunit', lambda results: kunit.run(results, wanted)),
        'igt': ('igt', lambda results: igt.run(results, setups, wanted, driver)),
        'static': ('static', lambda results: static.run(results, wanted)),
        'model': ('check-model', model.run),
        'debug': ('check-debug', lambda results: debug.run(results, setups, wanted, driver)),
        'fuzz': ('fuzz', lambda results: fuzz.run(results, fuzz.SECONDS, debugguest.SEED,
                                                  os.environ.get('REPLAY'))),
    }
    results = report.Report()
    for part in sys.argv[1:]:
        target, run = parts[part]
        try:
            run(results)
        except project.Failed as error:
            results.add(part, 'start', 'fail', 0.0, str(error), again=f'make {target}')
    return results.finish()


if __name__ == '__main__':
    try:
        sys.exit(main())
    except project.Failed as error:
        sys.exit(f'{error}')
    except KeyboardInterrupt:
        sys.exit(130)
