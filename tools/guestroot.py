# SPDX-License-Identifier: GPL-2.0
"""A guest with programs of Debian's packages, in a root of their own."""

import functools
from pathlib import Path

import initramfs
import project


@functools.lru_cache(maxsize=None)
def root(name: str) -> Path:
    """The directory of the programs and the libraries that they need."""
    return project.cached(f'packages for {name}', 'guestroot.sh', name)


def image(name: str, driver: str, kernel: Path, modules: list[Path],
          programs: dict[str, Path], trees: dict[str, Path] | None = None) -> Path:
    """The initramfs of a guest with the root of that name; see initramfs.build()."""
    path = project.BUILD / f'guest-{name}-{driver}.cpio'
    initramfs.build(kernel, modules, {'inroot': project.TOOLS / 'guest-root', **programs}, driver,
                    path, {'packages': root(name), **(trees or {})})
    return path
