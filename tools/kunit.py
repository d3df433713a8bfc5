# SPDX-License-Identifier: GPL-2.0
"""Builds the project into a User Mode Linux kernel and runs its KUnit suites."""

import contextlib
import fcntl
import filecmp
import fnmatch
import os
import re
import shutil
import time

import igt
import project

GRAFT = 'drivers/gpu/drm/drm-gem-sgt'
PARTS = 'Kbuild', 'Kconfig', 'include', 'drivers', 'compat'
KUNITCONFIG = project.TOP / 'drivers/gpu/drm/gem_sgt/.kunitconfig'
# These give User Mode Linux a DMA API.
DMA = 'CONFIG_VIRTIO_UML=y', 'CONFIG_UML_PCI_OVER_VIRTIO=y'
SECONDS = 300

RESULT = re.compile(r'^ {4}(ok|not ok) \d+ (\S+)(?: # SKIP ?(.*))?')
SUITE = re.compile(r'^ {4}# Subtest: (\S+)')
PLAN = re.compile(r'^ {4}1\.\.(\d+)')


def copy(source):
    """Copies the project to where it belongs in the source, touching only what differs."""
    wanted = set()
    for part in PARTS:
        files = [project.TOP / part] if (project.TOP / part).is_file() else \
            [file for file in (project.TOP / part).rglob('*') if file.is_file()]
        for file in files:
            target = source / GRAFT / file.relative_to(project.TOP)
            wanted.add(target)
            if not target.exists() or not filecmp.cmp(file, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    for file in (source / GRAFT).rglob('*'):
        if file.is_file() and file not in wanted:
            file.unlink()


def graft():
    """A work copy of the kernel's source with the project in it; its directory."""
    pristine = project.kernel('source')
    home = project.CACHE / pristine.name.replace('linux-', 'kunit-')
    source = home / 'src'
    if not source.is_dir():
        project.say('-- linking a work copy of the source (some seconds)')
        fresh = home / 'src.new'
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(pristine, fresh, symlinks=True, copy_function=os.link)
        fresh.rename(source)
    copy(source)
    for name, line in (('Kconfig', f'source "{GRAFT}/Kconfig"'),
                       ('Makefile', 'obj-y += drm-gem-sgt/')):
        path = source / 'drivers/gpu/drm' / name
        text = path.read_text()
        if line not in text:
            # A new file: this one is a hard link to the pristine source.
            path.unlink()
            path.write_text(f'{text}\n{line}\n')
    return home


@contextlib.contextmanager
def lock():
    """Holds the work copy: other checkouts share it."""
    project.CACHE.mkdir(parents=True, exist_ok=True)
    with open(project.CACHE / 'kunit.lock', 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            project.say('-- waiting for another KUnit run')
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kunit_py(home, command, *arguments):
    """The command line, log and directory of a kunit.py command."""
    return {'command': [home / 'src/tools/testing/kunit/kunit.py', command,
                        f'--build_dir={home / "build"}', *arguments],
            'log': project.BUILD / f'log/kunit-{command}.log', 'cwd': home / 'src'}


def cases(output):
    """Yields suite, case, result, detail and log of each case, from lines of KTAP."""
    suite, planned, seen, log = None, 0, 0, []
    for line in output:
        log.append(line)
        if match := SUITE.match(line):
            suite, planned, seen, log = match[1], 0, 0, []
        elif match := PLAN.match(line):
            planned = int(match[1])
        elif suite and (match := RESULT.match(line)):
            seen += 1
            result = 'skip' if match[3] is not None else 'pass' if match[1] == 'ok' else 'fail'
            failed = next((text.strip(' #') for text in log if ' FAILED at ' in text), '')
            yield suite, match[2], result, match[3] or failed, log
            log = []
        elif suite and re.match(rf'(not )?ok \d+ {suite}\b', line):
            if planned != seen:
                yield suite, 'plan', 'fail', f'{seen} of {planned} cases ran', log
            suite, log = None, []
    if suite:
        yield suite, 'run', 'lost', f'the kernel stopped after {seen} of {planned} cases', log


def shorter(text):
    """With paths as they are in the project, not in the kernel tree."""
    return re.sub(rf'[^ ]*{GRAFT}/', '', text)


def build(report, home):
    """Builds the kernel; a warning in one of our files is a failure."""
    if not (home / 'build/vmlinux').exists():
        project.say('-- the first build of the KUnit kernel takes some minutes')
    started = time.monotonic()
    project.step('KUnit configuration', **kunit_py(
        home, 'config', f'--kunitconfig={KUNITCONFIG}',
        *(f'--kconfig_add={option}' for option in DMA)))
    # Not through kunit.py, which shows nothing before the end.
    output = project.step('KUnit kernel', ['make', '--no-print-directory', 'ARCH=um',
                                           'O=../build', '-j' + project.JOBS],
                          project.BUILD / 'log/kunit-build.log', cwd=home / 'src')
    ours = [line for line in output if GRAFT in line and re.search(r'\b(warning|error):', line)]
    report.add('kunit', 'build', 'fail' if ours else 'pass', time.monotonic() - started,
               shorter(ours[0]) if ours else '', '\n'.join(output), 'make kunit')
    if ours:
        # The next build is to say it again, unless it is mended.
        for file in (home / 'src' / GRAFT).rglob('*.c'):
            file.touch()


def run(report, wanted):
    """Builds and runs the suites; wanted is a pattern for "suite.case"."""
    ran = 0
    with lock():
        home = graft()
        build(report, home)
        project.say('-- KUnit')
        output = project.lines('KUnit', **kunit_py(home, 'exec', '--raw_output=all',
                                                   f'--timeout={SECONDS}'))
        started = time.monotonic()
        for suite, case, result, detail, log in cases(output):
            now = time.monotonic()
            seconds, started = now - started, now
            test, text = f'{suite}.{case}', '\n'.join(log)
            if not fnmatch.fnmatch(test, wanted or '*'):
                continue
            if result == 'pass' and (wrong := igt.complaint(text, 0)):
                result, detail = 'fail', wrong
            report.add('kunit', test, result, seconds, shorter(detail), text,
                       f'make kunit TEST={test}')
            ran += 1
    if not ran:
        raise project.Failed(f'no KUnit case ran (TEST={wanted or "*"})')
