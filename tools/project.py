# SPDX-License-Identifier: GPL-2.0
"""Paths, and building modules and programs."""

import dataclasses
import errno
import fcntl
import functools
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import deadline

TOP = Path(os.path.abspath(__file__)).parent.parent
TOOLS = TOP / 'tools'
BUILD = TOP / 'build'
CACHE = Path(os.environ.get('SGT_CACHE') or
             Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'drm-gem-sgt')
CPUS = len(os.sched_getaffinity(0))
JOBS = str(CPUS)
# In the order in which they are loaded; tools/guest-init unloads them.
MODULES = 'drm_gem_sgt', 'drm_gpupt', 'edu_gpu', 'virtio_gpu_sgt'

# The makes below are not part of the caller's.
os.environ.pop('MAKEFLAGS', None)
# Lines come as they are written, not when a buffer is full.
os.environ['PYTHONUNBUFFERED'] = '1'


Command = Sequence[str | Path]


class Failed(Exception):
    """A step failed; the message names it and the file of its output."""


def disk_full(error: OSError) -> str:
    """The message for an OSError of a full disk; raises any other error again."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return f'the disk is full: {error.filename or "a file could not be written"}'


def lock_checkout() -> IO[str]:
    """Locks this checkout against other builds and tests, until the result is closed."""
    BUILD.mkdir(exist_ok=True)
    file = open(BUILD / 'lock', 'w')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed('a test or a guest is running in this checkout already') from None
    return file


def say(text: str) -> None:
    # One write: threads do not mix their lines.
    print(f'{text}\n', end='', flush=True)


def lines(what: str, command: Command, log: Path, **kwargs: Any) -> Iterator[str]:
    """Runs a command; yields its output line by line and keeps it in log.

    When the time is up, the command is ended.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'w') as copy, subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors='replace', **kwargs) as process, deadline.ending(process, what):
        for line in process.stdout or ():
            copy.write(line)
            yield line.rstrip('\n')
    if process.returncode:
        full = 'No space left on device' in log.read_text(errors='replace')
        raise Failed(f'{what}: failed{", the disk is full" * full}, output in {shown(log)}')


def step(what: str, command: Command, log: Path, **kwargs: Any) -> list[str]:
    """Runs a command and shows its output, but only counts kbuild's "CC file" lines."""
    say(f'-- {what}')
    output = []
    count, started = 0, time.monotonic()
    shown_at = started
    for line in lines(what, command, log, **kwargs):
        output.append(line)
        now = time.monotonic()
        if not re.match(r'  [A-Z0-9]{2,} ', line):
            say(line)
            continue
        count += 1
        if now - shown_at > 5:
            say(f'   {count} files, {now - started:.0f} s')
            shown_at = now
    return output


def shown(path: str | Path) -> str:
    """A path for a message: relative if it is below the current directory."""
    return os.path.relpath(path) if str(path).startswith(os.getcwd()) else str(path)


def kernels() -> dict[str, str]:
    """{line: how it is tested} of the list KERNELS; the default is the first."""
    entries = [line.split('#')[0].split() for line in (TOP / 'KERNELS').read_text().splitlines()]
    return {entry[0]: entry[3] for entry in entries if entry}


def chosen_kernel() -> str:
    """The line of KERNEL=, or the default."""
    line = os.environ.get('KERNEL') or next(iter(kernels()))
    if line not in kernels():
        raise Failed(f'KERNEL={line}: KERNELS has {", ".join(kernels())}')
    return line


def is_default() -> bool:
    return chosen_kernel() == next(iter(kernels()))


def cached(what: str, *command: str | Path, **environment: str) -> Path:
    """The directory in the cache that a script of tools/ prints, and fills if it is not there."""
    script, *arguments = command
    done = subprocess.run([TOOLS / script, *arguments], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment})
    if done.returncode:
        raise Failed(f'no {what}: see above')
    return Path(done.stdout.strip())


def kernel(what: str, **environment: str) -> Path:
    """The directory of the cached kernel: what is "root" or "source"."""
    return cached(f'kernel {what}', 'kernel.sh', what, **environment)


