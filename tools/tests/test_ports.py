# SPDX-License-Identifier: GPL-2.0
"""What is counted and compared in the ports of the kernel's drivers."""

import contextlib
import tempfile
import unittest
from pathlib import Path
from unittest import mock

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

    def test_only_known_functions_may_be_missing(self) -> None:
        line = "WARNING: modpost: panfrost.ko: symbol '{}' undefined!"
        for name, missing, passes in (('panfrost', 'free_io_pgtable_ops', True),
                                      ('panfrost', 'drm_sgt_map', False),
                                      ('v3d', 'free_io_pgtable_ops', False)):
            with (self.subTest(name=name, missing=missing),
                  tempfile.TemporaryDirectory() as directory,
                  mock.patch.object(ports, 'keep'),
                  mock.patch.object(project, 'step', return_value=[line.format(missing)])):
                tree = Path(directory) / name
                tree.mkdir()
                (tree / f'{name}.ko').touch()
                kernel = ports.Kernel(Path(directory), [], [])
                with contextlib.nullcontext() if passes else self.assertRaises(project.Failed):
                    ports.build(name, ports.Port({}), kernel)


if __name__ == '__main__':
    unittest.main()
