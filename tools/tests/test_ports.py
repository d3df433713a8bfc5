# SPDX-License-Identifier: GPL-2.0
"""What is counted and compared in the ports of the kernel's drivers."""

import unittest
from unittest import mock

import portcheck
import ports
import project

KERNEL = {
    'a.c': """static const struct drm_gem_object_funcs a_funcs = {
\t.free = a_free,
\t.vmap = drm_gem_shmem_object_vmap,
};
static const struct drm_driver a_driver = {
\t.gem_prime_import_sg_table = a_import,
\tDRM_GEM_SHMEM_DRIVER_OPS,
};
""",
    'a.h': 'one\ntwo\nthree\n',
}
PORTED = {name: text.replace('_shmem_', '_sgt_').replace('SHMEM', 'SGT')
          .replace('gem_prime_import_sg_table', 'gem_prime_import')
          for name, text in KERNEL.items()}


class Ports(unittest.TestCase):
    def test_lines_are_counted_once(self) -> None:
        after = {'a.c': KERNEL['a.c'], 'a.h': 'one\n2\n--- two\nthree\nfour\n'}
        self.assertEqual(ports.count(ports.diff(KERNEL, after)), (3, 1))

    def test_the_same_has_no_lines(self) -> None:
        self.assertEqual(ports.count(ports.diff(KERNEL, KERNEL)), (0, 0))

    def test_nothing_is_lost(self) -> None:
        self.assertEqual(ports.Port({'kernel': KERNEL, 'script': PORTED}).lost(), [])

    def test_a_callback_is_lost(self) -> None:
        less = {'a.c': PORTED['a.c'].replace('\t.vmap', '\t// .vmap'), 'a.h': ''}
        self.assertEqual(ports.Port({'kernel': KERNEL, 'script': less}).lost(), ['vmap'])

    def test_what_no_callback_shows_is_lost(self) -> None:
        before = {'a.c': KERNEL['a.c'] + 'sb->pages = pages;\n', 'a.h': ''}
        port = ports.Port({'kernel': before, 'script': PORTED})
        self.assertEqual(port.lost(), [])
        self.assertIn('lost: the panic screen', port.summary())

    def test_only_steps_that_change_something_are_named(self) -> None:
        port = ports.Port({'kernel': KERNEL, 'script': PORTED, 'by hand': PORTED})
        self.assertEqual(port.summary(), 'script: +3 -3, lost: nothing')

    def test_a_driver_that_the_patches_do_not_follow_is_a_skip(self) -> None:
        line = [*project.kernels()][1]
        for kernel, name, skipped in (('', 'panfrost', False), (line, 'panfrost', True),
                                      (line, 'vgem', False)):
            report = mock.Mock()
            with (self.subTest(kernel=kernel, name=name), mock.patch.dict('os.environ', KERNEL=kernel),
                  mock.patch.object(ports, 'port', side_effect=project.Failed('tried'))):
                portcheck.build(report, name)
                result, _, detail = report.add.call_args.args[2:5]
                self.assertEqual((result, detail != 'tried'), ('skip' if skipped else 'fail', skipped))


if __name__ == '__main__':
    unittest.main()
