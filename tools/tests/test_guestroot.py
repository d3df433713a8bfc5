# SPDX-License-Identifier: GPL-2.0
"""Which root of upstream's IGT programs is used: an apt of the test's own, no network."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import project

APT = '''#!/bin/sh
case "$*" in
indextargets*) [ -z "$LISTS" ] || echo 'Debian file:/archive/debian/' ;;
update*) exit 0 ;;
'install -s'*) echo 'Inst igt-gpu-tools-tests (1)' ;;
download*) [ -n "$DEB" ] && cp "$DEB" . ;;
'show '*) printf 'Version: 2.5-1\\nSHA256: 0\\n' ;;
esac
'''


class Root(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = pathlib.Path(scratch.name)
        self.cache = self.top / 'cache'
        (self.top / 'bin').mkdir()
        for name in 'apt-get', 'apt-cache':
            path = self.top / 'bin' / name
            path.write_text(APT)
            path.chmod(0o755)

    def package(self):
        tree = self.top / 'package'
        (tree / 'DEBIAN').mkdir(parents=True)
        (tree / 'usr/libexec').mkdir(parents=True)
        (tree / 'DEBIAN/control').write_text('Package: a\nVersion: 1\nArchitecture: all\n'
                                             'Maintainer: a <a@invalid>\nDescription: a\n')
        subprocess.run(['dpkg-deb', '--build', tree, self.top / 'a.deb'], check=True,
                       stdout=subprocess.DEVNULL)
        return str(self.top / 'a.deb')

    def old_root(self, name, hours):
        """A root that was used so long ago."""
        path = self.cache / name
        path.mkdir(parents=True)
        used = time.time() - hours * 3600
        os.utime(path, (used, used))
        return path

    def run_with(self, lists='', deb='', tools=project.TOOLS):
        environment = {**os.environ, 'PATH': f'{self.top}/bin:{os.environ["PATH"]}',
                       'SGT_CACHE': str(self.cache), 'LISTS': lists, 'DEB': deb}
        done = subprocess.run([tools / 'guestroot.sh', 'igt'], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=environment)
        return done.returncode, done.stdout.strip(), done.stderr

    def test_a_new_one_replaces_the_old(self):
        self.old_root('igtroot-2.4-1-0', 25)
        status, root, said = self.run_with('y', self.package())
        self.assertEqual(status, 0, said)
        self.assertTrue(root.startswith(f'{self.cache}/igtroot-2.5-1-'))
        self.assertEqual([str(path) for path in self.cache.glob('igtroot-*')], [root])

    def test_one_that_another_checkout_uses_stays(self):
        other = self.old_root('igtroot-2.4-1-0', 25)
        self.assertEqual(self.run_with()[:2], (0, str(other)))
        status, _, said = self.run_with('y', self.package())
        self.assertEqual(status, 0, said)
        self.assertTrue(other.exists())

    def test_another_script_makes_another_one(self):
        for name in 'guestroot.sh', 'apt.sh':
            tools = self.top / name / 'tools'
            shutil.copytree(project.TOOLS, tools, ignore=lambda directory, names: [
                each for each in names if not each.endswith('.sh')])
            with open(tools / name, 'a') as script:
                print('# more', file=script)
        deb, own = self.package(), [project.TOOLS, *(self.top / name / 'tools' for name in
                                                     ('guestroot.sh', 'apt.sh'))]
        roots = {self.run_with('y', deb, tools)[1] for tools in own}
        self.assertEqual(len(roots), 3, roots)

    def test_the_old_one_is_used_without_a_network_or_lists(self):
        old = self.cache / 'igtroot-2.4-1-0'
        old.mkdir(parents=True)
        for lists in 'y', '':
            with self.subTest(lists):
                self.assertEqual(self.run_with(lists)[:2], (0, str(old)))

    def test_without_either_it_fails(self):
        for lists in 'y', '':
            with self.subTest(lists):
                status, root, said = self.run_with(lists)
                self.assertEqual((status, root), (1, ''))
                self.assertIn('download failed', said)


if __name__ == '__main__':
    unittest.main()
