# SPDX-License-Identifier: GPL-2.0
"""A guest with programs of Debian's packages, in a root of their own."""

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path

import debugguest
import initramfs
import ports
import project
import vm

# Before the name of a set-up: on the debug kernel
DEBUG = 'debug-'

Paths = dict[str, Path]


@functools.lru_cache(maxsize=None)
def root(name: str) -> Path:
    """The directory of the programs and the libraries that they need."""
    return project.cached(f'packages for {name}', 'guestroot.sh', name)


@dataclasses.dataclass(frozen=True)
class Guest:
    """What a guest with a driver boots."""
    setup: str
    driver: str
    kernel: Path
    image: Path

    def is_debug(self) -> bool:
        return self.setup.startswith(DEBUG)

    def seconds(self, limit: int) -> int:
        """The time limit of what may take this long on Debian's kernel."""
        return limit * debugguest.PATIENCE if self.is_debug() else limit

    def machine(self, directory: Path) -> vm.Vm:
        """The guest, not booted yet."""
        setup = self.setup.removeprefix(DEBUG)
        append, patience = '', 1
        if self.is_debug():
            append, patience = debugguest.options(), debugguest.PATIENCE
        return vm.Vm(setup, self.driver, self.kernel, self.image, directory, append=append,
                     patience=patience)


def guests(name: str, setup: str, drivers: Iterable[str], programs: Paths,
           trees: Paths | None = None) -> dict[str, Guest]:
    """{driver: its guest} with the root of that name; see initramfs.build()."""
    found = {}
    debug = setup.startswith(DEBUG)
    kernel, ours = debugguest.modules() if debug else project.build_modules()
    for driver in drivers:
        modules = ours + ports.modules(driver, 'debug' if debug else None)
        image = project.BUILD / f'guest-{name}-{driver}.cpio'
        initramfs.build(kernel, modules, {'inroot': project.TOOLS / 'guest-root', **programs},
                        driver, image, {'packages': root(name), **(trees or {})})
        found[driver] = Guest(setup, driver, kernel, image)
    return found
