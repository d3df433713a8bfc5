#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the samples or a shell in a guest: tools/guest.py run|shell; see "make help"."""

import os
import subprocess
import sys
from pathlib import Path

import initramfs
import ports
import project
import vm

SECONDS = 300
# The commands from a pipe, and their time limit
SCRIPT = project.BUILD / 'run/sgt-script'
SCRIPT_SECONDS = 3600


def window() -> str | None:
    """QEMU's display for DISPLAY_WINDOW=1, or None."""
    if os.environ.get('DISPLAY_WINDOW', '0') in ('', '0'):
        return None
    known = subprocess.run([f'qemu-system-{project.arch().cpu}', '-display', 'help'], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True).stdout.split()
    found = next((name for name in ('gtk', 'sdl') if name in known), None)
    if not found:
        raise project.Failed('no window: QEMU has neither gtk nor sdl here')
    return found


def prepare(**programs: Path) -> vm.Vm:
    """Builds everything; returns the machine, in which the programs are, too."""
    setup = os.environ.get('SETUP') or 'iommu'
    driver = os.environ.get('DRIVER') or 'sgt'
    if setup not in vm.setups():
        raise project.Failed(f'SETUP={setup}: it is one of {" ".join(vm.setups())}')
    root, modules = project.build_modules()
    modules += ports.modules(driver)
    built = project.build_programs()
    image = project.BUILD / f'guest-{driver}.cpio'
    initramfs.build(root, modules, {**built['samples'], **built['igt'], **programs}, driver, image)
    return vm.Vm(setup, driver, root, image, project.BUILD / 'run', window=window())


def show(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def boot(machine: vm.Vm) -> None:
    """Boots the guest and loads the modules in it."""
    project.say(f'-- booting, set-up {machine.setup} (a few seconds)')
    outcome = machine.boot()
    if outcome.status:
        raise project.Failed(f'the modules do not load:\n{outcome.output}{outcome.log}')
    project.say(f'-- modules loaded after {outcome.seconds:.1f} s\n')


def run(machine: vm.Vm) -> int:
    """Runs the samples; their screens go to build/run/."""
    pictures = [machine.directory / f'{name}.png' for name in ('screen', 'composed')]
    for picture in pictures:
        picture.unlink(missing_ok=True)
    boot(machine)
    outcome = machine.run(SECONDS, 'sgt_demo', '--run', live=show)
    # Only our driver has page tables.
    if machine.driver == 'sgt' and machine.arch.has_small_pages() and not outcome.status:
        project.say('')
        outcome = machine.run(SECONDS, 'sgt_compose', '--check', live=show)
    if machine.window:
        project.say('-- close the window or press Ctrl-C to end')
        machine.wait()
    else:
        machine.power_off()
    if outcome.status:
        raise project.Failed(f'the sample ended with status {outcome.status}\n{outcome.log}')
    if not pictures[0].exists():
        raise project.Failed('the sample has not asked for a picture')
    project.say('\nThe screen: ' + ', '.join(project.shown(picture) for picture in pictures
                                             if picture.exists()))
    return 0


def commands(machine: vm.Vm) -> int:
    """Runs SCRIPT in the guest; returns its status."""
    boot(machine)
    status = machine.run(SCRIPT_SECONDS, 'sh', f'/bin/{SCRIPT.name}', live=show).status
    machine.power_off()
    return status


def shell(machine: vm.Vm) -> int:
    """Gives the terminal to a shell in the guest."""
    project.say('-- booting; Ctrl-A X ends QEMU at any time')
    machine.start(shell=True)
    machine.wait()
    return 0


def work(what: str) -> int:
    """Runs the samples, or a shell on the terminal, or the commands of a pipe."""
    if what == 'run':
        machine, job = prepare(), run
    elif sys.stdin.isatty():
        machine, job = prepare(), shell
    else:
        SCRIPT.parent.mkdir(parents=True, exist_ok=True)
        SCRIPT.write_bytes(sys.stdin.buffer.read())
        machine, job = prepare(**{SCRIPT.name: SCRIPT}), commands
    try:
        return job(machine)
    except vm.Lost as error:
        raise project.Failed(f'VM lost: {error}; see {project.shown(machine.console)}') from None
    finally:
        machine.close()


def main() -> None:
    try:
        lock = project.lock_checkout()
        status = work(sys.argv[1])
        lock.close()
        sys.exit(status)
    except project.Failed as error:
        sys.exit(f'{error}')
    except OSError as error:
        sys.exit(project.disk_full(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == '__main__':
    main()
