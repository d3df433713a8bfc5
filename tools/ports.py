# SPDX-License-Identifier: GPL-2.0
"""Drivers of the kernel, moved from drm_gem_shmem_helper to drm_gem_sgt by semantic patches.

The sources are taken from the cached kernel, patched and built under build/ports/. tools/ports/ has
a patch for all drivers, and one for each driver with what is done by hand.
"""

import contextlib
import dataclasses
import difflib
import itertools
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import graft
import project

PATCHES = project.TOOLS / 'ports'
# {step: the name of its patch}
STEPS = {'script': 'shmem-helper', 'by hand': '{}', 'faults mended': '{}-mend'}
WORK = project.BUILD / 'ports'


# {directory in drivers/gpu/drm: the option of its module}
DRIVERS = {
    'virtio': 'CONFIG_DRM_VIRTIO_GPU',
    'vgem': 'CONFIG_DRM_VGEM',
    'lima': 'CONFIG_DRM_LIMA',
    'v3d': 'CONFIG_DRM_V3D',
    'panfrost': 'CONFIG_DRM_PANFROST',
}
# {driver: functions that a kernel for x86 lacks from some version on}
UNLINKED = {
    'panfrost': r"'(alloc|free)_io_pgtable_ops' undefined",
}
# What a guest with the ported drivers loads instead of the kernel's
GUEST = 'virtio', 'vgem'

# The text of each file of a driver
Files = dict[str, str]

TABLES = re.compile(r'\bstruct drm_(?:driver|gem_object_funcs) \w+ = \{(.*?)^\};', re.M | re.S)
# Callbacks of the helper that have another name in the layer
RENAMED = {'gem_prime_import_sg_table': 'gem_prime_import'}
# {code of the helper's users that no port has: what is lost with it}
GIVEN_UP = {'sb->pages = ': 'the panic screen over a buffer without a kernel mapping'}
# What the macros of the two set
MACROS = {'DRM_GEM_SHMEM_DRIVER_OPS': {'dumb_create', 'gem_prime_import'},
          'DRM_GEM_SGT_DRIVER_OPS': {'dumb_create', 'dumb_map_offset', 'gem_prime_import'}}


def read(directory: Path) -> Files:
    return {file.name: file.read_text() for file in sorted(directory.iterdir())
            if file.is_file() and graft.is_source(file)}


def write(files: Files, directory: Path) -> None:
    """Writes the files that differ, so that the next build compiles no other."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = directory / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def diff(before: Files, after: Files) -> list[str]:
    """The lines of a unified diff."""
    return [line for name in before if before[name] != after[name]
            for line in difflib.unified_diff(before[name].splitlines(), after[name].splitlines(),
                                             name, name, lineterm='')]


def count(lines: Iterable[str]) -> tuple[int, int]:
    """The lines that a diff adds, and those that it removes."""
    body = [line[:1] for line in lines if not line.startswith(('+++ ', '--- '))]
    return body.count('+'), body.count('-')


def callbacks(files: Files) -> set[str]:
    """The callbacks that a driver sets in its drm_driver and drm_gem_object_funcs."""
    found = set()
    for table in TABLES.findall('\n'.join(files.values())):
        found |= {RENAMED.get(name, name) for name in re.findall(r'^\t\.(\w+)\s*=', table, re.M)}
        for macro, names in MACROS.items():
            if macro in table:
                found |= names
    return found


@dataclasses.dataclass(frozen=True)
class Port:
    """A driver after each of its patches."""
    steps: dict[str, Files]

    def diffs(self) -> dict[str, list[str]]:
        """{step: its diff} of the steps that change something."""
        pairs = itertools.pairwise(self.steps.items())
        found = {step: diff(before, after) for (_, before), (step, after) in pairs}
        return {step: lines for step, lines in found.items() if lines}

    def lost(self) -> list[str]:
        """The callbacks that the kernel's driver has, and the port has not."""
        before, *_, after = self.steps.values()
        return sorted(callbacks(before) - callbacks(after))

    def given_up(self) -> list[str]:
        """What else the kernel's driver does, and the port does not."""
        before, *_, after = (''.join(files.values()) for files in self.steps.values())
        return [what for code, what in GIVEN_UP.items() if code in before and code not in after]

    def summary(self) -> str:
        parts = ['{}: +{} -{}'.format(step, *count(lines)) for step, lines in self.diffs().items()]
        lost = ', '.join(self.lost() + self.given_up())
        return ', '.join([*parts, f'lost: {lost or "nothing"}'])


