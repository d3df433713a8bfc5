# SPDX-License-Identifier: GPL-2.0
"""The project in a kernel tree."""

import pathlib
import tempfile
import unittest

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


if __name__ == '__main__':
    unittest.main()
