#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A work copy of the kernel's source with the project in it, and the builds beside it.

Run as a program, it adds the project to the kernel tree KSRC=.
"""

import contextlib
import fcntl
import filecmp
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import project

GRAFT = 'drivers/gpu/drm/drm-gem-sgt'
# {file of drivers/gpu/drm: the line that adds the project}
HOOKS = {'Kconfig': f'source "{GRAFT}/Kconfig"', 'Makefile': f'obj-y += {Path(GRAFT).name}/'}
PARTS = 'Kbuild', 'Kconfig', 'compat', 'include', 'drivers'

# Faults of 6.12 that end in an Oops, whichever driver is bound with failing allocations: what is
# in the file, and in the work copy instead. Without memory for the device of a minor, an error
# pointer is put; without memory for the name of its CRC source, a CRTC stays in the list that the
# cleanup goes through.
MENDED = (
    ('drm_drv.c',
     '\tput_device(minor->kdev);\n',
     '\tput_device(IS_ERR(minor->kdev) ? NULL : minor->kdev);\n'),
    ('drm_crtc.c',
     '\tret = drm_crtc_crc_init(crtc);\n\tif (ret) {\n\t\tdrm_mode',
     '\tret = drm_crtc_crc_init(crtc);\n\tif (ret) {\n'
     '\t\tlist_del(&crtc->head);\n\t\tconfig->num_crtc--;\n\t\tdrm_mode'),
)


def is_source(file: Path) -> bool:
    return file.suffix in ('.c', '.h') or file.name in ('Kbuild', 'Kconfig', 'Makefile')


def copy(source: Path) -> None:
    """Copies the project into the source, and writes only files that differ."""
    wanted = set()
    for part in PARTS:
        top = project.TOP / part
        for file in [top] if top.is_file() else filter(is_source, top.rglob('*')):
            target = source / GRAFT / file.relative_to(project.TOP)
            wanted.add(target)
            if not target.exists() or not filecmp.cmp(file, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    for file in (source / GRAFT).rglob('*'):
        if file.is_file() and file not in wanted:
            file.unlink()
    link_headers(source)


def link_headers(source: Path) -> None:
    """Links the headers to where drivers anywhere in the source find them without a flag."""
    into = source / 'include/drm'
    for header in (source / GRAFT / 'include/drm').iterdir():
        if not os.path.lexists(into / header.name):
            (into / header.name).symlink_to(os.path.relpath(header, into))
    for link in into.iterdir():
        if link.is_symlink() and not link.exists():
            link.unlink()


def rewrite(path: Path, text: str) -> None:
    """Writes a new file, because the old one is a hard link to the pristine source."""
    path.unlink()
    path.write_text(text)


def append(path: Path, line: str) -> None:
    text = path.read_text()
    if line not in text:
        rewrite(path, f'{text}\n{line}\n')


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old in text:
        rewrite(path, text.replace(old, new))


def graft(source: Path) -> None:
    """Adds the project to a kernel tree, or brings it there up to date."""
    copy(source)
    drm = source / 'drivers/gpu/drm'
    for name, line in HOOKS.items():
        append(drm / name, line)


def work_copy(pristine: Path, directory: Path) -> Path:
    """Links a source into a directory, unless it is there; returns the copy."""
    source = directory / 'src'
    if not source.is_dir():
        project.say('-- linking a work copy of the source (some seconds)')
        fresh = directory / 'src.new'
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(pristine, fresh, symlinks=True, copy_function=os.link)
        fresh.rename(source)
    return source


def home() -> Path:
    """Prepares the work copy; returns its directory: src has the source, builds go beside it."""
    pristine = project.kernel('source')
    directory = project.CACHE / pristine.name.replace('linux-', 'graft-')
    source = work_copy(pristine, directory)
    graft(source)
    for name, faulty, mended in MENDED:
        replace(source / 'drivers/gpu/drm' / name, faulty, mended)
    return directory


@contextlib.contextmanager
def lock(name: str = '') -> Iterator[None]:
    """Locks a work copy of the kernel and its builds, which all checkouts share.

    name is that of the file, without a name that of the chosen kernel's.
    """
    of_kernel = '' if project.is_default() else f'-{project.chosen_kernel()}'
    project.CACHE.mkdir(parents=True, exist_ok=True)
    with open(project.CACHE / (name or f'graft{of_kernel}.lock'), 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            project.say('-- waiting for another checkout to build its kernel')
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def shorter(text: str) -> str:
    """The text with paths of the project instead of the kernel tree."""
    return re.sub(rf'[^ ]*{GRAFT}/', '', text)


def complaints(output: Iterable[str]) -> list[str]:
    """The warnings and errors in our files."""
    return [shorter(line) for line in output
            if GRAFT in line and re.search(r'\b(warning|error):', line)]


def build(what: str, directory: Path, command: list[str], log: Path) -> tuple[list[str], list[str]]:
    """Runs make in the work copy; returns its output, and the warnings in our files.

    The build after one that warned, or that was killed, repeats the warnings that are not fixed.
    """
    loud = directory / 'loud'
    if loud.exists():
        for file in (directory / 'src' / GRAFT).rglob('*.c'):
            file.touch()
    loud.touch()
    try:
        output = project.step(what, ['make', '--no-print-directory', *command, '-j' + project.JOBS],
                              log, cwd=directory / 'src')
    finally:
        # What does not compile is compiled again anyway.
        said = complaints(log.read_text(errors='replace').splitlines())
        if not any('warning:' in line for line in said):
            loud.unlink()
    return output, complaints(output)


def main() -> None:
    tree = os.environ.get('KSRC')
    if not tree or not os.path.exists(f'{tree}/drivers/gpu/drm/Kconfig'):
        sys.exit(f'KSRC={tree or ""}: no source of a kernel, which make graft adds the project to')
    graft(Path(tree))
    print(f'{tree}/{GRAFT} is in the build now: the options are DRM_GEM_SGT, DRM_GPUPT,\n'
          'DRM_VIRTIO_SGT and DRM_EDU_GPU')


if __name__ == '__main__':
    main()
