# SPDX-License-Identifier: GPL-2.0
"""The configurations of other compilers and machines."""

import unittest
from unittest import mock

import boots
import static
import variants


class Options(unittest.TestCase):
    def test_what_is_off_or_gone_is_missing(self):
        for name in variants.VARIANTS:
            wanted = variants.wanted(name)
            self.assertEqual(variants.missing(name, '\n'.join(wanted)), [])
            lost = wanted[0]
            config = '\n'.join(wanted[1:]) + f'\n# {lost.removesuffix("=y")} is not set\n'
            self.assertEqual(variants.missing(name, config), [lost])

    def test_one_turn_of_three_makes_them(self):
        ran = []
        for turn in '', '0', '1', '2':
            with (mock.patch.dict('os.environ', TURN=turn),
                  mock.patch.object(variants, 'warnings', side_effect=lambda _: ran.append(turn) or [])):
                try:
                    static.variant('clang')
                except static.Skip:
                    pass
        self.assertEqual(ran, ['', str(boots.VARIANTS)])


if __name__ == '__main__':
    unittest.main()
