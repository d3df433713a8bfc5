# SPDX-License-Identifier: GPL-2.0
"""How the check of dkms ends where it cannot mount, and where a mount fails."""

import os
import subprocess
import tempfile
import unittest

import project

NO_KERNEL = '/nonexistent/kroot-6.12.0'


@unittest.skipIf(os.geteuid(), 'it needs root')
class Mounts(unittest.TestCase):
    def run_it(self, *prefix):
        with tempfile.TemporaryDirectory() as scratch:
            done = subprocess.run([*prefix, project.TOOLS / 'dkmscheck.sh', scratch, NO_KERNEL],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def test_where_mounts_are_not_allowed_it_is_a_skip(self):
        drop = 'setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'
        self.assertEqual(self.run_it(*drop), (0, 'cannot mount\n'))

    def test_a_mount_that_fails_is_a_failure(self):
        status, said = self.run_it()
        if said == 'cannot mount\n':
            self.skipTest('mounts are not allowed')
        self.assertNotEqual(status, 0)
        self.assertIn('mount: /usr', said)


if __name__ == '__main__':
    unittest.main()
