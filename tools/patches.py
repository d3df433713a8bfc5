# SPDX-License-Identifier: GPL-2.0
"""The project as a series of patches for a kernel tree, in build/patches/LINE/.

It adds what make graft does, with the headers in include/, the book, and entries in MAINTAINERS.
Each patch passes checkpatch, and the kernel builds after it.
"""

import dataclasses
import fnmatch
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import boots
import graft
import project
import static
import variants
from report import Report

SUITE = 'patches'
BOOK = 'Documentation/gpu/drm-gem-sgt'
# What the series changes in the kernel
CHANGED = ('MAINTAINERS', 'Documentation/gpu/index.rst', 'drivers/gpu/drm/Kconfig',
           'drivers/gpu/drm/Makefile')
MAKE = ['ARCH=x86', 'CC=gcc-12']
DOCS = 'Documentation/gpu/*.rst'
TESTS = 'drivers/gpu/drm/*/tests/*'

# {path in the kernel: text}
Tree = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Patch:
    """A patch: its message, and patterns of the files that come with it."""
    subject: str
    body: str
    files: tuple[str, ...]
    # An option of checkpatch
    ignore: str = '--ignore=ENOSYS'

    def has(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, glob) for glob in self.files)


# The first one that has a file adds it: the tests come before the rest of their directories.
PATCHES = (
    Patch('drm/gem_sgt: add what older kernels lack',
          'The helpers are written for the newest kernel. These headers come before\n'
          'those of the same name, and add what an older one does not have. A tree\n'
          'of the newest kernel does without them.',
          ('compat/*',), static.COMPAT),
    Patch('drm/gem_sgt: add GEM helpers whose mappings end with the device',
          'The DMA mapping of a GEM object in shmem can outlive the device that it\n'
          'is made for: files and dma-bufs keep the object, and the object keeps the\n'
          'mapping. Add helpers for objects whose mappings end when the driver is\n'
          'unbound, while the pages stay for as long as they are used.',
          ('Kbuild', 'Kconfig', 'include/drm/drm_sgt*', 'include/drm/drm_gem_sgt*',
           'include/drm/drm_dma*', 'drivers/gpu/drm/gem_sgt/*')),
    Patch('drm/gpupt: add page tables that are filled from DMA segments',
          'Drivers of GPUs with an MMU write page tables from the segments of a\n'
          'mapping. Add an engine for page tables of any format. It allocates when\n'
          'a job is prepared, so that the fence-signalling path does not.',
          ('include/drm/drm_gpupt*', 'drivers/gpu/drm/gpupt/*')),
    Patch('drm/virtio_sgt: add a driver for virtio-gpu on the helpers',
          'It has the 2D part of virtio_gpu, and its userspace interface. An unbind\n'
          'leaves no mapping, and waits for no answer of the host.',
          ('include/uapi/drm/virtgpu_sgt*', 'drivers/gpu/drm/virtio_sgt/*')),
    Patch("drm/edu_gpu: add a driver for QEMU's edu device",
          'An example of a driver whose device has an MMU: the emulated VT-d unit\n'
          'walks the page tables, and the DMA engine of edu copies by GPU address.',
          ('include/uapi/drm/edu_gpu*', 'drivers/gpu/drm/edu_gpu/*')),
    Patch('drm/gem_sgt: add KUnit tests of the helpers and drivers',
          'They need no device. A .kunitconfig is in gem_sgt/.',
          (TESTS,)),
    Patch('Documentation/gpu: describe the GEM sgt helpers',
          'Add the rules of the helpers, a guide for drivers, and the references.',
          (DOCS,)),
)
OF_DOCS = len(PATCHES) - 1
OF_TESTS = OF_DOCS - 1


def number_of(name: str) -> int | None:
    """The patch that adds a file of the project."""
    if fnmatch.fnmatchcase(name, TESTS):
        return OF_TESTS
    return next((number for number, patch in enumerate(PATCHES) if patch.has(name)), None)


def without_tests(text: str) -> str:
    """A Kconfig or Makefile before the tests are there."""
    text = re.sub(r'^config \w+(?:_KUNIT_TEST|_BENCH)\n(?:(?:\t.*)?\n)*', '', text, flags=re.M)
    objects = r'(?:^# .*\n)*^\S+\$\(CONFIG_\w+_KUNIT_TEST\) \+=(?:.*\\\n)*.*\n'
    text = re.sub(rf'^ifdef \w+\n{objects}endif\n+', '', text, flags=re.M)
    text = re.sub(objects + r'\n*', '', text, flags=re.M)
    text = re.sub(r'^drm_gpupt_bench-y(?:.*\n)*?obj-\$\(CONFIG_DRM_GPUPT_BENCH\).*\n', '', text,
                  flags=re.M)
    text = re.sub(r'^GCOV_PROFILE_tests/.*\n', '', text, flags=re.M)
    return text.rstrip('\n') + '\n'


