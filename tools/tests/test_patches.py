# SPDX-License-Identifier: GPL-2.0
"""What each patch of the series has: no repository, no kernel."""

import os
import re
import unittest
from unittest import mock

import boots
import graft
import patches
import project

KERNEL = {
    'MAINTAINERS': 'List\n\nDescriptions:\n\tM: *Mail* patches to: x\n\n'
                   'AN ENTRY\nM:\tA <a@b>\nL:\tlist@b\nF:\ta/\n\n'
                   'THE REST\nM:\tB <b@b>\nF:\t*\n',
    'Documentation/gpu/index.rst': '.. toctree::\n\n   drivers\n   todo\n',
    'drivers/gpu/drm/Kconfig': '# of the kernel\n',
    'drivers/gpu/drm/Makefile': '# of the kernel\n',
}
MAKEFILE = '''a-y := \\
\ta.o

# In order.
a-$(CONFIG_A_KUNIT_TEST) += \\
\ttests/b.o \\
\ttests/c.o

ifdef CONFIG_64BIT
a-$(CONFIG_A_KUNIT_TEST) += tests/d.o
endif

obj-$(CONFIG_A) += a.o
'''


class Series(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trees = [patches.tree_after(number, KERNEL) for number in range(len(patches.PATCHES))]

    def test_each_file_is_in_a_patch(self):
        for name, _ in patches.sources():
            self.assertIsNotNone(patches.number_of(name), name)

    def test_each_patch_adds_files_and_keeps_those_before(self):
        for before, after in zip([set(KERNEL), *map(set, self.trees)], self.trees):
            self.assertLess(before, set(after))

    def test_a_tree_names_nothing_that_it_has_not(self):
        for tree in self.trees:
            there = '\n'.join(tree)
            for name, text in tree.items():
                if name.startswith(graft.GRAFT) and name.endswith(('/Kbuild', '/Kconfig')):
                    for part in re.findall(r'drivers/gpu/drm/(?!drm-gem)(\w+)/', text):
                        self.assertIn(f'{graft.GRAFT}/drivers/gpu/drm/{part}/', there)

    def test_tests_come_in_one_patch(self):
        self.assertFalse([name for name in self.trees[patches.OF_TESTS - 1] if '/tests/' in name])
        for name, text in self.trees[patches.OF_TESTS - 1].items():
            if name.endswith(('Kconfig', 'Makefile')):
                self.assertNotRegex(text, r'config \w+_KUNIT_TEST|tests/\w+\.o')
        self.assertTrue([name for name in self.trees[patches.OF_TESTS] if '/tests/' in name])

    def test_maintainers_have_what_is_there(self):
        for tree in self.trees:
            for path in re.findall(r'^F:\t(\S+)', tree['MAINTAINERS'], re.M)[1:-1]:
                self.assertTrue([name for name in tree if name.startswith(path)], path)
        self.assertNotIn('F:\tinclude/drm/\n', self.trees[-1]['MAINTAINERS'])
        self.assertLess(self.trees[-1]['MAINTAINERS'].index('DRM DRIVER'),
                        self.trees[-1]['MAINTAINERS'].index('DRM GEM'))


class Parts(unittest.TestCase):
    def test_a_makefile_without_tests(self):
        self.assertEqual(patches.without_tests(MAKEFILE),
                         'a-y := \\\n\ta.o\n\nobj-$(CONFIG_A) += a.o\n')

    def test_entries_are_sorted_and_end_no_other_one(self):
        added = patches.with_entries(KERNEL['MAINTAINERS'], ['B\nM:\tx\n'])
        titles = re.findall(r'\n\n(\S.*)\nM:', added)
        self.assertEqual(titles, ['AN ENTRY', 'B', 'THE REST'])

    def test_pages_name_paths_of_the_kernel(self):
        said = patches.page('.. kernel-doc:: drivers/gpu/a.c\n.. kernel-doc:: include/drm/a.h\n')
        self.assertEqual(said, f'.. kernel-doc:: {graft.GRAFT}/drivers/gpu/a.c\n'
                               '.. kernel-doc:: include/drm/a.h\n')


class Turns(unittest.TestCase):
    def test_one_turn_of_three_makes_the_series_and_the_others_say_so(self):
        for turn in '', '0', '1', '2':
            report = mock.Mock()
            with (self.subTest(turn), mock.patch.dict(os.environ, TURN=turn, KERNEL=''),
                  mock.patch.object(patches, 'check') as check):
                patches.run(report)
                made = turn in ('', str(boots.PATCHES))
                self.assertEqual(check.call_count, len(project.kernels()) if made else 0)
                self.assertEqual(report.note.called, not made)

    def test_a_work_copy_has_one_lock(self):
        class Taken(Exception):
            pass

        names = set()
        for kernel in '', '7.3':
            with (mock.patch.dict(os.environ, KERNEL=kernel), mock.patch.object(patches, 'series'),
                  mock.patch.object(project, 'kernel'), mock.patch.object(graft.fcntl, 'flock'),
                  mock.patch('builtins.open', side_effect=Taken) as opened,
                  self.assertRaises(Taken)):
                patches.check(None, '7.3')
            names.add(opened.call_args.args[0])
        self.assertEqual(names, {project.CACHE / 'patches-7.3.lock'})


if __name__ == '__main__':
    unittest.main()
