# SPDX-License-Identifier: GPL-2.0
"""What ends when the time is up: commands of the test's own."""

import os
import pathlib
import tempfile
import time
import unittest
from unittest import mock

import check
import choice
import deadline
import project
import static

# As kbuild under a script: what compiles is the child of a child.
SCRIPT = 'sleep 20 & echo $!; (sleep 20; :); :'


def ends(process):
    """Whether a process is gone, or soon will be."""
    for _ in range(50):
        try:
            if ') Z ' in pathlib.Path(f'/proc/{process}/stat').read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


class Commands(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.log = pathlib.Path(scratch.name) / 'log'

    def lines(self, script, seconds):
        with mock.patch.object(deadline, 'UNTIL', time.time() + seconds):
            return [*project.lines('a build', ['sh', '-c', script], self.log)]

    def test_a_build_ends_with_all_that_it_started(self):
        with self.assertRaisesRegex(deadline.Late, 'a build'):
            self.lines(SCRIPT, 1)
        self.assertTrue(ends(int(self.log.read_text())))

    def test_a_build_that_begins_too_late_ends_at_once(self):
        with self.assertRaises(deadline.Late):
            self.lines('sleep 20', -1)

    def test_one_that_has_time_is_left_alone(self):
        self.assertEqual(self.lines('echo a', 100), ['a'])
        with self.assertRaises(project.Failed):
            self.lines('false', 100)

    def test_a_static_check_ends(self):
        with (mock.patch.object(deadline, 'UNTIL', time.time() + 1),
              self.assertRaises(deadline.Late)):
            static.call('sh', '-c', SCRIPT)


class Parts(unittest.TestCase):
    def test_a_part_that_is_cut_is_skipped_and_named(self):
        report = mock.Mock()
        with (mock.patch.object(check, 'Report', return_value=report),
              mock.patch.object(check, 'PARTS', {'kunit': choice.Part('kunit')}),
              mock.patch.object(check, 'run', side_effect=deadline.Late('a')),
              mock.patch('sys.argv', ['check.py', 'kunit']),
              mock.patch.dict(os.environ, TEST='', SETUP='', DRIVER='', TURN='')):
            check.main()
        report.add.assert_called_once_with('kunit', 'the rest', 'skip', 0.0, 'no time was left')
        report.note.assert_called_once()


if __name__ == '__main__':
    unittest.main()