def fitting(text: str, number: int) -> str:
    """A Kbuild, Kconfig or Makefile after a patch: what comes later, or is only for builds outside
    of the kernel, is left out."""
    lines = []
    for line in text.splitlines(keepends=True):
        part = re.search(r'drivers/gpu/drm/(\w+)/(?:Kconfig"|$)', line)
        by = number_of(f'drivers/gpu/drm/{part[1]}/Kconfig') if part else None
        if (by is None or by <= number) and '-I$(src)/include' not in line:
            lines.append(line)
    text = re.sub(r'\A(# SPDX.*\n)#\n(?:#.*\n)+', r'\1', ''.join(lines))
    text = re.sub(r'^ifneq \(\$\(KBUILD_EXTMOD\),\)\n(?:.*\n)*?endif\n+', '', text, flags=re.M)
    return without_tests(text) if number < OF_TESTS else text


def sources() -> Iterable[tuple[str, Path]]:
    """(name, path) of the project's files that are in the series."""
    for part in graft.PARTS:
        top = project.TOP / part
        for path in [top] if top.is_file() else sorted(filter(graft.is_source, top.rglob('*'))):
            yield str(path.relative_to(project.TOP)), path
    for path in sorted(project.TOP.glob(DOCS)):
        yield str(path.relative_to(project.TOP)), path


def in_kernel(name: str) -> str:
    """Where a file of the project is in the kernel."""
    if fnmatch.fnmatch(name, DOCS):
        return f'{BOOK}/{Path(name).name}'
    return name if name.startswith('include/') else f'{graft.GRAFT}/{name}'


def page(text: str) -> str:
    """A page of the book, with the paths of a kernel tree."""
    return re.sub(r'^(\.\. kernel-doc:: )(?=drivers/)', rf'\1{graft.GRAFT}/', text, flags=re.M)


def entries(names: Iterable[str]) -> list[str]:
    """The entries of MAINTAINERS for those of the project's files; one without any is left out."""
    names, found = [*names], []
    for entry in (project.TOP / 'MAINTAINERS').read_text().split('\n\n'):
        head, *listed = re.split(r'^F:\t(.*)\n?', entry, flags=re.M)[::2][:1] + re.findall(
            r'^F:\t(.*)', entry, re.M)
        paths = set()
        for path in listed:
            below = [name for name in names if name == path or path[-1] == '/' and
                     name.startswith(path)]
            # Of directories that the kernel has, too, the files
            paths |= ({in_kernel(name) for name in below} if path.startswith('include/') else
                      {f'{BOOK}/'} if path == 'Documentation/gpu/' and below else
                      {in_kernel(path)} if below else set())
        if paths:
            found.append(head + ''.join(f'F:\t{path}\n' for path in sorted(paths)))
    return found


def with_entries(text: str, added: Iterable[str]) -> str:
    """MAINTAINERS with more entries, each before the first one whose title comes after its own."""
    for entry in added:
        title = entry.splitlines()[0]
        later = (match.start(1) for match in re.finditer(r'\n\n(\S.*)\n[A-Z]:\t', text)
                 if match[1] > title)
        at = next(later, len(text))
        text = f'{text[:at]}{entry}\n{text[at:]}'
    return text


def tree_after(number: int, original: Tree) -> Tree:
    """What a patch leaves in the tree: files of the project, and those of the kernel it changes."""
    tree, names = {}, []
    for name, path in sources():
        by = number_of(name)
        if by is None or by > number:
            continue
        text = path.read_text()
        if path.name in ('Kbuild', 'Kconfig', 'Makefile'):
            text = fitting(text, number)
        tree[in_kernel(name)] = page(text) if by == OF_DOCS else text
        names.append(name)
    changed = dict(original)
    changed['MAINTAINERS'] = with_entries(changed['MAINTAINERS'], entries(names))
    if 'Kbuild' in names:
        for name, line in graft.HOOKS.items():
            changed[f'drivers/gpu/drm/{name}'] += f'\n{line}\n'
    if number == OF_DOCS:
        index, after = 'Documentation/gpu/index.rst', '   drivers\n'
        changed[index] = changed[index].replace(after, f'{after}   drm-gem-sgt/index\n')
    return tree | changed


def write(tree: Tree, directory: Path) -> None:
    for name, text in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def git(directory: Path, *arguments: str) -> str:
    # Without the user's configuration, which may sign or sort.
    maintainer = re.search(r'^M:\t(.*) <(.*)>', (project.TOP / 'MAINTAINERS').read_text(), re.M)
    assert maintainer
    identity = {f'GIT_{who}_{what}': value for who in ('AUTHOR', 'COMMITTER')
                for what, value in (('NAME', maintainer[1]), ('EMAIL', maintainer[2]))}
    done = subprocess.run(['git', *arguments], cwd=directory, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **identity, 'GIT_CONFIG_GLOBAL': '/dev/null',
                               'GIT_CONFIG_NOSYSTEM': '1'}, check=True)
    return done.stdout


