# SPDX-License-Identifier: GPL-2.0
"""When two screens are the same: canned pictures, no QEMU."""

import pathlib
import tempfile
import unittest

import desktop

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


if __name__ == '__main__':
    unittest.main()
