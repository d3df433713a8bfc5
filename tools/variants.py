# SPDX-License-Identifier: GPL-2.0
"""Builds of the project, with its tests, by another compiler and for another machine.

They are objects in the work copy of the kernel's source: nothing is linked, and nothing runs.
"""

import hashlib
from pathlib import Path

import graft
import project

# {name: arguments of make, and options}; all have OPTIONS.
VARIANTS = {
    'clang': (['ARCH=x86', 'LLVM=1'], ['CONFIG_DRM_EDU_GPU=y']),
    # DMA addresses and physical addresses are longer than pointers there.
    'i386': (['ARCH=i386', 'CC=gcc-12'], ['CONFIG_HIGHMEM64G=y']),
}
OPTIONS = [f'CONFIG_{name}=y' for name in (
    'DRM', 'KUNIT', 'VIRTIO_MENU', 'IOMMU_SUPPORT', 'DRM_GEM_SGT', 'DRM_GPUPT', 'DRM_VIRTIO_SGT',
    'DRM_VIRTIO_SGT_VM', 'DRM_GEM_SGT_KUNIT_TEST', 'DRM_GPUPT_KUNIT_TEST',
    'DRM_VIRTIO_SGT_KUNIT_TEST')]


def wanted(name: str) -> list[str]:
    return OPTIONS + VARIANTS[name][1]


def missing(name: str, config: str) -> list[str]:
    """The options of a variant that a configuration has not taken."""
    lines = config.splitlines()
    return [option for option in wanted(name) if option not in lines]


def configure(name: str, directory: Path) -> None:
    """Writes the configuration, if its sources have changed: the machine's default, and ours."""
    options = [file.read_text() for file in sorted((directory.parent / 'src' / graft.GRAFT)
                                                   .rglob('Kconfig'))]
    made_of = hashlib.sha256('\n'.join(wanted(name) + options).encode()).hexdigest()
    stamp = directory / 'sgt-config'
    if stamp.exists() and stamp.read_text() == made_of:
        return
    directory.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    arguments = [*VARIANTS[name][0], f'O={directory}']
    log = project.BUILD / f'log/{name}-config.log'
    graft.build(f'{name}: configuration', directory.parent, [*arguments, 'defconfig'], log)
    with open(directory / '.config', 'a') as config:
        config.write('\n'.join(wanted(name)) + '\n')
    graft.build(f'{name}: options', directory.parent, [*arguments, 'olddefconfig'], log)
    lost = missing(name, (directory / '.config').read_text())
    if lost:
        raise project.Failed(f'{name}: its configuration did not take {", ".join(lost)}')
    stamp.write_text(made_of)


def warnings(name: str) -> list[str]:
    """Builds a variant; returns the warnings in the project's files."""
    with graft.lock():
        home = graft.home()
        configure(name, home / name)
        command = [*VARIANTS[name][0], f'O={home / name}', 'W=1', f'{graft.GRAFT}/']
        return graft.build(f'{name}: objects', home, command,
                           project.BUILD / f'log/{name}-build.log')[1]
