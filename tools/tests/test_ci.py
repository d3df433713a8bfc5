# SPDX-License-Identifier: GPL-2.0
"""How a CI run ends: .ci/run in a repository of the test's own, whose make check-all hangs."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import project

# As a guest of QEMU: it has the output, and outlives what started it.
MAKEFILE = ('check-all:\n\t@mkdir -p build/check; echo log >build/check/a.log\n'
            '\t@echo 1 passed; sleep 100 & sleep 100; :\n')
# The limit of the run
TIMEOUT = '''#!/bin/sh
for word; do
	shift
	case $word in *75m) word=1 ;; esac
	set -- "$@" "$word"
done
exec /usr/bin/timeout "$@"
'''


class Run(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = pathlib.Path(scratch.name)
        (self.top / '.ci').mkdir()
        (self.top / 'bin').mkdir()
        shutil.copy(project.TOP / '.ci/run', self.top / '.ci')
        (self.top / 'bin/timeout').write_text(TIMEOUT)
        (self.top / 'bin/timeout').chmod(0o755)

    def start(self, makefile, limited=True):
        (self.top / 'Makefile').write_text(makefile)
        for command in (['init', '-q'], ['add', '.ci', 'Makefile'],
                        ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'a']):
            subprocess.run(['git', *command], cwd=self.top, check=True)
        given = {'PATH': f'{self.top}/bin:' * limited + os.environ['PATH'], 'TMPDIR': str(self.top)}
        # Not below the make that runs the tests
        kept = {name: value for name, value in os.environ.items() if name != 'MAKELEVEL'}
        return subprocess.Popen([self.top / '.ci/run'], stdout=subprocess.PIPE, text=True,
                                env={**kept, **given})

    def end(self, process):
        """What is left of the output: it ends when all that has it open has ended."""
        said = process.communicate(timeout=60)[0]
        self.assertEqual(list(self.top.glob('tmp.*')), [])
        return said

    def test_the_limit_ends_all_that_was_started(self):
        process = self.start(MAKEFILE)
        self.assertEqual(self.end(process), '1 passed\n')
        self.assertEqual(process.returncode, 124)
        self.assertEqual((self.top / 'build/check/a.log').read_text(), 'log\n')

    def test_so_does_a_signal(self):
        process = self.start(MAKEFILE, limited=False)
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        self.end(process)
        self.assertNotEqual(process.returncode, 0)

    def test_the_result_is_that_of_the_checks(self):
        for script, status in ('', 0), ('; false', 2):
            with self.subTest(status):
                shutil.rmtree(self.top / '.git', ignore_errors=True)
                process = self.start(f'check-all:\n\t@echo 1 passed{script}\n', limited=False)
                self.assertEqual(self.end(process), '1 passed\n')
                self.assertEqual(process.returncode, status)


if __name__ == '__main__':
    unittest.main()
