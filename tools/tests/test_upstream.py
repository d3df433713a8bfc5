# SPDX-License-Identifier: GPL-2.0
"""What is made of the output of upstream's IGT programs: canned output, no QEMU."""

import pathlib
import unittest
from unittest import mock

import deadline
import guestroot
import igt
import upstream
import vm
from upstream import Result

OUTPUT = '''IGT-Version: 2.5-NO-GIT (x86_64)
Starting subtest: first
Subtest first: SUCCESS (0.100s)
Starting subtest: second
(prog:1) CRITICAL: Test assertion failure function f, file a.c:1:
(prog:1) CRITICAL: Failed assertion: ret == 0
Subtest second failed.
**** DEBUG ****
Subtest second: FAIL (0.200s)
Subtest third: SKIP (0.000s)
Test requirement not met in function f, file a.c:2:
Test requirement: has_blobs
Starting subtest: fourth
'''
LOG = '''[    1.0] [IGT] prog: starting subtest first
{0}[    1.2] [IGT] prog: starting subtest second
'''
WARNING = '[    1.1] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n'
PASS, FAIL, SKIP = Result('pass'), Result('fail', 'ret == 0'), Result('skip', 'has_blobs')


def outcome(status=0, output=OUTPUT, log='', taint=0, seconds=1.0):
    return vm.Outcome(status, output, log, taint, True, seconds)


class Results(unittest.TestCase):
    def states(self, *arguments, **keywords):
        found = upstream.results(outcome(*arguments, **keywords), 0)
        return {subtest: result.state for subtest, result in found.items()}

    def test_each_subtest(self):
        found = upstream.results(outcome(), 0)
        self.assertEqual({name: result.state for name, result in found.items()},
                         {'first': 'pass', 'second': 'fail', 'third': 'skip'})
        self.assertIn('ret == 0', found['second'].detail)

    def test_a_program_without_subtests(self):
        self.assertEqual(self.states(output='SUCCESS (0.015s)\n'), {'': 'pass'})

    def test_what_did_not_end_failed(self):
        self.assertEqual(self.states(137)['fourth'], 'fail')
        self.assertEqual(self.states(1, 'no such file\n'), {'': 'fail'})

    def test_the_kernel_complains_about_a_subtest(self):
        self.assertEqual(self.states(log=LOG.format(WARNING))['first'], 'fail')
        self.assertEqual(self.states(log=LOG.format(''))['first'], 'pass')

    def test_a_taint_without_a_line(self):
        self.assertIn('fail', self.states(output=OUTPUT[:OUTPUT.index('Starting subtest: second')],
                                          taint=1 << 9).values())


class Verdicts(unittest.TestCase):
    def judge(self, ours, theirs, why=''):
        return upstream.judge(ours, theirs, why)[0]

    def test_both_agree(self):
        self.assertEqual(self.judge(PASS, PASS), 'pass')
        self.assertEqual(self.judge(SKIP, SKIP), 'skip')

    def test_ours_alone_passes(self):
        for theirs in FAIL, SKIP, None:
            self.assertEqual(self.judge(PASS, theirs), 'pass')

    def test_theirs_alone_passes(self):
        for ours in FAIL, SKIP, None:
            for why in '', 'a reason':
                self.assertEqual(self.judge(ours, PASS, why), 'fail')

    def test_a_failure_needs_a_reason(self):
        self.assertEqual(self.judge(FAIL, FAIL), 'fail')
        self.assertEqual(self.judge(FAIL, FAIL, 'a reason'), 'skip')

    def test_a_reason_for_what_passes(self):
        self.assertEqual(self.judge(PASS, FAIL, 'a reason'), 'fail')
        self.assertEqual(self.judge(SKIP, SKIP, 'a reason'), 'skip')

    def test_reasons_are_patterns(self):
        why = {'kms_a@b*': 'of b', 'kms_a@c': 'of c'}
        self.assertEqual([upstream.reason(f'kms_a@{name}', why) for name in ('bb', 'c', 'd')],
                         ['of b', 'of c', ''])

    def test_the_file_is_well_formed(self):
        for test, why in upstream.listed().items():
            self.assertIn(test.lstrip('!').split('@')[0], upstream.PROGRAMS)
            self.assertTrue(why)


class Turns(unittest.TestCase):
    def test_all_are_selected(self):
        self.assertEqual([name for name, _ in upstream.select('')], upstream.PROGRAMS)


