# SPDX-License-Identifier: GPL-2.0
"""Builds the guest's root: busybox, programs with their libraries, modules with theirs."""

import lzma
import os
import shutil
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

import project

STAGE = project.BUILD / 'guest'


def output(*command: str | Path) -> str:
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout


def library_root() -> Path:
    """The directory that has the libraries of the guest's programs at their paths."""
    chosen = project.arch()
    return Path('/') if chosen.is_native() else project.userroot(chosen.debian)


def libraries(program: Path) -> list[str]:
    """The shared objects that a program loads, and its loader."""
    loaders = library_root().glob('lib/ld-linux-*.so.1')
    ldd = [*project.emulator(), *loaders, '--list'] if project.emulator() else ['ldd']
    try:
        lines = output(*ldd, program).splitlines()
    except subprocess.CalledProcessError:
        return []  # static
    words = (line.replace('=>', ' ').split() for line in lines)
    found = [next((word for word in line if word.startswith('/')), None) for line in words]
    return [path for path in found if path]


def dependencies(modules: dict[str, Path], wanted: Iterable[str | Path]) -> dict[str, Path]:
    """The files of the modules in wanted (paths, or names in modules) and of their dependencies."""
    files: dict[str, Path] = {}

    def add(name: str | Path) -> None:
        path = name if isinstance(name, Path) else modules[name.replace('-', '_')]
        stem = path.name.split('.ko')[0].replace('-', '_')
        if stem in files:
            return
        files[stem] = path
        for needed in output('modinfo', '-F', 'depends', path).strip().split(','):
            if needed and needed.replace('-', '_') not in files:
                add(needed)

    for name in wanted:
        add(name)
    return files


def stage_modules(root: Path, ours: list[Path], driver: str) -> None:
    """Fills STAGE/lib/modules with the modules of the driver, for modprobe in the guest."""
    kernel = project.release(root)
    modules = {path.name.split('.ko')[0].replace('-', '_'): path
               for path in (root / 'lib/modules' / kernel / 'kernel').rglob('*.ko*')}
    if driver == 'in-tree':
        ours = []
    modules.update((path.stem.replace('-', '_'), path) for path in ours)
    wanted: list[str | Path] = ['virtio_gpu', 'vgem']
    if driver not in ('in-tree', 'ported'):
        wanted = [*ours, 'vgem', *['virtio_gpu'] * (driver == 'both')]
    # The bus of the set-up mmio, a driver that maps dma-bufs into the kernel, and swap, where the
    # kernel has these as modules.
    wanted += {'virtio_mmio', 'vivid', 'zram'} & modules.keys()
    shutil.rmtree(STAGE, ignore_errors=True)
    into = STAGE / 'lib/modules' / kernel
    into.mkdir(parents=True)
    for stem, path in dependencies(modules, wanted).items():
        data = path.read_bytes()
        (into / (stem + '.ko')).write_bytes(lzma.decompress(data) if path.suffix == '.xz' else data)
    for name in 'modules.order', 'modules.builtin', 'modules.builtin.modinfo':
        shutil.copy(root / 'lib/modules' / kernel / name, into)
    output('depmod', '-b', STAGE, kernel)


class Cpio:
    """An archive in the kernel's "newc" format."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.names: set[str] = set()

    def add(self, name: str, mode: int, body: bytes = b'',
            device: tuple[int, int] = (0, 0)) -> None:
        if name in self.names:
            return
        parent = os.path.dirname(name)
        if parent:
            self.add(parent, stat.S_IFDIR | 0o755)
        self.names.add(name)
        fields = (len(self.names), mode, 0, 0, 1, 0, len(body), 0, 0, *device, len(name) + 1, 0)
        self.data += b'070701' + b''.join(b'%08X' % field for field in fields)
        for part in name.encode() + b'\0', body:
            self.data += part
            self.data += bytes(-len(self.data) % 4)

    def file(self, name: str, path: str | Path) -> None:
        path = Path(path)
        self.add(name, stat.S_IFREG | (path.stat().st_mode & 0o777), path.read_bytes())

    def link(self, name: str, target: str) -> None:
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def tree(self, name: str, root: Path) -> None:
        """Adds all that is below a directory, under a name."""
        for path in sorted(root.rglob('*')):
            inside = os.path.join(name, path.relative_to(root))
            if path.is_symlink():
                self.link(inside, os.readlink(path))
            elif path.is_file():
                self.file(inside, path)

    def finish(self) -> bytes:
        self.add('TRAILER!!!', 0)
        return self.data


def build(root: Path, ours: list[Path], programs: dict[str, Path], driver: str, path: Path,
          trees: dict[str, Path] | None = None) -> None:
    """Writes the initramfs to path.

    programs is {name: path}, they go to /bin; trees is {directory in the guest: directory here}.
    """
    stage_modules(root, ours, driver)
    archive = Cpio()
    archive.add('dev/console', stat.S_IFCHR | 0o600, device=(5, 1))
    for name in 'proc', 'sys', 'run', 'tmp', 'root':
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.file('init', project.TOOLS / 'guest-init')
    busybox = shutil.which('busybox', path=f'{library_root()}/bin') or 'busybox'
    archive.file('bin/busybox', busybox)
    for name, program in programs.items():
        archive.file('bin/' + name, program)
        for library in libraries(program):
            archive.file(library.lstrip('/'), library_root() / library.lstrip('/'))
    for applet in output(*project.emulator(), busybox, '--list').split():
        archive.link('bin/' + applet, 'busybox')
    archive.tree('', STAGE)
    for name, tree in (trees or {}).items():
        archive.tree(name, tree)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive.finish())
