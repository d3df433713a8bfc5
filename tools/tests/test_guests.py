# SPDX-License-Identifier: GPL-2.0
"""How guests end, and what is made of it: canned answers, no QEMU."""

import io
import os
import pathlib
import subprocess
import tempfile
import unittest
from unittest import mock

import deadline
import debug
import debugguest
import fuzz
import guest
import igt
import project
import splat
import vm

CHECKS = '''dma-api disabled N
dma-api error_count 0
dma-api num_free_entries 65000
lockdep debug_locks 1
'''
LEAK = 'unreferenced object 0x1 (size 8):\n  drm_sgt_alloc+0x1/0x2 [{0}]\n'


class Checkers(unittest.TestCase):
    def test_all_is_well(self):
        for checks in CHECKS, '', CHECKS + LEAK.format('vivid'):
            self.assertEqual(debugguest.wrong(checks), '')

    def test_a_checker_that_is_off_proves_nothing(self):
        for old, new, said in (('disabled N', 'disabled Y', 'DMA API'),
                               ('entries 65000', 'entries 0', 'DMA API'),
                               ('locks 1', 'locks 0', 'lockdep has switched itself off')):
            with self.subTest(new):
                self.assertIn(said, debugguest.wrong(CHECKS.replace(old, new)))

    def test_leaks_of_our_modules(self):
        for name in project.MODULES:
            self.assertEqual(debugguest.wrong(CHECKS + 2 * LEAK.format(name)),
                             'kmemleak: 2 objects allocated by our modules are lost')


def outcome(status=0, output='', log='', taint=0, bound=True, seconds=1.0):
    return vm.Outcome(status, output, log, taint, bound, seconds)


GOOD, WARNING = outcome(), outcome(log='WARNING: CPU: 0 at drivers/a.c:7\n', taint=splat.WARNED)


