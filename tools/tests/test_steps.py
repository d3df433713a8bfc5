# SPDX-License-Identifier: GPL-2.0
"""The steps of the example driver."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import project
import steps

SOURCE = """int always;

/* [step: 2] */
/* A comment that belongs to it */
int add(int a, int b)
{
\tint sum = a;

\t/* [step: 3] */
\tif (b)
\t\tsum += b;
\t/* [step: 2] */
\tif (a) {
\t\t/* [step: 4] */
\t\ta++;
\t}

\treturn sum;
}

int last;
"""


class Steps(unittest.TestCase):
    def test_the_last_step_is_the_source_without_marks(self) -> None:
        lines = [line for line in SOURCE.split('\n') if 'step:' not in line]
        self.assertEqual(steps.at(SOURCE, 4), '\n'.join(lines))

    def test_a_function_is_left_out_with_its_comment(self) -> None:
        self.assertEqual(steps.at(SOURCE, 1), 'int always;\n\nint last;\n')

    def test_a_part_of_a_function_ends_at_the_next_mark(self) -> None:
        text = steps.at(SOURCE, 2)
        self.assertNotIn('sum += b', text)
        self.assertIn('\tint sum = a;\n\n\tif (a) {\n\t}\n\n\treturn sum;\n}\n\nint last;', text)

    def test_a_part_ends_where_the_indent_ends(self) -> None:
        self.assertIn('\tif (a) {\n\t}\n', steps.at(SOURCE, 3))

    def test_a_makefile_has_marks_of_its_own(self) -> None:
        makefile = 'a-y := b.o\n# [step: 2]\na-y += c.o\n\nend := 1\n'
        self.assertEqual(steps.at(makefile, 1), 'a-y := b.o\nend := 1\n')

    def test_no_source_of_an_earlier_run_is_left(self) -> None:
        with (tempfile.TemporaryDirectory() as name,
              mock.patch.multiple(project, kernel=lambda *_: Path('root'), release=lambda _: '1')):
            for old in 'renamed.h', 'edu_gpu_drv.c':
                Path(name, old).write_text('old')
            steps.write(1, Path(name))
            self.assertEqual({path.name for path in Path(name).glob('*.[ch]')},
                             {'edu_gpu.h', 'edu_gpu_drv.c'})
            self.assertNotEqual(Path(name, 'edu_gpu_drv.c').read_text(), 'old')

    def test_each_step_has_more_than_the_one_before(self) -> None:
        for source in steps.SOURCES.glob('*.[ch]'):
            sizes = [len(steps.read(source, step)) for step in steps.STEPS]
            self.assertEqual(sizes, sorted(sizes), source.name)
        sizes = [sum(len(steps.read(source, step)) for source in steps.SOURCES.glob('*.[ch]'))
                 for step in steps.STEPS]
        self.assertEqual(len(set(sizes)), len(steps.STEPS))


if __name__ == '__main__':
    unittest.main()
