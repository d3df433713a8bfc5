# SPDX-License-Identifier: GPL-2.0
"""When two screens are the same: canned pictures, no QEMU."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

import desktop
import igt
import project
import upstream
import vm

GOOD = vm.Outcome(0, '', '', 0, True, 1.0)
RED, BLUE = b'\xff\0\0', b'\0\0\xff'


def screen(left, right=RED, width=32):
    """A screen of one row, whose halves have a colour each."""
    return width, 1, (left * (width // 2) + right * (width // 2))


class Scenes(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.scene = desktop.Scene('a', {'ff0000': 10, '0000ff': 10}, pathlib.Path(directory.name))

    def wrong(self, side, shown):
        """What is wrong with a screen that stays as it is."""
        self.scene.wrong(side, shown)
        return self.scene.wrong(side, shown)

    def test_both_are_complete_and_equal(self):
        self.assertIn('shows nothing', self.wrong('sgt', screen(BLUE)))
        self.assertEqual(self.wrong('in-tree', screen(BLUE)), '')
        self.assertEqual(self.wrong('sgt', screen(BLUE)), '')
        self.assertTrue((self.scene.directory / 'a.png').exists())

    def test_equal_is_not_enough(self):
        for side in 'sgt', 'in-tree':
            self.assertEqual(self.wrong(side, screen(RED)), 'the screen lacks colour 0000ff')

    def test_a_screen_that_changes_is_not_right(self):
        self.wrong('in-tree', screen(BLUE))
        self.assertEqual(self.scene.wrong('sgt', screen(BLUE)), 'the screen changes')
        self.assertEqual(self.scene.wrong('sgt', screen(BLUE)), '')

    def test_a_pixel_differs(self):
        self.wrong('in-tree', screen(BLUE))
        width, height, rgb = screen(BLUE)
        self.assertIn('1 of 32 pixels differ, first at 31,0',
                      self.wrong('sgt', (width, height, rgb[:-1] + b'\1')))

    def test_the_size_differs(self):
        self.wrong('in-tree', screen(BLUE))
        self.assertEqual(self.wrong('sgt', screen(BLUE, width=64)),
                         'the screen is 64x1, the other 32x1')

    def test_what_was_agreed_stays(self):
        """A screen after a bind is compared with the one before, whatever the other guest does."""
        self.wrong('sgt', screen(BLUE))
        self.wrong('in-tree', screen(BLUE))
        self.wrong('in-tree', screen(RED, BLUE))
        self.assertIn('pixels differ', self.wrong('sgt', screen(RED, BLUE)))
        self.assertEqual(self.wrong('sgt', screen(BLUE)), '')


class Sides(unittest.TestCase):
    def side(self, *outcomes):
        self.machine = mock.Mock(driver='sgt', received=b'')
        self.machine.console.read_text.return_value = ''
        self.machine.boot.return_value = self.machine.unload.return_value = GOOD
        self.machine.run.side_effect = outcomes
        self.report = mock.MagicMock()
        scenes = {name: mock.MagicMock() for name in ('a', 'b')}
        guest = mock.Mock(**{'machine.return_value': self.machine,
                             'seconds.side_effect': lambda limit: limit})
        return desktop.Side(self.report, 'check-desktop-sgt', guest, 'make check-desktop', scenes)

    def test_a_program_that_was_killed_takes_the_guest_along(self):
        for first, boots in (vm.Outcome(igt.KILLED, '', '', 0, True, 400), 2), (GOOD, 1):
            self.side(first, GOOD).run([('a', None), ('b', None)])
            self.assertEqual(self.machine.boot.call_count, boots)

    def test_a_guest_is_waited_for_until_it_is_lost_and_booted_again(self):
        asked = []
        self.machine = vm.Vm('phys', 'sgt', None, None, mock.MagicMock())
        with mock.patch.object(vm.Vm, '_request', lambda _, line, limit, live: asked.append(limit)):
            self.machine.run(desktop.SECONDS, 'desktop', 'a')
        self.assertGreater(desktop.MEET_SECONDS, asked[0] + vm.BOOT_SECONDS)

    def test_the_kernels_own_driver_is_not_compared_with_itself(self):
        for module in desktop, upstream:
            with (self.subTest(module.SUITE), mock.patch.dict(os.environ, TURN=''),
                  mock.patch.object(project, 'build_modules', side_effect=AssertionError),
                  self.assertRaisesRegex(project.Failed, 'DRIVER=in-tree')):
                module.run(mock.Mock(), [], '', 'in-tree')


if __name__ == '__main__':
    unittest.main()
