# SPDX-License-Identifier: GPL-2.0
"""What a kernel's log has against a test."""

import re

# Kernel taints that a test must not cause: an Oops or BUG, a WARNING, a soft lockup.
TAINTS = {1 << 7: 'D', 1 << 9: 'W', 1 << 14: 'L'}
CRASHED = 1 << 7 | 1 << 14
WARNED = 1 << 9
# The last three end what a checker finds: nothing is proven from there on.
SPLAT = re.compile(r'\bBUG\b|WARNING:|\bOops\b|general protection fault|Kernel panic|'
                   r'hung_task|blocked for more than|UBSAN:|'
                   r'DMA-API: (?!preallocated |debugging enabled|dma_debug_entry pool grown)|'
                   r'DMAR: .*fault|rcu: .*stall|refcount_t:|'
                   r'turning off the locking correctness validator|lockdep is turned off|'
                   r'kmemleak: .*disabled')
STAMP = re.compile(r'^\[ *(\d+\.\d+)\] ', re.M)
OURS = re.compile(r'\[(drm_gem_sgt|virtio_gpu_sgt)\b')
RACE = re.compile(r'^BUG: KCSAN: .*?^={60,}$', re.M | re.S)
# A bind with failing allocations shows two faults of the kernel, whatever the driver. Where the
# irq core cannot make a file in /proc, it goes on without, and warns when it removes the file.
# And drm_dev_register() that fails leaves drm_device.registered as it is while it is registered,
# so the core warns of each mode object that goes with the probe.
WARNINGS = (r"name '\w+'\nWARNING: [^\n]* at fs/proc/generic\.c",
            r'WARNING: [^\n]* at drivers/gpu/drm/drm_mode_object\.c'
            r'(?=(?:(?!end trace).)* virtgpu_sgt_probe\+)')
EXCUSED = re.compile(rf'^-+\[ cut here \]-+\n(?:{"|".join(WARNINGS)}).*?^---\[ end trace .*?$',
                     re.M | re.S)
PENDING = re.compile(r'pending DMA allocations while released from device \[count=(\d+)\]')


def plain(log: str) -> str:
    """The log without the time stamps."""
    return STAMP.sub('', log)


def is_ours(race: str) -> bool:
    """Whether a report of KCSAN is of an access in our code; its first line names the two."""
    return bool(OURS.search(race.splitlines()[0]))


def foreign_races(log: str) -> list[str]:
    """The reports of KCSAN in which no access is ours."""
    return [race for race in RACE.findall(plain(log)) if not is_ours(race)]


def complaint(log: str, new_taint: int) -> str | None:
    """What the kernel had to say against a test, or None."""
    log = RACE.sub(lambda race: race[0] if is_ours(race[0]) else '', plain(log))
    log, excused = EXCUSED.subn('', log)
    if excused:
        new_taint &= ~WARNED
    found = next((line for line in log.splitlines() if SPLAT.search(line)), None)
    letters = ''.join(letter for bit, letter in TAINTS.items() if new_taint & bit)
    if letters and not found:
        return f'the kernel is tainted: {letters}'
    return found and f'kernel: {found[:120]}'


def pending(log: str) -> int:
    """How many mappings the DMA API's checker found on a device at unbind."""
    return sum(int(count) for count in PENDING.findall(log))


def leaks(listed: str) -> tuple[list[str], int]:
    """Of what kmemleak lists: the objects that our modules allocated, and how many others."""
    objects = re.split(r'^(?=unreferenced object )', listed, flags=re.M)[1:]
    ours = [text for text in objects if OURS.search(text)]
    return ours, len(objects) - len(ours)
