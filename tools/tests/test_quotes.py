# SPDX-License-Identifier: GPL-2.0
"""The code that the book quotes."""

import pathlib
import tempfile
import unittest
from unittest import mock

import project
import quotes

SOURCE = """int before;
/* [book: add] */
int add(int a, int b)
{

\treturn a + b;
}

/* [end] */
int after;
"""
HEAD = '.. quote: a.c [book: add]\n.. code-block:: c\n'
CODE = '\n\tint add(int a, int b)\n\t{\n\n\t\treturn a + b;\n\t}\n'


class Quotes(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        (pathlib.Path(scratch.name) / 'a.c').write_text(SOURCE)
        top = mock.patch.object(project, 'TOP', pathlib.Path(scratch.name))
        top.start()
        self.addCleanup(top.stop)

    def test_a_block_without_code_gets_it(self) -> None:
        self.assertEqual(quotes.renewed(f'Before.\n\n{HEAD}\nAfter.\n'),
                         f'Before.\n\n{HEAD}{CODE}\nAfter.\n')

    def test_a_block_at_the_end_gets_it(self) -> None:
        self.assertEqual(quotes.renewed(HEAD), HEAD + CODE)

    def test_a_changed_block_is_found_and_mended(self) -> None:
        right = f'{HEAD}{CODE}\nAfter.\n'
        self.assertEqual([*quotes.old(right)], [])
        for wrong in (right.replace('a + b', 'a - b'), right.replace('\t{\n', '\t{\n\t\tint c;\n'),
                      right.replace('\t\treturn', '           return')):
            with self.subTest(wrong):
                self.assertEqual(len([*quotes.old(wrong)]), 1)
                self.assertEqual(quotes.renewed(wrong), right)

    def test_a_marker_that_is_gone_fails(self) -> None:
        for text in HEAD.replace('add', 'sub'), HEAD.replace('a.c', 'b.c'):
            with self.subTest(text), self.assertRaisesRegex(project.Failed, r'has no \[book: '):
                quotes.renewed(text)

    def test_code_without_a_source_is_found(self) -> None:
        for block in ('.. code-block:: c\n\n\tint a;\n', '.. literalinclude:: a.c\n',
                      '.. quote: a.c\n.. code-block:: c\n\n\tint a;\n',
                      'Like this::\n\n   int a;\n', '::\n\n   +\tret = 0\n',
                      '.. quote: b-script.diff\n.. code-block:: diff\n\n\t+a\n'):
            with self.subTest(block):
                self.assertEqual(len([*quotes.unchecked(f'Text.\n\n{block}')]), 1)

    def test_commands_pictures_and_quotes_are_no_such_code(self) -> None:
        for block in ('.. code-block:: sh\n\n\tmake docs\n', HEAD + CODE,
                      'The states::\n\n   IDLE ---> BUSY\n     ^        |\n     +--------+\n',
                      '.. quote: vgem-script.diff\n.. code-block:: diff\n\n\t+a\n'):
            with self.subTest(block):
                self.assertEqual([*quotes.unchecked(f'Text.\n\n{block}')], [])

    def test_names_that_are_gone_are_found(self) -> None:
        said = [*quotes.gone('drm_sgt_old(), :c:func:`drm_sgt_map`, drm_gpupt_', 'drm_sgt_map(a)')]
        self.assertEqual(said, ['drm_sgt_old: no source has it'])

    def test_lines_of_a_diff_are_compared_with_that_of_make_ports(self) -> None:
        page = '.. quote: vgem-script.diff\n.. code-block:: diff\n\n\t-\ta();\n\t+\tb();\n'
        with mock.patch.object(quotes, 'pages', lambda: [('page', page)]):
            def said(driver: str, *lines: str) -> int:
                return len([*quotes.not_in_diffs(driver, {'script': [*lines]})])
            self.assertEqual(said('vgem', '-\ta();', '+\tb();'), 0)
            self.assertEqual(said('vgem', '-\ta();', ' ', '+\tb();'), 1)
            self.assertEqual(said('lima'), 0)


if __name__ == '__main__':
    unittest.main()
