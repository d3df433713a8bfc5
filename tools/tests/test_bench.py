# SPDX-License-Identifier: GPL-2.0
"""What bench.py says of the ratios of several rounds."""

import collections
import contextlib
import io
import unittest

import bench


class Compared(unittest.TestCase):
    """A target is met or missed if all rounds agree, and are not too far apart for that."""

    def test_met(self) -> None:
        self.assertEqual(bench.compared([10, 30, 20], [100, 100, 100], 0.4),
                         ['0.20', '0.10-0.30', 'met'])

    def test_missed(self) -> None:
        self.assertEqual(bench.compared([40, 30, 20], [10, 10, 10], 0.9)[2], 'MISSED')

    def test_rounds_differ(self) -> None:
        self.assertEqual(bench.compared([9, 9, 11], [10, 10, 10], 1)[2], 'too noisy')

    def test_rounds_far_apart(self) -> None:
        self.assertEqual(bench.compared([2, 10, 80], [10, 10, 10], 0.1)[2], 'too noisy')
        self.assertEqual(bench.compared([2, 5, 9], [10, 10, 10], 1)[2], 'too noisy')

    def test_nothing_measured(self) -> None:
        self.assertEqual(bench.compared([1, 1, 1], [0, -1, 0], 1)[0], '1.00')


class Tables(unittest.TestCase):
    """Each unit has a ratio and a verdict of its own."""

    def test_flat(self) -> None:
        few, many = ('destroy', 4096, 100), ('destroy', 4096, 4000)
        samples: bench.Samples = collections.defaultdict(list)
        for unit in bench.UNITS:
            for case in few, many:
                for turn in range(1, bench.ROUNDS + 1):
                    cost = 2000 if (unit, case) == ('ns', many) else 1000
                    samples[unit, 'sgt', *case, turn].append(cost)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            bench.show_flat([('destroy', few, many)], samples)
        words = printed.getvalue().splitlines()[-1].split()
        self.assertEqual(words[5:8], ['1.00', '1.00-1.00', 'met'])
        self.assertEqual(words[10:], ['2.00', '2.00-2.00', 'MISSED'])


if __name__ == '__main__':
    unittest.main()