class Sessions(unittest.TestCase):
    """A session with a machine that gives the outcomes in turn."""

    def session(self, *outcomes, kind=igt.Session):
        self.report, machine = mock.Mock(), mock.Mock(received=b'last words')
        machine.console.read_text.return_value = 'Kernel panic'
        machine.boot.return_value = machine.unload.return_value = GOOD
        machine.run.side_effect = outcomes
        self.machine = machine
        if kind is igt.Session:
            return kind(self.report, machine, 'phys', 'make igt')
        with mock.patch.object(debugguest, 'machine', return_value=machine):
            return kind(self.report, 'phys', mock.Mock(kernel='debug', tests='*'), 'sgt')

    def results(self):
        return [call.args[1:3] for call in self.report.add.call_args_list]

    def run_two(self, *outcomes, **kind):
        self.session(*outcomes, **kind).run([('a', 'b'), ('c', None)])
        return self.results()

    def test_all_pass(self):
        self.assertEqual(self.run_two(GOOD, GOOD), [('boot', 'pass'), ('a@b', 'pass'),
                                                    ('c', 'pass'), ('unload', 'pass')])
        self.assertEqual([call.args[1:] for call in self.machine.run.call_args_list],
                         [('a', '--run-subtest', 'b'), ('c',)])
        self.machine.power_off.assert_called_once()
        self.machine.close.assert_not_called()

    def test_a_lost_guest_is_booted_again_in_silence(self):
        self.assertEqual(self.run_two(vm.Lost('panic'), GOOD),
                         [('boot', 'pass'), ('a@b', 'lost'), ('c', 'pass'), ('unload', 'pass')])
        lost = self.report.add.call_args_list[1].args
        self.assertEqual(lost[4], 'VM lost: panic')
        self.assertIn('last words', lost[5])
        self.assertIn('Kernel panic', lost[5])
        self.assertEqual(lost[6], 'make igt TEST=a@b')
        self.assertEqual(self.machine.boot.call_count, 2)
        self.machine.close.assert_called_once()

    def test_the_seed_of_a_random_test_repeats_it(self):
        said = '(a:9) INFO: 7 rounds, SGT_SEED=1234\n'
        session = self.session(outcome(98, said), vm.Lost('panic'))
        self.machine.received = said.encode()
        session.run([('a', 'b'), ('c', None)])
        self.assertEqual([call.args[6] for call in self.report.add.call_args_list[1:]],
                         ['make igt TEST=a@b SEED=1234', 'make igt TEST=c SEED=1234'])

    def test_what_a_test_broke_is_not_held_against_the_next(self):
        for broken, boots in ((outcome(taint=splat.CRASHED), 2), (outcome(bound=False), 2),
                              (WARNING, 1), (GOOD, 1)):
            with self.subTest(broken):
                self.assertEqual(self.run_two(broken, GOOD)[2], ('c', 'pass'))
                self.assertEqual(self.machine.boot.call_count, boots)

    def test_a_guest_that_does_not_boot(self):
        session = self.session()
        self.machine.boot.side_effect = vm.Lost('no answer')
        session.run([('a', 'b')])
        self.assertEqual(self.results(), [('boot', 'lost')])

    def test_modules_that_do_not_load(self):
        session = self.session()
        self.machine.boot.return_value = outcome(1)
        session.run([('a', 'b')])
        self.assertEqual(self.results(), [('boot', 'fail')])

    def test_a_guest_that_does_not_go_down(self):
        session = self.session(GOOD)
        self.machine.power_off.side_effect = vm.Lost('panic')
        session.run([('a', 'b')])
        self.assertEqual(self.results()[-1], ('power-off', 'lost'))

    def test_any_complaint_ends_a_debug_guest(self):
        checks = outcome(output=CHECKS)
        with mock.patch.object(debug.coverage, 'save'):
            self.run_two(WARNING, GOOD, checks, GOOD, kind=debug.Session)
        self.assertEqual(self.machine.boot.call_count, 2)

    def test_the_checkers_end_a_debug_guest(self):
        for output, result in (CHECKS, 'pass'), (LEAK.format('drm_gem_sgt'), 'fail'):
            session = self.session(GOOD, outcome(output=output), GOOD, kind=debug.Session)
            with mock.patch.object(debug.coverage, 'save'):
                session.run([('a', 'b')])
            self.assertIn(('checkers', result), self.results())
            self.assertIn(mock.call(debug.SECONDS, 'sgt-debug', 'checks'),
                          self.machine.run.call_args_list)

    def test_what_a_debug_guest_counts(self):
        left = outcome(log='DMA-API: pending DMA allocations while released from device [count=3]')
        with mock.patch.object(debug.coverage, 'save') as save:
            self.run_two(left, WARNING, outcome(output=CHECKS), GOOD, kind=debug.Session)
        self.assertEqual({call.args[1]: call.args[2] for call in self.report.fact.call_args_list},
                         {'mappings left at unbind': 3, 'WARNINGs': 1})
        # The guest of the first test went with it, that of the second before the end.
        save.assert_not_called()

    def test_kunit_is_read_from_the_boot_or_the_console(self):
        ktap = ('[    1.0] KTAP version 1\n[    1.0]     # Subtest: first\n[    1.0]     1..1\n'
                '[    1.5]     ok 1 one\n')
        for boot, console in (outcome(log=ktap), ''), (vm.Lost('panic'), ktap):
            session = self.session(outcome(output=CHECKS), GOOD, kind=debug.KunitSession)
            self.machine.boot.side_effect = [boot]
            self.machine.console.read_text.return_value = console
            with mock.patch.object(debug.coverage, 'save'):
                session.run('')
            self.assertIn(('first.one', 'pass'), self.results())
            self.assertIn(('first.run', 'lost'), self.results())

    def test_too_late_is_a_skip(self):
        for kind in igt.Session, debug.Session:
            with self.subTest(kind), mock.patch.object(deadline, 'UNTIL', 0):
                self.assertEqual(self.run_two(kind=kind), [('a@b', 'skip'), ('c', 'skip')])
            self.machine.boot.assert_not_called()
            self.report.note.assert_called()


    def test_what_the_end_of_the_time_kills_is_skipped(self):
        for kind in igt.Session, debug.Session:
            session = self.session(outcome(igt.KILLED), kind=kind)
            with self.subTest(kind), mock.patch.object(deadline, 'left', side_effect=[6.5, 0.0]):
                session.one('a', 'b')
            self.assertEqual(self.machine.run.call_args.args, (7, 'a', '--run-subtest', 'b'))
            self.assertEqual(self.results(), [('a@b', 'skip')])
            self.machine.close.assert_called_once()

    def test_the_kernel_has_the_last_word_on_what_the_end_of_the_time_kills(self):
        with mock.patch.object(deadline, 'left', return_value=0.0):
            self.session(outcome(igt.KILLED, taint=splat.WARNED)).one('a', 'b')
        self.assertEqual(self.results(), [('a@b', 'fail')])


