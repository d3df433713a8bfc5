# SPDX-License-Identifier: GPL-2.0
"""A guest with a debug kernel, and the state of its checkers."""

import functools
import os
import re
from pathlib import Path

import debugkernel
import initramfs
import ports
import project
import splat
import vm

# A guest with all checkers is five to ten times slower.
PATIENCE = 8
SEED = os.environ.get('SEED')

Built = tuple[Path, Path, dict[str, Path]]


def prepare(kernel: str = 'debug', driver: str | None = None) -> Built:
    """Builds the kernel with its modules, the programs, and the guest's root.

    Returns the kernel's root, the guest's, and the programs.
    """
    return built(kernel, driver or os.environ.get('DRIVER') or 'sgt')


def modules(kernel: str = 'debug') -> tuple[Path, list[Path]]:
    """Builds the kernel with our modules; returns its root, and the modules' files."""
    root = debugkernel.prepare(kernel)
    return root, [root / f'lib/modules/{project.release(root)}/kernel/{name}.ko'
                  for name in project.MODULES]


@functools.lru_cache(maxsize=None)
def built(kernel: str, driver: str) -> Built:
    """The same, done once."""
    root, ours = modules(kernel)
    ours += ports.modules(driver, kernel)
    programs = project.build_programs()
    image = project.BUILD / f'guest-{kernel}-{driver}.cpio'
    initramfs.build(root, ours, {**programs['samples'], **programs['igt'], **programs['fuzz'],
                                 'sgt-debug': project.TOOLS / 'guest-debug'}, driver, image)
    return root, image, programs['igt']


def options(kernel: str = 'debug', kunit: bool = False, append: str = '', rounds: int = 1,
            console: bool = False) -> str:
    """What a guest's command line has for the kernel."""
    # While it boots, a guest on a busy machine thinks that its CPUs stall.
    # Without KVM and on a busy machine, a CPU that lost the one interrupt that would have armed
    # its timer again sleeps for ever: the ticks come by themselves here.
    # For an instant, identify_cpu() has forgotten that page tables have five levels: to KASAN, all
    # that an interrupt accesses then is wild, and it reports for ever.
    words = [append, 'nohz=off', 'highres=off', 'no5lvl',
             'rcupdate.rcu_cpu_stall_suppress_at_boot=1',
             'rcupdate.rcu_cpu_stall_timeout=120', vm.asked(rounds), '' if kunit else 'kunit.enable=0',
             '' if console else 'drm_kms_helper.fbdev_emulation=0',
             'SGT_DEBUG=1 kasan_multi_shot' if kernel == 'debug' else '']
    return ' '.join(filter(None, words))


def machine(name: str, setup: str, kernel: str = 'debug', kunit: bool = False, append: str = '',
            driver: str | None = None, fact: vm.Fact | None = None, rounds: int = 1,
            console: bool = False, cpus: int | None = None) -> vm.Vm:
    """A guest with the kernel, not booted yet; its logs go to build/check/NAME."""
    root, image, _ = prepare(kernel, driver)
    return vm.Vm(setup, driver or os.environ.get('DRIVER') or 'sgt', root, image,
                 project.BUILD / 'check' / name, fact,
                 append=options(kernel, kunit, append, rounds, console), patience=PATIENCE,
                 cpus=cpus)


def wrong(checks: str) -> str:
    """What is wrong with the checkers, from the output of "sgt-debug checks"; empty if nothing."""
    state = dict(re.findall(r'^(\w\S+ \w+) (\S+)$', checks, re.M))
    ours, _ = splat.leaks(checks)
    if state.get('dma-api disabled', 'N') != 'N' or state.get('dma-api num_free_entries') == '0':
        return 'the checker of the DMA API ran out of memory, and proves nothing'
    if state.get('lockdep debug_locks', '1') != '1':
        return 'lockdep has switched itself off'
    if ours:
        return f'kmemleak: {len(ours)} objects allocated by our modules are lost'
    return ''