class Tables(unittest.TestCase):
    def test_a_program_that_one_side_lost(self):
        report = mock.Mock()
        table = upstream.Table(report, 'sgt', 'make check-igt')
        table.add('core_auth', 'in-tree', {'a': PASS}, '')
        report.add.assert_not_called()
        table.rest(['core_auth'])
        self.assertEqual(report.add.call_args.args[1:3], ('core_auth@a', 'fail'))

    def test_a_program_that_there_was_no_time_for(self):
        report = mock.Mock()
        table = upstream.Table(report, 'sgt', 'make check-igt')
        table.add('core_auth', 'in-tree', {'a': PASS}, '')
        machine = mock.Mock()
        side = upstream.Side(table, 'sgt', machine, 'make check-igt')
        with mock.patch.object(deadline, 'UNTIL', 0):
            side.run([('core_auth', None), ('kms_lease', None)])
        machine.boot.assert_not_called()
        table.rest(['core_auth', 'kms_lease'])
        self.assertEqual([call.args[1:3] for call in report.add.call_args_list],
                         [('core_auth', 'skip'), ('kms_lease', 'skip')])

    def test_a_complaint_of_the_kernel_needs_no_comparison(self):
        report = mock.Mock()
        table = upstream.Table(report, 'sgt', 'make check-igt')
        table.add('core_auth', 'sgt', {'a': PASS, 'b': FAIL, 'c': Result('fail', 'kernel: BUG')}, '')
        table.late.add('core_auth')
        table.rest(['core_auth'])
        self.assertEqual([call.args[1:3] for call in report.add.call_args_list],
                         [('core_auth@c', 'fail'), ('core_auth', 'skip')])

    def test_a_program_that_the_end_of_the_time_kills(self):
        report, machine = mock.Mock(), mock.Mock()
        table = upstream.Table(report, 'sgt', 'make check-igt')
        machine.run.return_value = outcome(igt.KILLED)
        side = upstream.Side(table, 'sgt', machine, 'make check-igt')
        with mock.patch.object(deadline, 'left', side_effect=[6.5, 0.0]):
            side.one('core_auth', None)
        self.assertEqual(machine.run.call_args.args[0], 7)
        self.assertEqual((table.late, table.found), ({'core_auth'}, {}))

    def test_a_reason_for_no_test(self):
        report = mock.Mock()
        with mock.patch.object(upstream, 'listed', return_value={'core_auth@b*': 'a reason'}):
            table = upstream.Table(report, 'sgt', 'make check-igt')
        for driver in 'sgt', 'in-tree':
            table.add('core_auth', driver, {'a': PASS}, '')
        self.assertEqual(report.add.call_args.args[1:3], ('core_auth@b*', 'fail'))

    def test_a_port_may_not_fail_to_run_nor_make_the_kernel_complain(self):
        for failed in Result('fail', 'exit status 127'), Result('fail', 'kernel: WARNING'):
            report = mock.Mock()
            table = upstream.Table(report, 'ported', 'make check-igt')
            for driver in 'ported', 'in-tree':
                table.add('core_auth', driver, {'a': failed}, '')
            self.assertEqual(report.add.call_args.args[1:3], ('core_auth@a', 'fail'))

    def test_a_port_may_fail_what_the_kernel_fails(self):
        report = mock.Mock()
        table = upstream.Table(report, 'ported', 'make check-igt')
        for driver in 'ported', 'in-tree':
            table.add('core_auth', driver, {'a': FAIL}, '')
        self.assertEqual(report.add.call_args.args[2], 'skip')


class Guests(unittest.TestCase):
    def machine(self, setup):
        guest = guestroot.Guest(setup, 'ported', pathlib.Path('kroot-1'), pathlib.Path('image'))
        return guest.machine(pathlib.Path('.')), guest.seconds(1)

    def test_the_debug_kernel_has_its_options_and_more_time(self):
        machine, seconds = self.machine('debug-phys')
        self.assertEqual(machine.setup, 'phys')
        self.assertIn('kasan_multi_shot', machine.append)
        self.assertGreater(min(machine.patience, seconds), 1)

    def test_the_other_one_has_not(self):
        machine, seconds = self.machine('phys')
        self.assertEqual((machine.setup, machine.append, machine.patience, seconds),
                         ('phys', '', 1, 1))


if __name__ == '__main__':
    unittest.main()