def release(root: Path) -> str:
    """The release of an unpacked kernel, from the name of its directory."""
    return root.name.removeprefix('kroot-')


@dataclasses.dataclass(frozen=True)
class Arch:
    """A line of the list tools/arches."""
    name: str
    kernel: str
    cpu: str
    console: str
    compiler: str
    packages: str

    @property
    def debian(self) -> str:
        """Its name in Debian, without the flavour of the kernel."""
        return self.name.split('-')[0]

    def is_native(self) -> bool:
        return self.compiler == '-'

    def has_small_pages(self) -> bool:
        """Pages of 4 KiB, for which tests and samples are written; the flavours have others."""
        return self.name == self.debian

    def has_turns(self) -> bool:
        """Whether each turn of check-all runs a part of the tests on it."""
        return not self.is_native() and self.has_small_pages()

    def suffix(self) -> str:
        """What the names of its files and suites end in."""
        return '' if self.is_native() else f'-{self.name}'


def arches() -> list[Arch]:
    entries = [line.split('#')[0].split() for line in (TOOLS / 'arches').read_text().splitlines()]
    return [Arch(*entry) for entry in entries if entry]


def arch() -> Arch:
    """The architecture of ARCH=, or the default."""
    name = os.environ.get('ARCH')
    for each in arches():
        if not name or name in (each.name, each.kernel, each.cpu):
            return each
    raise Failed(f'ARCH={name}: it is one of {", ".join(each.name for each in arches())}')


@functools.lru_cache(maxsize=None)
def userroot(debian: str) -> Path:
    """The directory with the libraries of another architecture."""
    return cached(f'libraries of {debian}', 'userroot.sh', ARCH=debian)


def emulator() -> list[str | Path]:
    """The words before a command that runs a program of the chosen architecture."""
    chosen = arch()
    return [] if chosen.is_native() else [f'qemu-{chosen.cpu}', '-L', userroot(chosen.debian)]


def build_modules() -> tuple[Path, list[Path]]:
    """Builds our modules; returns the kernel's directory and the list of .ko files."""
    root = kernel('root')
    environment = {name: value for name, value in os.environ.items() if name != 'KDIR'}
    step('modules', [TOOLS / 'modules.sh'], BUILD / 'log/modules.log', env=environment)
    return root, sorted((BUILD / release(root)).glob('*.ko'))


def executables(directory: Path) -> dict[str, Path]:
    """{name: path} of the programs in a directory."""
    return {path.name: path for path in sorted(directory.iterdir())
            if path.is_file() and os.access(path, os.X_OK)}


def cross_build(chosen: Arch) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of make for the programs of another architecture."""
    root = userroot(chosen.debian)
    return ([f'CC={chosen.compiler}-gcc-12 --sysroot={root}', 'IGT_LIB='],
            {**os.environ, 'PKG_CONFIG_SYSROOT_DIR': str(root),
             'PKG_CONFIG_LIBDIR': str(root / f'usr/lib/{chosen.compiler}/pkgconfig')})


def build_programs() -> dict[str, dict[str, Path]]:
    """Builds the test and sample programs; returns {name: path} of each kind."""
    return build_programs_of(arch())


@functools.lru_cache(maxsize=None)
def build_programs_of(chosen: Arch) -> dict[str, dict[str, Path]]:
    arguments, environment = ([], None) if chosen.is_native() else cross_build(chosen)
    programs = {}
    for part, kind in ('igt-tests', 'igt'), ('samples', 'samples'):
        into = BUILD / (kind + chosen.suffix())
        into.mkdir(parents=True, exist_ok=True)
        step(part, ['make', '-s', '-C', TOP / part, f'O={into}', '-j' + JOBS, *arguments],
             BUILD / f'log/{part}.log', env=environment)
        programs[kind] = executables(into)
    for part in 'fuzz', 'bench':
        programs[part] = executables(BUILD / f'igt{chosen.suffix()}' / part)
    return programs
