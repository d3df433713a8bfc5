# SPDX-License-Identifier: GPL-2.0
"""igt-tests/compat/igt_core.c reports as libigt does, in words that igt.py reads."""

import pathlib
import subprocess
import tempfile
import unittest

import igt
import project

COMPAT = project.TOP / 'igt-tests/compat'
SOURCE = '''
#include "igt.h"
IGT_TEST_DESCRIPTION("Each way to end");
int igt_main()
{
	igt_fixture()
		igt_debug("before all\\n");
	igt_subtest("pass")
		igt_assert_eq(1, 1);
	igt_subtest("skip")
		igt_require_f(false, "no device\\n");
	igt_subtest("skip-plain")
		igt_skip("not here\\n");
	igt_subtest("fail") {
		errno = ENOENT;
		igt_debug("the last step\\n");
		igt_assert_eq(1, 2);
	}
	igt_subtest("children") {
		igt_fork(child, 3)
			;
		igt_waitchildren();
	}
	igt_subtest("child-fails") {
		igt_fork(child, 3)
			igt_assert(child != 1);
		igt_waitchildren();
	}
	igt_subtest("hang") {
		igt_set_timeout(1, "to wait");
		for (;;)
			pause();
	}
	igt_subtest_group() {
		igt_fixture()
			igt_require(!"possible");
		igt_subtest("in-group")
			igt_assert(false);
	}
	igt_subtest("after-group")
		igt_assert(true);
}
'''




class Ends:
    """The same of both: of ours, and of libigt."""
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.program = pathlib.Path(cls.scratch.name) / 'ends'
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'libdrm'], check=True,
                               capture_output=True, text=True).stdout.split()
        subprocess.run(['gcc', '-std=gnu11', '-x', 'c', '-', f'-I{COMPAT}', '-o', cls.program,
                        *cls.library, *flags], input=SOURCE, check=True, text=True)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_one(self, name):
        done = subprocess.run([self.program, '--run-subtest', name], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    def test_list(self):
        self.assertEqual(igt.subtests(self.program),
                         ['pass', 'skip', 'skip-plain', 'fail', 'children', 'child-fails', 'hang',
                          'in-group', 'after-group'])

    def test_each_end(self):
        for name, status, word, reason in (
                ('pass', 0, 'SUCCESS', ''),
                ('skip', igt.SKIP, 'SKIP', 'no device'),
                ('skip-plain', igt.SKIP, 'SKIP', ''),
                ('fail', 98, 'FAIL', '1 == 2; Last errno: 2, No such file or directory; '
                                     'left: 1, right: 2'),
                ('children', 0, 'SUCCESS', ''),
                ('child-fails', 98, 'FAIL', 'child != 1'),
                ('hang', 98, 'FAIL', ''),
                ('in-group', igt.SKIP, 'SKIP', '!"possible"'),
                ('after-group', 0, 'SUCCESS', '')):
            with self.subTest(name):
                returned, output = self.run_one(name)
                self.assertEqual(returned, status)
                self.assertIn(f'Subtest {name}: {word}', output)
                self.assertIn(reason, igt.reason(output, word == 'FAIL'))

    def test_debug_messages_of_a_failure(self):
        self.assertIn('the last step', self.run_one('fail')[1])

    def test_unknown_subtest(self):
        self.assertEqual(self.run_one('none')[0], 79)


class Core(Ends, unittest.TestCase):
    library = [str(COMPAT / 'igt_core.c')]


class Libigt(Ends, unittest.TestCase):
    library = ['-x', 'none', '-l:libigt.so.0']


if __name__ == '__main__':
    unittest.main()
