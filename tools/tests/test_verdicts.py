# SPDX-License-Identifier: GPL-2.0
"""What the tools make of logs: of the kernel, of KUnit, and of IGT."""

import unittest

import igt
import kunit
import splat
import vm

SPLAT = '''[   12.345678] ------------[ cut here ]------------
[   12.345679] WARNING: CPU: 0 PID: 42 at drivers/gpu/drm/drm_gem.c:7 drm_gem_x+0x1/0x2
[   12.345680] ---[ end trace 0000000000000000 ]---
'''
# Of the kernel's own, where a bind is without memory.
EXCUSED = '''[   12.345677] ------------[ cut here ]------------
[   12.345678] name '25'
[   12.345679] WARNING: CPU: 0 PID: 42 at fs/proc/generic.c:719 remove_proc_entry+0x1/0x2
[   12.345680] ---[ end trace 0000000000000000 ]---
'''
RACE = '''[    1.0] BUG: KCSAN: data-race in {0} / tick_sched_timer
[    1.1] write to 0xffff888000000000 of 4 bytes by task 7 on cpu 0:
[    1.2] ==================================================================
'''
OUR_RACE = RACE.format('drm_sgt_map+0x1/0x2 [drm_gem_sgt]')
FOREIGN_RACE = RACE.format('shmem_fault')


def outcome(status=0, output='', log='', taint=0, bound=True, seconds=1.0):
    return vm.Outcome(status, output, log, taint, bound, seconds)


class Complaint(unittest.TestCase):
    def test_silence(self):
        self.assertIsNone(splat.complaint('[    1.0] virtio_gpu_sgt: bound\n', 0))

    def test_each_checker(self):
        for line in ('BUG: KASAN: slab-use-after-free in drm_sgt_put+0x1/0x2',
                     'BUG: sleeping function called from invalid context',
                     'WARNING: possible circular locking dependency detected',
                     'UBSAN: array-index-out-of-bounds in drm_sgt.c:1:2',
                     'DMA-API: device driver frees DMA memory with wrong function',
                     'DMAR: [DMA Write NO_PASID] Request device [00:01.0] fault addr 0x0',
                     'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks',
                     'INFO: task modprobe:7 blocked for more than 120 seconds.',
                     'watchdog: BUG: soft lockup - CPU#0 stuck for 26s!',
                     'refcount_t: underflow; use-after-free.',
                     'kmemleak: Kernel memory leak detector disabled'):
            with self.subTest(line):
                self.assertEqual(splat.complaint(f'[    1.0] {line}\n', 0), f'kernel: {line}')

    def test_what_the_checkers_say_of_themselves(self):
        for line in ('DMA-API: preallocated 65536 debug entries',
                     'DMA-API: debugging enabled by kernel config',
                     'DMA-API: dma_debug_entry pool grown to 131072'):
            with self.subTest(line):
                self.assertIsNone(splat.complaint(f'[    1.0] {line}\n', 0))

    def test_taint_without_words(self):
        self.assertEqual(splat.complaint('', splat.WARNED), 'the kernel is tainted: W')
        # Out-of-tree modules taint the kernel, too.
        self.assertIsNone(splat.complaint('', 1 << 12))

    def test_excused_warnings_take_their_taint_along(self):
        self.assertIsNone(splat.complaint(EXCUSED, splat.WARNED))
        self.assertIn('drm_gem_x', splat.complaint(EXCUSED + SPLAT, splat.WARNED))

    def test_races_are_ours_or_not(self):
        self.assertIn('KCSAN', splat.complaint(OUR_RACE.replace('[    1.0] ', ''), 0))
        self.assertIsNone(splat.complaint(FOREIGN_RACE, 0))
        self.assertEqual(len(splat.foreign_races(OUR_RACE + FOREIGN_RACE)), 1)

    def test_pending_mappings(self):
        log = '[ 1.0] DMA-API: x: pending DMA allocations while released from device [count=3]\n'
        self.assertEqual(splat.pending(log + log), 6)

    def test_leaks(self):
        ours, others = splat.leaks('unreferenced object 0x1 (size 8):\n  f+0x1 [drm_gem_sgt]\n'
                                   'unreferenced object 0x2 (size 8):\n  g+0x1\n')
        self.assertEqual((len(ours), others), (1, 1))


