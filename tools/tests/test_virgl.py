# SPDX-License-Identifier: GPL-2.0
"""3D on two drivers: canned logs and a canned screen, no QEMU and no X server."""

import pathlib
import struct
import tempfile
import unittest
from unittest import mock

import guestroot
import project
import splat
import virgl
import vm
import xvfb

LEFT = 'DMA-API: virtio-pci 0000: pending DMA allocations while released from device [count=7]\n'


class Sides(unittest.TestCase):
    def one(self, driver, log='', setup='debug-virgl', status=0):
        """The result of a program, and the facts recorded."""
        report = mock.Mock(directory=pathlib.Path('.'))
        guest = guestroot.Guest(setup, driver, pathlib.Path('kroot-1'), pathlib.Path('image'))
        side = virgl.Side(report, 'check-virgl', guest, 'make check-virgl', {})
        side.machine = mock.Mock(driver=driver)
        taint = splat.WARNED if log else 0
        side.add('kmscube', vm.Outcome(status, '', log, taint, driver != 'in-tree', 1.0), '')
        return report.add.call_args.args[2], [call.args[2] for call in report.fact.call_args_list]

    def test_what_the_kernels_driver_leaves_is_counted(self):
        self.assertEqual(self.one('in-tree', LEFT), ('pass', [7]))

    def test_the_port_may_leave_nothing(self):
        self.assertEqual(self.one('ported', LEFT), ('fail', [7]))
        self.assertEqual(self.one('ported'), ('pass', [0]))

    def test_only_the_debug_kernel_counts(self):
        self.assertEqual(self.one('ported', setup='virgl'), ('pass', []))

    def test_a_screen_of_the_kernels_driver_can_be_wrong(self):
        self.assertEqual(self.one('in-tree', LEFT, status=1)[0], 'fail')


class Programs(unittest.TestCase):
    def test_one_that_no_chosen_setup_has(self):
        with (mock.patch.object(virgl.boots, 'turn', return_value=None),
              mock.patch.object(virgl.desktop, 'show') as show):
            with self.assertRaises(project.Failed):
                virgl.run(mock.Mock(), ['debug-virgl'], 'weston-gl')
            virgl.run(mock.Mock(), [], 'weston-gl')
        self.assertEqual([call.args[1] for call in show.call_args_list], ['virgl'])


class Screens(unittest.TestCase):
    def test_the_window_is_where_it_grows_to(self):
        """X's screen has twice the size; each pixel here has its place as its colour."""
        width, height = 640, 480
        with tempfile.TemporaryDirectory() as directory:
            screen = xvfb.Screen.__new__(xvfb.Screen)
            screen.place(pathlib.Path(directory), width, height)
            header = [0] * 25
            header[xvfb.HEADER_SIZE], header[xvfb.PITCH], header[xvfb.COLOURS] = 104, 8 * width, 2
            pixels = b''.join(struct.pack('<HBx', x, y % 256)
                              for y in range(2 * height) for x in range(2 * width))
            screen.file.write_bytes(struct.pack('>25I', *header) + bytes(4 + 24) + pixels)
            shown = screen.dump()
        self.assertEqual(shown[:2], (width, height))
        # Red, green and blue of the first pixel and of the one to its right
        x, y = (2 * width - 640) // 2, (2 * height - 480) // 2
        self.assertEqual(shown[2][:6], bytes([y % 256, x >> 8, x & 255, y % 256, x >> 8,
                                              (x & 255) + 1]))


if __name__ == '__main__':
    unittest.main()
