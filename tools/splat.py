# SPDX-License-Identifier: GPL-2.0
"""Finds in a kernel's log what fails a test."""

import re

import project

# Kernel taints that fail a test: an Oops or BUG, a WARNING, a soft lockup
TAINTS = {1 << 7: 'D', 1 << 9: 'W', 1 << 14: 'L'}
CRASHED = 1 << 7 | 1 << 14
WARNED = 1 << 9
# After the last three lines, a checker is off and proves nothing.
SPLAT = re.compile(r'\bBUG\b|WARNING:|\bOops\b|general protection fault|Kernel panic|'
                   r'hung_task|blocked for more than|UBSAN:|'
                   r'DMA-API: (?!preallocated |debugging enabled|dma_debug_entry pool grown)|'
                   r'DMAR: .*fault|arm-smmu.*: event 0x|rcu: .*stall|refcount_t:|'
                   r'turning off the locking correctness validator|lockdep is turned off|'
                   r'kmemleak: .*disabled')
STAMP = re.compile(r'^\[ *(\d+\.\d+)\] ', re.M)
OURS = re.compile(rf'\[({"|".join(project.MODULES)})\b')
RACE = re.compile(r'^BUG: KCSAN: .*?^={60,}$', re.M | re.S)
# A bind with failing allocations shows two faults of the kernel, with any driver. If the irq core
# cannot create a file in /proc, it continues without, and warns when it removes the file. A
# drm_dev_register() that fails leaves drm_device.registered set, so the core warns of each mode
# object that the probe then frees.
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
    """Whether our code made one of the two accesses, which the first line of a report names."""
    return bool(OURS.search(race.splitlines()[0]))


def foreign_races(log: str) -> list[str]:
    """The KCSAN reports without an access in our code."""
    return [race for race in RACE.findall(plain(log)) if not is_ours(race)]


def complaint(log: str, new_taint: int) -> str | None:
    """The first complaint of the kernel during a test, or None."""
    log = RACE.sub(lambda race: race[0] if is_ours(race[0]) else '', plain(log))
    log, excused = EXCUSED.subn('', log)
    if excused:
        new_taint &= ~WARNED
    found = next((line for line in log.splitlines() if SPLAT.search(line)), None)
    letters = ''.join(letter for bit, letter in TAINTS.items() if new_taint & bit)
    if letters and not found:
        return f'the kernel is tainted: {letters}'
    return found and f'kernel: {found[:120]}'


def blocked(log: str) -> str:
    """The functions that the first blocked task of sysrq-w is in, innermost first; or ''."""
    stack = re.search(r'^task:.*\n(?:(?!task:).*\n)*', plain(log), re.M)
    calls = re.findall(r'^ +(?:\? )?(\w+)\+0x', stack[0], re.M) if stack else []
    return ' < '.join(calls[:12])


def pending(log: str) -> int:
    """The number of mappings that DMA_API_DEBUG found at unbind."""
    return sum(int(count) for count in PENDING.findall(log))


def leaks(listed: str) -> tuple[list[str], int]:
    """The objects in kmemleak's list that our modules allocated, and the number of others."""
    objects = re.split(r'^(?=unreferenced object )', listed, flags=re.M)[1:]
    ours = [text for text in objects if OURS.search(text)]
    return ours, len(objects) - len(ours)
