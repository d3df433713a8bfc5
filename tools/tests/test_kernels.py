# SPDX-License-Identifier: GPL-2.0
"""The list KERNELS, and which runs test what is in it."""

import os
import unittest
from unittest import mock

import boots
import check
import igt
import project


class Notes:
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def turn(number):
    """The (kernel, set-up) pairs that are tested in a turn, and the notes."""
    ran, results = [], Notes()
    environment = {} if number is None else {'TURN': str(number)}
    with (mock.patch.dict(os.environ, environment),
          mock.patch.object(igt, 'run', lambda _, setups, *__: ran.extend(
              (project.chosen_kernel(), setup) for setup in setups))):
        os.environ.pop('KERNEL', None)
        if number is None:
            os.environ.pop('TURN', None)
        check.kernels(results, [], '', 'sgt')
        assert 'KERNEL' not in os.environ
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
            self.assertTrue(turn(number)[1])


if __name__ == '__main__':
    unittest.main()