def series(source: Path, into: Path) -> list[Path]:
    """Writes the patches for the kernel in source to a directory; returns their files."""
    original = {name: (source / name).read_text() for name in CHANGED}
    shutil.rmtree(into, ignore_errors=True)
    repository = into / 'tree'
    write(original, repository)
    git(repository, 'init', '-q')
    git(repository, 'add', '-A')
    git(repository, 'commit', '-q', '-m', 'kernel')
    for number, patch in enumerate(PATCHES):
        write(tree_after(number, original), repository)
        git(repository, 'add', '-A')
        git(repository, 'commit', '-q', '-s', '-m', f'{patch.subject}\n\n{patch.body}')
    git(repository, 'format-patch', '-q', '-o', str(into), f'-{len(PATCHES)}')
    shutil.rmtree(repository)
    return sorted(into.glob('*.patch'))


def checkpatch(source: Path, patch: Patch, file: Path) -> str:
    """The complaints about a patch. Each one that adds files has its entries of MAINTAINERS."""
    return static.call(source / 'scripts/checkpatch.pl', '--no-tree', f'--root={source}',
                       '--strict', '--terse', '--no-summary', '--quiet', '--show-types',
                       f'{patch.ignore},FILE_PATH_CHANGES', file, cwd=project.BUILD)[1]


class Copy:
    """A work copy of the kernel of its own, and the build beside it."""

    def __init__(self, source: Path) -> None:
        self.home = project.CACHE / source.name.replace('linux-', 'patches-')
        self.source = graft.work_copy(source, self.home)
        for name in graft.GRAFT, BOOK:
            shutil.rmtree(self.source / name, ignore_errors=True)
        for top in 'include/drm', 'include/uapi/drm':
            for header in (self.source / top).iterdir():
                if not (source / top / header.name).exists():
                    header.unlink()
        for name in CHANGED:
            graft.rewrite(self.source / name, (source / name).read_text())

    def make(self, what: str, *arguments: str) -> list[str]:
        return graft.build(f'{what}: {arguments[-1]}', self.home,
                           [*MAKE, f'O={self.home / "x86"}', *arguments],
                           project.BUILD / f'log/{SUITE}-{what}.log')[1]

    def build(self, what: str) -> list[str]:
        """Builds the objects that there are by now; returns the warnings."""
        objects = self.home / 'x86'
        objects.mkdir(exist_ok=True)
        if not (objects / '.config').exists():
            self.make(what, 'defconfig')
        # Options are forgotten while the kernel has none of their names.
        with open(objects / '.config', 'a') as config:
            config.write('\n'.join(variants.wanted('clang')) + '\n')
        self.make(what, 'olddefconfig')
        return self.make(what, 'W=1', f'{graft.GRAFT}/')

    def apply(self, file: Path) -> None:
        subprocess.run(['git', 'apply', '--whitespace=nowarn', str(file)], cwd=self.source, check=True,
                       env={**os.environ, 'GIT_CEILING_DIRECTORIES': str(self.home)})


def check(report: Report, line: str) -> None:
    """Writes the series for a kernel of the list KERNELS, and checks each of its patches."""
    source = project.kernel('source', KERNEL=line)
    # As in make static, which a later one would ask for functions that 6.12 lacks.
    checker = project.kernel('source', KERNEL=next(iter(project.kernels())))
    files = series(source, project.BUILD / SUITE / line)
    with graft.lock(f'{SUITE}-{line}.lock'):
        copy = Copy(source)
        for patch, file in zip(PATCHES, files):
            started = time.monotonic()
            said = checkpatch(checker, patch, file).splitlines()
            try:
                copy.apply(file)
                if (copy.source / graft.GRAFT / 'Kbuild').exists():
                    said += copy.build(f'{line}-{file.stem[:4]}')
            except (project.Failed, subprocess.CalledProcessError) as error:
                said.append(str(error))
            report.add(SUITE, f'{line}/{file.stem[:52]}', 'fail' if said else 'pass',
                       time.monotonic() - started, said[0][:100] if said else '', '\n'.join(said),
                       f'make {SUITE}')
        left = variants.missing('clang', (copy.home / 'x86/.config').read_text())
        if left:
            report.add(SUITE, f'{line}/options', 'fail', 0.0, f'out of reach: {", ".join(left)}')


def run(report: Report) -> None:
    """Checks the series for each kernel, or that of KERNEL=; with TURN=, in one of the turns only."""
    if boots.turn() not in (None, boots.PATCHES):
        report.note(f'turn {boots.turn()} of {boots.TURNS} left out: {SUITE}')
        return
    asked = os.environ.get('KERNEL')
    for line in [project.chosen_kernel()] if asked else project.kernels():
        check(report, line)
