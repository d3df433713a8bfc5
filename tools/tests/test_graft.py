# SPDX-License-Identifier: GPL-2.0
"""The project in a kernel tree."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
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


class Build(unittest.TestCase):
    """A make of the test's own: it compiles nothing, but says what a compiler would."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.home = pathlib.Path(scratch.name)
        source = self.home / 'src' / graft.GRAFT
        source.mkdir(parents=True)
        for name in 'a.c', 'b.c':
            (source / name).write_text('')
            os.utime(source / name, (1, 1))
        # An object is newer than its source, and not made in the tick in which it is touched.
        rule = ('all: a.o b.o\n'
                f'a.o: {graft.GRAFT}/a.c\n\t@echo "$<:1: warning: a"; touch -d @2 $@\n'
                f'b.o: {graft.GRAFT}/b.c a.o\n\t@$(DO)\n')
        (self.home / 'src/Makefile').write_text(rule)

    def build(self, do='touch $@'):
        with mock.patch.object(project, 'say'):
            return graft.build('a', self.home, [f'DO={do}'], self.home / 'log')[1]

    def test_warnings_are_repeated(self):
        for _ in range(2):
            self.assertEqual(self.build(), ['a.c:1: warning: a'])

    def test_a_build_that_failed_hides_no_warning_of_the_next(self):
        with self.assertRaises(project.Failed):
            self.build('false')
        self.assertEqual(self.build(), ['a.c:1: warning: a'])

    def test_a_build_that_was_killed_hides_no_warning_of_the_next(self):
        kill = 'DO=kill -9 $$(cut -d" " -f4 /proc/$$PPID/stat)'
        done = subprocess.run([sys.executable, '-c', 'import graft, pathlib\n'
                               f'home = pathlib.Path("{self.home}")\n'
                               f"graft.build('a', home, ['{kill}'], home / 'log')"],
                              env={**os.environ, 'PYTHONPATH': str(project.TOOLS)},
                              stdout=subprocess.DEVNULL)
        self.assertEqual(done.returncode, -9)
        self.assertEqual(self.build(), ['a.c:1: warning: a'])

    def test_what_was_silent_is_not_built_again(self):
        rule = self.home / 'src/Makefile'
        rule.write_text(rule.read_text().replace('warning: ', ''))
        self.build()
        self.assertFalse((self.home / 'loud').exists())
        self.build()
        self.assertEqual((self.home / 'log').read_text().count('a.c'), 0)


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
