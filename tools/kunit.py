# SPDX-License-Identifier: GPL-2.0
"""Builds the project into a User Mode Linux kernel and runs its KUnit suites."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import choice
import graft
import project
import splat
from report import Report

KUNITCONFIG = project.TOP / 'drivers/gpu/drm/gem_sgt/.kunitconfig'
# These give User Mode Linux a DMA API.
DMA = 'CONFIG_VIRTIO_UML=y', 'CONFIG_UML_PCI_OVER_VIRTIO=y'
SECONDS = 300
# Of a race, on another kernel than the default one. In User Mode Linux, 7.3 ends a grace period of
# SRCU with a tick and no earlier, so that an unbind takes ten of them: 100 times as long.
ROUNDS_ELSEWHERE = 100

RESULT = re.compile(r'^ {4}(ok|not ok) \d+ (\S+)(?: # SKIP ?(.*))?')
SUITE = re.compile(r'^ {4}# Subtest: (\S+)')
PLAN = re.compile(r'^ {4}1\.\.(\d+)')

Timed = Iterable[tuple[float, str]]
Case = tuple[str, str, str, float, str, list[str]]


def kunit_py(home: Path, command: str, *arguments: str, build: str = 'um') -> dict[str, Any]:
    """The command line, log and directory of a kunit.py command."""
    return {'command': [home / 'src/tools/testing/kunit/kunit.py', command,
                        f'--build_dir={home / build}', *arguments],
            'log': project.BUILD / f'log/kunit-{command}.log', 'cwd': home / 'src'}


def cases(output: Timed) -> Iterator[Case]:
    """Yields suite, case, result, seconds, detail and log of each case.

    output has KTAP, and the time of each line: (seconds, line).
    """
    suite, planned, seen, log, started = None, 0, 0, [], None
    for now, line in output:
        started = started or now
        log.append(line)
        if match := SUITE.match(line):
            suite, planned, seen, log, started = match[1], 0, 0, [], now
        elif match := PLAN.match(line):
            planned = int(match[1])
        elif suite and (match := RESULT.match(line)):
            seen += 1
            result = 'skip' if match[3] is not None else 'pass' if match[1] == 'ok' else 'fail'
            failed = next((text.strip(' #') for text in log if ' FAILED at ' in text), '')
            yield suite, match[2], result, now - started, match[3] or failed, log
            log, started = [], now
        elif suite and re.match(rf'(not )?ok \d+ {suite}\b', line):
            if planned != seen:
                yield suite, 'plan', 'fail', 0.0, f'{seen} of {planned} cases ran', log
            suite, log = None, []
    if suite:
        yield suite, 'run', 'lost', 0.0, f'the kernel stopped after {seen} of {planned} cases', log


def record(report: Report, name: str, output: Timed, wanted: str, again: str) -> int:
    """Reports the cases in the output that match wanted; returns their number.

    A suite of the sources that is not in the output fails.
    """
    ran, wanted = 0, wanted or '*'
    absent = {choice.group(test) for test in choice.kunit_tests() if choice.is_meant(test, wanted)}
    for suite, case, result, seconds, detail, log in cases(output):
        absent.discard(suite)
        test, text = f'{suite}.{case}', '\n'.join(log)
        if not choice.is_meant(test, wanted):
            continue
        if (result != 'fail' or not detail) and (wrong := splat.complaint(text, 0)):
            result, detail = 'fail', wrong
        report.add(name, test, result, seconds, graft.shorter(detail), text,
                   f'{again} TEST={test}')
        ran += 1
    for suite in sorted(absent):
        report.add(name, suite, 'fail', 0.0, 'the suite did not run', '', f'{again} TEST={suite}')
    return ran


def rounds() -> list[str]:
    """The argument of kunit.py that sets the rounds of the races, if something does."""
    wanted = os.environ.get('ROUNDS') or (0 if project.is_default() else ROUNDS_ELSEWHERE)
    return [f'--kernel_args=drm_gem_sgt.kunit_rounds={wanted}'] if wanted else []


def build(report: Report, home: Path) -> None:
    """Builds the kernel; a warning in one of our files is a failure."""
    if not (home / 'um/vmlinux').exists():
        project.say('-- the first build of the KUnit kernel takes some minutes')
    started = time.monotonic()
    project.step('KUnit configuration', **kunit_py(
        home, 'config', f'--kunitconfig={KUNITCONFIG}',
        *(f'--kconfig_add={option}' for option in DMA)))
    # Not through kunit.py, which shows nothing before the end.
    output, ours = graft.build('KUnit kernel', home, ['ARCH=um', 'O=../um'],
                               project.BUILD / 'log/kunit-build.log')
    report.add('kunit', 'build', 'fail' if ours else 'pass', time.monotonic() - started,
               ours[0] if ours else '', '\n'.join(output), 'make kunit')


def run(report: Report, wanted: str) -> None:
    """Builds and runs the suites; wanted is a pattern for "suite.case"."""
    with graft.lock():
        home = graft.home()
        build(report, home)
        project.say('-- KUnit')
        output = project.lines('KUnit', **kunit_py(home, 'exec', '--raw_output=all',
                                                   f'--timeout={SECONDS}', *rounds()))
        ran = record(report, 'kunit', ((time.monotonic(), line) for line in output), wanted,
                     'make kunit')
    if not ran:
        raise project.Failed(f'no KUnit case ran (TEST={wanted or "*"})')