class Asked(unittest.TestCase):
    """What the Makefile passes on to a guest."""

    def run_with(self, driver='sgt', **given):
        with (mock.patch.dict(os.environ, {'ROUNDS': '', 'SEED': '', **given}),
              mock.patch.multiple(igt, choice=mock.DEFAULT, is_possible=mock.DEFAULT,
                                  initramfs=mock.DEFAULT, select=lambda *_: [('sgt_map', 'fork')]),
              mock.patch.multiple(project, build_modules=lambda: (None, []), say=mock.DEFAULT,
                                  build_programs=mock.MagicMock()),
              mock.patch.object(igt.ports, 'modules', return_value=[]),
              mock.patch.object(igt, 'Session') as session, mock.patch.object(vm, 'Vm') as machine):
            report = mock.Mock(directory=pathlib.Path('/check'))
            report.side_by_side.side_effect = lambda jobs: [job[2]() for job in jobs]
            igt.run(report, ['phys'], '', driver)
        return machine.call_args, session.call_args.args[2:]

    def test_rounds_and_seed(self):
        for given, append in ({}, ''), ({'SEED': '7', 'ROUNDS': '3'}, 'SGT_ROUNDS=3 SGT_SEED=7'):
            self.assertEqual(self.run_with(**given)[0].kwargs['append'], append)

    def test_each_driver_has_results_and_logs_of_its_own(self):
        for driver, name, again in (('sgt', 'phys', 'make igt SETUP=phys'),
                                    ('ported', 'phys-ported', 'make igt DRIVER=ported SETUP=phys')):
            machine, session = self.run_with(driver)
            self.assertEqual(session, (name, again))
            self.assertEqual(machine.args[4], pathlib.Path('/check', name))

    def test_a_debug_kernel_has_rounds_of_its_own(self):
        with mock.patch.dict(os.environ, ROUNDS='', SEED='7'):
            self.assertEqual(vm.asked(20), 'SGT_ROUNDS=20 SGT_SEED=7')


class Power(unittest.TestCase):
    """The end of a guest, as QEMU and the console have it."""

    def machine(self, console='', reasons=(), alive=False):
        machine = vm.Vm('phys', 'sgt', None, None, mock.MagicMock())
        machine.console = mock.Mock()
        machine.console.read_text.return_value = console
        machine.process, machine.result, machine.qmp = mock.Mock(), mock.Mock(), mock.Mock()
        machine.process.returncode = 1
        machine.process.wait.side_effect = subprocess.TimeoutExpired('qemu', 1) if alive else None
        machine.qmp.drain.return_value = [{'event': 'RESET', 'data': {}}] + [
            {'event': 'SHUTDOWN', 'data': {'reason': reason}} for reason in reasons]
        return machine

    def lost(self, **end):
        with self.assertRaises(vm.Lost) as caught:
            self.machine(**end).power_off()
        return str(caught.exception)

    def test_good_order(self):
        self.machine(reasons=['guest-shutdown']).power_off()

    def test_other_ends(self):
        self.assertEqual(self.lost(reasons=['guest-reset']), 'the guest went down by guest-reset')
        self.assertEqual(self.lost(), 'the guest went down by a crash of QEMU')
        self.assertEqual(self.lost(alive=True), 'the guest does not power off')

    def test_death(self):
        panic = '[ 1.0] Kernel panic - not syncing: Fatal exception\n[ 1.1] Rebooting\n'
        self.assertEqual(self.machine(panic)._death(),
                         'Kernel panic - not syncing: Fatal exception')
        self.assertEqual(self.machine()._death(), 'the guest is gone (QEMU ended with 1)')


