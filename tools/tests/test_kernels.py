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
    """The kernels that are tested in a turn, and the notes."""
    ran, results = [], Notes()
    environment = {} if number is None else {'TURN': str(number)}
    with (mock.patch.dict(os.environ, environment),
          mock.patch.object(igt, 'run', lambda *_: ran.append(project.chosen_kernel()))):
        os.environ.pop('KERNEL', None)
        if number is None:
            os.environ.pop('TURN', None)
        check.kernels(results, '', 'sgt')
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
        turns = [line for line, tested in project.kernels().items() if tested == 'turns']
        ran = [line for number in range(boots.TURNS) for line in turn(number)[0]]
        self.assertEqual(ran, turns)
        self.assertEqual(turn(None)[0], turns)

    def test_other_turns_say_what_they_leave_out(self):
        for number in range(boots.TURNS):
            ran, notes = turn(number)
            self.assertEqual(bool(notes), not ran)


if __name__ == '__main__':
    unittest.main()
