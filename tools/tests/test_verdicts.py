# SPDX-License-Identifier: GPL-2.0
"""Verdicts on canned logs of the kernel, of KUnit, and of IGT."""

import importlib
import io
import sys
import unittest
from unittest import mock

import igt
import kunit
import project
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
# A probe that fails after drm_dev_register() did: the trace names it.
PROBE = '''[   12.345678] ------------[ cut here ]------------
[   12.345679] WARNING: CPU: 0 PID: 9 at drivers/gpu/drm/drm_mode_object.c:45 drm_mode_x+0x1/0x2
[   12.345680]  {0}+0x1/0x2
[   12.345681] ---[ end trace 0000000000000000 ]---
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
                     'arm-smmu-v3 9050000.smmuv3: event 0x10 received:',
                     'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks',
                     'INFO: task modprobe:7 blocked for more than 120 seconds.',
                     'watchdog: BUG: soft lockup - CPU#0 stuck for 26s!',
                     'refcount_t: underflow; use-after-free.',
                     'INFO: hung_task: blocked tasks',
                     'Oops: 0002 [#1] PREEMPT SMP KASAN NOPTI',
                     'general protection fault: 0000',
                     'Kernel panic - not syncing: Fatal exception',
                     'INFO: lockdep is turned off.',
                     'turning off the locking correctness validator.',
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
        self.assertEqual(splat.complaint('', 1 << 7 | 1 << 14), 'the kernel is tainted: DL')
        # Out-of-tree modules taint the kernel, too.
        self.assertIsNone(splat.complaint('', 1 << 12))

    def test_the_first_line_is_quoted_and_cut(self):
        line = 'BUG: ' + 'x' * 200
        self.assertEqual(splat.complaint(f'{line}\nBUG: second\n', 0), f'kernel: {line[:120]}')

    def test_excused_warnings_take_their_taint_along(self):
        self.assertIsNone(splat.complaint(EXCUSED, splat.WARNED))
        self.assertIn('drm_gem_x', splat.complaint(EXCUSED + SPLAT, splat.WARNED))
        self.assertEqual(splat.complaint(EXCUSED, 1 << 7 | splat.WARNED),
                         'the kernel is tainted: D')

    def test_warnings_of_mode_objects_are_excused_in_a_probe_alone(self):
        probe = PROBE.format('virtgpu_sgt_probe')
        self.assertIsNone(splat.complaint(probe, splat.WARNED))
        other = PROBE.format('virtgpu_sgt_remove')
        for log in other, other + probe:
            self.assertIn('drm_mode_object.c', splat.complaint(log, splat.WARNED))

    def test_races_are_ours_or_not(self):
        self.assertIn('KCSAN', splat.complaint(OUR_RACE.replace('[    1.0] ', ''), 0))
        self.assertIsNone(splat.complaint(FOREIGN_RACE, 0))
        races = splat.foreign_races(OUR_RACE + FOREIGN_RACE)
        self.assertEqual([race.split()[4] for race in races], ['shmem_fault'])
        # What is left out with a foreign race ends with it.
        self.assertIn('drm_gem_x', splat.complaint(FOREIGN_RACE + SPLAT, 0))

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


PARAMETERS = '''KTAP version 1
1..1
    KTAP version 1
    # Subtest: first
    1..1
        KTAP version 1
        # Subtest: each
        ok 1 small
        not ok 2 large
    not ok 1 each
