# SPDX-License-Identifier: GPL-2.0
"""The lists KERNELS and arches, and which runs test what is in them."""

import os
import unittest
from unittest import mock

import boots
import check
import debugkernel
import igt
import project
import vm


class Notes:
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def turn(number, variable='KERNEL'):
    """The (kernel or architecture, set-up) pairs that are tested in a turn, and the notes."""
    ran, results = [], Notes()
    environment = {} if number is None else {'TURN': str(number)}
    with (mock.patch.dict(os.environ, environment),
          mock.patch.object(igt, 'run', lambda _, setups, *__: ran.extend(
              (os.environ[variable], setup) for setup in setups if setup in vm.setups()))):
        for name in 'KERNEL', 'ARCH':
            os.environ.pop(name, None)
        if number is None:
            os.environ.pop('TURN', None)
        check.others(results, variable, [], '', 'sgt')
        assert variable not in os.environ
    return ran, results.notes


class Kernels(unittest.TestCase):
    def test_first_one_is_the_default(self):
        with mock.patch.dict(os.environ, {'KERNEL': ''}):
            self.assertEqual(project.chosen_kernel(), next(iter(project.kernels())))
            self.assertTrue(project.is_default())

    def test_another_one_is_chosen(self):
        for line in list(project.kernels())[1:]:
            with self.subTest(line), mock.patch.dict(os.environ, {'KERNEL': line}):
                self.assertEqual(project.chosen_kernel(), line)
                self.assertFalse(project.is_default())

    def test_unknown_one_fails_with_the_list(self):
        with mock.patch.dict(os.environ, {'KERNEL': '2.4'}):
            with self.assertRaisesRegex(project.Failed, 'KERNEL=2.4: KERNELS has .*6.12'):
                project.chosen_kernel()

    def test_each_has_a_known_kind_of_test(self):
        self.assertEqual(set(project.kernels().values()), {'always', 'turns'})

    def test_three_turns_test_each_once(self):
        lines = [line for line, tested in project.kernels().items() if tested == 'turns']
        ran = [pair for number in range(boots.TURNS) for pair in turn(number)[0]]
        self.assertEqual(len(ran), len(set(ran)))
        self.assertEqual({line for line, _ in ran}, set(lines))
        self.assertEqual(set(ran), set(turn(None)[0]))

    def test_turns_say_what_they_leave_out(self):
        for number in range(boots.TURNS):
            for variable in 'KERNEL', 'ARCH':
                self.assertTrue(turn(number, variable)[1])


class Debug(unittest.TestCase):
    def test_what_a_kernel_does_not_have_is_wanted_of_others(self):
        wanted = debugkernel.wanted_lines('debug') + debugkernel.wanted_lines('kcsan')
        for line, gone in debugkernel.GONE.items():
            self.assertIn(line, list(project.kernels())[1:])
            self.assertLessEqual(set(gone), set(wanted))

    def test_an_option_that_is_lost_is_named(self):
        wanted = ['CONFIG_KASAN=y', '# CONFIG_SMP is not set']
        self.assertEqual(debugkernel.missing(wanted, '\n'), ['CONFIG_KASAN=y'])
        self.assertEqual(debugkernel.missing(wanted, '\nCONFIG_KASAN=y\nCONFIG_SMP=y\n'),
                         ['# CONFIG_SMP is not set'])


class Arches(unittest.TestCase):
    def chosen(self, name):
        with mock.patch.dict(os.environ, {'ARCH': name}):
            return project.arch()

    def test_the_default_is_native(self):
        self.assertEqual(self.chosen(''), project.arches()[0])
        natives = [each.is_native() for each in project.arches()]
        self.assertEqual(natives, [True] + [False] * (len(natives) - 1))

    def test_any_of_its_names_chooses_one(self):
        for each in project.arches():
            self.assertEqual(self.chosen(each.name), each)
            for name in each.kernel, each.cpu:
                self.assertEqual(self.chosen(name).debian, each.debian)

    def test_unknown_one_fails_with_the_list(self):
        with self.assertRaisesRegex(project.Failed, 'ARCH=vax: it is one of amd64, arm64'):
            self.chosen('vax')

    def test_each_has_set_ups(self):
        self.assertEqual(set(vm.SETUPS), {each.name for each in project.arches()})

    def test_three_turns_test_each_set_up_once(self):
        ran = [pair for number in range(boots.TURNS) for pair in turn(number, 'ARCH')[0]]
        self.assertEqual(sorted(ran), sorted((each.name, setup) for each in project.arches()
                                             if each.has_turns()
                                             for setup in vm.SETUPS[each.name]))


if __name__ == '__main__':
    unittest.main()