class Piped(unittest.TestCase):
    def test_a_pipe_is_read_to_its_end_and_run(self):
        machine = mock.Mock(**{'boot.return_value': GOOD, 'run.return_value': outcome(3)})
        with tempfile.TemporaryDirectory() as scratch, \
                mock.patch.object(guest, 'SCRIPT', pathlib.Path(scratch) / 'run/sgt-script'), \
                mock.patch.object(guest, 'prepare', return_value=machine) as prepare, \
                mock.patch.object(project, 'say'), \
                mock.patch('sys.stdin', io.TextIOWrapper(io.BytesIO(b'one\ntwo'))):
            self.assertEqual(guest.work('shell'), 3)
            self.assertEqual(guest.SCRIPT.read_bytes(), b'one\ntwo')
            prepare.assert_called_once_with(**{'sgt-script': guest.SCRIPT})
        self.assertEqual(machine.run.call_args.args[1:], ('sh', '/bin/sgt-script'))
        machine.power_off.assert_called_once()
        machine.close.assert_called_once()


class Hunts(unittest.TestCase):
    """The fuzzer in guests that answer in turn."""

    def hunt(self, *outcomes):
        self.report, self.machine = mock.Mock(), mock.Mock()
        self.machine.console.read_text.return_value = ''
        self.machine.run.side_effect = outcomes
        with (mock.patch.object(debugguest, 'machine', return_value=self.machine),
              mock.patch.object(project, 'say'), mock.patch.object(fuzz, 'FOUND', self.found),
              mock.patch.object(fuzz.Hunt, 'generate', return_value='open;map,1')):
            fuzz.Hunt(self.report, 'phys', 7).hunt(20)
        return self.report.add.call_args.args[2:5]

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.found = pathlib.Path(scratch.name)

    def test_one_that_hangs_fails(self):
        result, _, detail = self.hunt(outcome(igt.KILLED), *[GOOD] * 4)
        self.assertEqual((result, detail), ('fail', f'killed after {20 + fuzz.PATIENCE} s'))

    def test_when_the_time_is_up_no_guest_is_tried(self):
        complaint = outcome(igt.KILLED, log=WARNING.log)
        for first, result in ((outcome(igt.KILLED), 'skip'), (vm.Lost('panic'), 'fail'),
                              (complaint, 'fail')):
            with (self.subTest(result), mock.patch.object(deadline, 'is_late', return_value=True),
                  mock.patch.object(deadline, 'left', return_value=6.5)):
                self.assertEqual(self.hunt(first)[0], result)
                self.assertEqual(self.machine.boot.call_count, 1)
                self.assertEqual(self.machine.run.call_args_list[0].args[0], 7)


class Heard(unittest.TestCase):
    def test_the_fuzzers_lines_in_any_pieces(self):
        said = b'seed 7: 12 programs\nat 3\nops open;map,1\nfound: BUG: KASAN\n'
        for size in 1, 5, len(said):
            heard = fuzz.Listener('phys')
            with mock.patch.object(project, 'say'):
                for at in range(0, len(said), size):
                    heard(said[at:at + size])
            self.assertEqual((heard.index, heard.ops, heard.found, heard.progress),
                             (3, 'open;map,1', 'BUG: KASAN', 'seed 7: 12 programs'))

    def test_programs_as_text_and_as_a_word(self):
        self.assertEqual(fuzz.word('# why\nopen\nmap 1 2 # here\n\n'), 'open;map,1,2')
        self.assertEqual(fuzz.word(fuzz.text('open;map,1,2')), 'open;map,1,2')


if __name__ == '__main__':
    unittest.main()
