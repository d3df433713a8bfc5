# SPDX-License-Identifier: GPL-2.0
"""The project in a kernel tree."""

import contextlib
import io
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import graft
import project


class Headers(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.source = pathlib.Path(scratch.name)
        self.drm = self.source / 'include/drm'
        self.drm.mkdir(parents=True)

    def test_are_where_other_drivers_find_them(self):
        for _ in range(2):
            graft.copy(self.source)
            for header in (project.TOP / 'include/drm').iterdir():
                self.assertEqual((self.drm / header.name).read_text(), header.read_text())

    def test_go_when_ours_go(self):
        (self.drm / 'drm_gem.h').write_text('')
        old = self.source / graft.GRAFT / 'include/drm/drm_old.h'
        (self.drm / 'drm_old.h').symlink_to(old)
        graft.copy(self.source)
        self.assertFalse((self.drm / 'drm_old.h').is_symlink())
        self.assertTrue((self.drm / 'drm_gem.h').exists())


class Graft(unittest.TestCase):
    HOOKS = {'Kconfig': 'source "drivers/gpu/drm/drm-gem-sgt/Kconfig"',
             'Makefile': 'obj-y += drm-gem-sgt/'}

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.source = pathlib.Path(scratch.name)
        self.drm = self.source / 'drivers/gpu/drm'
        (self.source / 'include/drm').mkdir(parents=True)
        self.drm.mkdir(parents=True)

    def run_with(self, tree):
        with mock.patch.dict(os.environ, KSRC=str(tree)), contextlib.redirect_stdout(io.StringIO()):
            graft.main()

    def test_the_tree_has_the_project_in_its_build_once(self):
        for name in self.HOOKS:
            (self.drm / name).write_text('# of the kernel\n')
        for _ in range(2):
            self.run_with(self.source)
        for name, line in self.HOOKS.items():
            self.assertEqual((self.drm / name).read_text(), f'# of the kernel\n\n{line}\n')
        self.assertTrue((self.drm / 'drm-gem-sgt/Kbuild').exists())

    def test_what_is_no_kernel_is_refused(self):
        for tree in '', '/nonexistent', self.source:
            with self.subTest(tree), self.assertRaisesRegex(SystemExit, 'no source of a kernel'):
                self.run_with(tree)
        self.assertFalse((self.drm / 'drm-gem-sgt').exists())


if __name__ == '__main__':
    unittest.main()