not ok 1 first
'''


def kernels_parser():
    """The kernel's own parser from the source in the cache, silenced; None without a source."""
    found = sorted(project.CACHE.glob('linux-6.12.*/tools/testing/kunit'))
    if not found:
        return None
    with mock.patch.object(sys, 'path', [str(found[-1]), *sys.path]):
        parser = importlib.import_module('kunit_parser')
    parser.stdout = importlib.import_module('kunit_printer').Printer(io.StringIO())
    return parser


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

    def test_a_case_with_parameters_is_one(self):
        self.assertEqual(self.read(PARAMETERS), [('first', 'each', 'fail', '')])

    def test_time_and_log_are_those_of_the_case(self):
        cases = list(kunit.cases((float(number), line) for number, line in
                                 enumerate(KTAP.splitlines())))
        self.assertEqual([case[3] for case in cases[:3]], [2.0, 2.0, 1.0])
        self.assertEqual(len(cases[1][5]), 2)

    def test_the_kernels_own_parser_counts_the_same(self):
        if not (parser := kernels_parser()):
            self.skipTest('no source in the cache')
        whole = KTAP.replace('1..2\n    ok 1 passes\n', '1..1\n    ok 1 passes\nok 2 second\n')
        for text in whole, ''.join(f'[    1.000000] {line}\n' for line in whole.splitlines()):
            counts = parser.parse_run_tests(text.splitlines()).counts
            results = [case[2] for case in self.read(whole)]
            self.assertEqual((counts.passed, counts.failed, counts.skipped, counts.errors),
                             (*map(results.count, ('pass', 'fail', 'skip')), 0))


class Record(unittest.TestCase):
    def record(self, text, wanted='', listed=()):
        report = mock.Mock()
        output = ((float(number), line) for number, line in enumerate(text.splitlines()))
        with mock.patch.object(kunit.choice, 'kunit_tests', return_value=listed):
            ran = kunit.record(report, 'kunit', output, wanted, 'make kunit')
        calls = [call.args for call in report.add.call_args_list]
        self.assertEqual(ran, len([call for call in calls if '.' in call[1]]))
        return calls

    def test_only_what_is_wanted(self):
        self.assertEqual([call[1] for call in self.record(KTAP, 'first.f*')], ['first.fails'])
        self.assertEqual(self.record(KTAP, 'third'), [])

    def test_a_suite_that_does_not_run(self):
        listed = 'first.fails', 'third.one', 'third.two'
        self.assertEqual(self.record(KTAP, '', listed)[-1][1:5],
                         ('third', 'fail', 0.0, 'the suite did not run'))
        self.assertEqual(len(self.record(KTAP, 'first.*', listed)), 3)

    def test_what_repeats_it(self):
        self.assertEqual(self.record(KTAP, 'first.fails')[0][6], 'make kunit TEST=first.fails')

    def test_a_splat_fails_the_case_in_which_it_is(self):
        text = KTAP.replace('    ok 1 passes\n    # f', f'{SPLAT}    ok 1 passes\n    # f')
        results = {call[1]: call[2:5:2] for call in self.record(text)}
        self.assertEqual(results['first.passes'][0], 'fail')
        self.assertIn('drm_gem_x', results['first.passes'][1])
        self.assertEqual(results['first.fails'][1], 'fails: EXPECTATION FAILED at drivers/a.c:7')

    def test_a_splat_fails_a_case_that_skips(self):
        text = KTAP.replace('    ok 3 skips', f'{SPLAT}    ok 3 skips')
        self.assertEqual(self.record(text, 'first.skips')[0][2], 'fail')

    def test_an_expectation_says_more_than_the_splat(self):
        text = KTAP.replace('    # fails', f'{SPLAT}    # fails')
        self.assertIn('EXPECTATION FAILED', self.record(text, 'first.fails')[0][4])


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


class Reason(unittest.TestCase):
    def test_what_is_said_twice_is_said_once(self):
        text = FAILURE.replace('error: 0 != -22', 'Failed assertion: err == -22')
        self.assertEqual(igt.reason(text, True), 'err == -22')

    def test_nothing_is_taken_from_the_debug_log(self):
        self.assertNotIn('of the debug log', igt.reason(FAILURE, True))

    def test_long_ones_are_cut(self):
        self.assertEqual(len(igt.reason(FAILURE.replace('0 != -22', 'x' * 200), True)), 120)

    def test_an_errno_is_no_reason(self):
        text = REQUIREMENT.replace('the GPU is no PCI device', 'Last errno: 2, No such file')
        self.assertEqual(igt.reason(text, False), 'route < sgt_gpu_routes(&test->gpu)')

    def test_a_skip_without_a_requirement(self):
        self.assertEqual(igt.reason('Starting subtest: a\nno host\nSubtest a: SKIP (0.0s)\n',
                                    False), 'no host')
        self.assertEqual(igt.reason('Starting subtest: a\nSubtest a: SKIP (0.0s)\n', False), '')


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

    def test_killed_where_it_cannot_be(self):
        log = ('[  400.1] sysrq: Show Blocked State\n'
               '[  400.1] task:sgt_race state:D stack:0 pid:9 tgid:9 ppid:1 flags:0x4002\n'
               '[  400.1] Call Trace:\n[  400.1]  <TASK>\n'
               '[  400.1]  schedule+0x3c/0xd0\n'
               '[  400.1]  drm_gem_x+0x12/0x40 [drm_gem_sgt]\n[  400.1]  </TASK>\n'
               '[  400.1] task:other state:D stack:0 pid:8 tgid:8 ppid:1 flags:0x4002\n'
               '[  400.1]  elsewhere+0x1/0x2\n')
        self.assertEqual(igt.verdict(outcome(igt.KILLED, '', log, seconds=181.0), 0, 180),
                         ('fail', 'killed after 180 s, blocked in schedule < drm_gem_x'))

    def test_killed_at_the_limit(self):
        self.assertEqual(igt.verdict(outcome(igt.KILLED, seconds=181.0), 0, 180),
                         ('fail', 'killed after 180 s'))
        self.assertEqual(igt.verdict(outcome(igt.KILLED, seconds=2.0), 0, 180),
                         ('fail', 'exit status 137'))
        self.assertEqual(igt.verdict(outcome(igt.KILLED, seconds=2.0), 0),
                         ('fail', 'exit status 137'))

    def test_a_gpu_without_its_driver(self):
        self.assertEqual(igt.verdict(outcome(bound=False), 0),
                         ('fail', 'it left the GPU without a driver'))
        self.assertEqual(igt.verdict(outcome(bound=False), 0, must_be_bound=False)[0], 'pass')


if __name__ == '__main__':
    unittest.main()