def spatch(name: str, patch: str, files: Files) -> Files:
    """The files after a semantic patch, which sees all of them at once."""
    script = PATCHES / f'{patch}.cocci'
    if not script.exists():
        return files
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        write(files, directory)
        sources = [file for file in files if file.endswith(('.c', '.h'))]
        for _ in project.lines(f'{name}: {patch}.cocci',
                               ['spatch', '--very-quiet', '--in-place', '--include-headers',
                                '--sp-file', script, *sources],
                               project.BUILD / f'log/ports-{name}-{patch}.log', cwd=directory):
            pass
        return read(directory)


def port(name: str) -> Port:
    files = read(project.kernel('source') / 'drivers/gpu/drm' / name)
    steps = {'kernel': files}
    for step, patch in STEPS.items():
        steps[step] = files = spatch(name, patch.format(name), files)
    return Port(steps)


def diff_name(name: str, step: str) -> str:
    return f'{name}-{step.replace(" ", "-")}.diff'


def keep(name: str, result: Port, tree: Path) -> None:
    """Writes a port to the tree that it is built in, laid out as in the kernel, and its diffs."""
    write([*result.steps.values()][-1], tree / 'drivers/gpu/drm' / name)
    # Headers of trace points name their own path from there.
    (tree / 'include/trace').mkdir(parents=True, exist_ok=True)
    write({'Kbuild': f'obj-m += drivers/gpu/drm/{name}/\n'
                     f'subdir-ccflags-y += -I{project.TOP}/include -I{project.TOP}/include/uapi\n'
                     'subdir-ccflags-y += -I$(src)/include/trace\n'}, tree)
    for step, lines in result.diffs().items():
        write({diff_name(name, step): '\n'.join(lines) + '\n'}, WORK)


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel that ports are built for."""
    # Where they are built, the environment, and arguments of make
    directory: Path
    environment: list[str]
    arguments: list[str]


def stock() -> Kernel:
    """The cached kernel."""
    release = project.release(project.kernel('root'))
    symbols = project.BUILD / release / 'obj/Module.symvers'
    return Kernel(WORK / release, ['-u', 'KDIR'], [f'KBUILD_EXTRA_SYMBOLS={symbols}'])


def debug(kernel: str) -> Kernel:
    """A debug kernel, which has our modules built in its tree."""
    return Kernel(WORK / kernel, [f'KDIR={graft.home() / kernel}'], ['ARCH=x86', 'CC=gcc-12'])


def build(name: str, result: Port, kernel: Kernel) -> Path:
    """Builds a port; returns the module."""
    tree = kernel.directory / name
    keep(name, result, tree)
    said = project.step(f'ported {name}',
                        ['env', *kernel.environment, project.TOOLS / 'modules.sh', tree,
                         *kernel.arguments, f'{DRIVERS[name]}=m', 'W=1',
                         'KBUILD_MODPOST_WARN=1'],
                        project.BUILD / f'log/ports-{name}.log')
    lacking = UNLINKED.get(name, '$^') if project.arch().is_native() else '$^'
    warnings = [line for line in said if re.search(r'\b(warning|error|WARNING|ERROR):', line) and
                not re.search(lacking, line)]
    if warnings:
        # So that the next build repeats them.
        for file in tree.rglob('*.o'):
            file.unlink()
        raise project.Failed(f'{name}: {graft.shorter(warnings[0])}')
    return next(tree.rglob('*.ko'))


def modules(driver: str, kernel: str | None = None) -> list[Path]:
    """The modules that a guest with DRIVER=ported has beside ours; kernel is a debug kernel's."""
    if driver != 'ported':
        return []
    with graft.lock() if kernel else contextlib.nullcontext():
        target = debug(kernel) if kernel else stock()
        return [build(name, port(name), target) for name in GUEST]