KTAP = '''KTAP version 1
1..2
    KTAP version 1
    # Subtest: first
    1..3
    ok 1 passes
    # fails: EXPECTATION FAILED at drivers/a.c:7
    not ok 2 fails
    ok 3 skips # SKIP no memory
not ok 1 first
    KTAP version 1
    # Subtest: second
    1..2
    ok 1 passes
'''


class Cases(unittest.TestCase):
    def read(self, text):
        return [case[:3] + case[4:5] for case in
                kunit.cases((float(number), line) for number, line in
                            enumerate(text.splitlines()))]

    def test_results(self):
        self.assertEqual(self.read(KTAP)[:3], [
            ('first', 'passes', 'pass', ''),
            ('first', 'fails', 'fail', 'fails: EXPECTATION FAILED at drivers/a.c:7'),
            ('first', 'skips', 'skip', 'no memory')])

    def test_a_kernel_that_stops(self):
        self.assertEqual(self.read(KTAP)[-1],
                         ('second', 'run', 'lost', 'the kernel stopped after 1 of 2 cases'))

    def test_a_suite_that_ends_early(self):
        self.assertEqual(self.read(KTAP + 'ok 2 second\n')[-1],
                         ('second', 'plan', 'fail', '1 of 2 cases ran'))

    def test_nothing(self):
        self.assertEqual(self.read('Linux version 6.12\n'), [])


FAILURE = '''Starting subtest: dumb-sizes
(sgt_create:9) CRITICAL: Test assertion failure function test, file sgt_create.c:7:
(sgt_create:9) CRITICAL: Failed assertion: err == -22
(sgt_create:9) CRITICAL: error: 0 != -22
Stack trace:
Subtest dumb-sizes failed.
**** DEBUG ****
(sgt_create:9) CRITICAL: of the debug log
****  END  ****
Subtest dumb-sizes: FAIL (0.1s)
'''
REQUIREMENT = '''Starting subtest: pci-handle
Test requirement not met in function sgt_require_route, file lib/sgt_removal.c:7:
Test requirement: route < sgt_gpu_routes(&test->gpu)
the GPU is no PCI device
Subtest pci-handle: SKIP (0.0s)
'''


class Verdict(unittest.TestCase):
    def test_pass(self):
        self.assertEqual(igt.verdict(outcome(), 0), ('pass', ''))

    def test_failure_has_the_assertion(self):
        self.assertEqual(igt.verdict(outcome(98, FAILURE), 0),
                         ('fail', 'err == -22; error: 0 != -22'))

    def test_skip_has_the_reason(self):
        self.assertEqual(igt.verdict(outcome(igt.SKIP, REQUIREMENT), 0),
                         ('skip', 'the GPU is no PCI device'))

    def test_skip_without_words_has_the_requirement(self):
        text = REQUIREMENT.replace('the GPU is no PCI device\n', '')
        self.assertEqual(igt.verdict(outcome(igt.SKIP, text), 0),
                         ('skip', 'route < sgt_gpu_routes(&test->gpu)'))

    def test_the_kernel_has_the_last_word(self):
        for status in 0, igt.SKIP, 98:
            with self.subTest(status):
                result, detail = igt.verdict(outcome(status, FAILURE, SPLAT), 0)
                self.assertEqual(result, 'fail')
                self.assertIn('drm_gem_x', detail)

    def test_an_old_taint_is_not_held_against_a_test(self):
        self.assertEqual(igt.verdict(outcome(taint=splat.WARNED), splat.WARNED)[0], 'pass')
        self.assertEqual(igt.verdict(outcome(taint=splat.WARNED), 0)[0], 'fail')

    def test_killed_at_the_limit(self):
        self.assertEqual(igt.verdict(outcome(igt.KILLED, seconds=181.0), 0, 180),
                         ('fail', 'killed after 180 s'))
        self.assertEqual(igt.verdict(outcome(igt.KILLED, seconds=2.0), 0, 180),
                         ('fail', 'exit status 137'))

    def test_a_gpu_without_its_driver(self):
        self.assertEqual(igt.verdict(outcome(bound=False), 0)[0], 'fail')
        self.assertEqual(igt.verdict(outcome(bound=False), 0, must_be_bound=False)[0], 'pass')


if __name__ == '__main__':
    unittest.main()
