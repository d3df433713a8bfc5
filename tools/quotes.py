#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The code of the book, quoted from the sources, so that it is read without a build of the book.

A comment above a block names the source, and the marker that its lines begin after:

    .. quote: drivers/gpu/drm/edu_gpu/edu_gpu_drv.c [book: probe]
    .. code-block:: c

With "step N" after the marker, they are those of a step: see steps.py. Run as a program, it writes
these blocks anew. Blocks that quote a diff of make ports are checked there. Other blocks are shell
commands, or pictures.
"""

import re
import sys
from collections.abc import Iterator

import ports
import project
import steps

BOOK = project.TOP / 'Documentation/gpu'
QUOTE = re.compile(r'^(?P<head>( *)\.\. quote: (?P<file>\S+) \[(?P<mark>[^]]+)\]'
                   r'(?: step (?P<step>\d))?\n\2\.\. code-block:: \w+\n)(?P<code>(?:\n|(?:\t|\2   ).*\n)*)', re.M)
EXCERPT = re.compile(r'^( *)\.\. quote: (?P<diff>\S+\.diff)\n'
                     r'\1\.\. code-block:: diff\n\n(?P<code>(?:\n|(?:\t|\1   ).*\n)*)', re.M)
BLOCK = re.compile(r'^(?P<above>.*\n)?^ *\.\. (?P<what>code|code-block|sourcecode|literalinclude|'
                   r'parsed-literal):: *(?P<language>\S*)', re.M)
PICTURE = re.compile(r'(?:^|[^:])::\n(?P<code>(?:\n|[ \t].*\n)+)', re.M)
CODE = re.compile(r'[;{]$|:=|^\s*[-+]\s', re.M)
NAME = re.compile(r'\b(?:devm_|drmm_)?drm_(?:gem_sgt|sgt|gpupt|dma_iter|dma_view)_\w*[a-z0-9]\b')


def pages() -> Iterator[tuple[str, str]]:
    for path in sorted(BOOK.glob('*.rst')):
        yield path.name, path.read_text()


def source(name: str, mark: str, step: int = steps.STEPS[-1]) -> str:
    """The lines of a source from a marker to the next [end], indented for a block."""
    path = project.TOP / name
    found = path.is_file() and re.search(rf'^.*\[{re.escape(mark)}\].*\n((?:.*\n)*?).*\[end\]',
                                         steps.at(path.read_text(), step), re.M)
    if not found:
        raise project.Failed(f'{name} has no [{mark}] that ends with [end]')
    return ''.join(f'\t{line}\n' if line else '\n' for line in found[1].strip('\n').split('\n'))


def quote(block: re.Match[str]) -> str:
    """A block as it should be."""
    step = int(block['step'] or steps.STEPS[-1])
    return f'{block["head"]}\n{source(block["file"], block["mark"], step)}\n'


def renewed(text: str) -> str:
    """A page with each of its quotes as the sources have them now."""
    return QUOTE.sub(quote, text).rstrip('\n') + '\n'


def old(text: str) -> Iterator[str]:
    """Complaints about quotes that differ from the sources."""
    for block in QUOTE.finditer(text):
        if block[0].rstrip('\n') != quote(block).rstrip('\n'):
            yield f'[{block["mark"]}] is not as in {block["file"]}: make docs-code writes it anew'


def unchecked(text: str) -> Iterator[str]:
    """Complaints about code that nothing compares with a source."""
    for block in BLOCK.finditer(text):
        quoted = re.match(r' *\.\. quote: \S+(?:\.diff| \[.+\](?: step \d)?)$',
                          block['above'] or '')
        if block['language'] != 'sh' and not (quoted and block['what'] == 'code-block'):
            yield f'{block["what"]}:: {block["language"]} without a line ".. quote: FILE [MARKER]"'
    for block in EXCERPT.finditer(text):
        if block['diff'] not in [ports.diff_name(driver, step)
                                 for driver in ports.DRIVERS for step in ports.STEPS]:
            yield f'{block["diff"]}: make ports writes no such diff'
    for block in PICTURE.finditer(text):
        if CODE.search(block['code']):
            yield f'code is in a block for pictures: {block["code"].strip().splitlines()[0]}'


def gone(text: str, sources: str) -> Iterator[str]:
    """Complaints about names of the helpers that no source has."""
    for name in sorted(set(NAME.findall(text))):
        if not re.search(rf'\b{name}', sources):
            yield f'{name}: no source has it'


def complaints() -> Iterator[str]:
    sources = ''.join(path.read_text() for top in ('include', 'drivers')
                      for path in (project.TOP / top).rglob('*.[ch]'))
    for name, text in pages():
        for said in (*old(text), *unchecked(text), *gone(text, sources)):
            yield f'{name}: {said}'


def not_in_diffs(driver: str, diffs: dict[str, list[str]]) -> Iterator[str]:
    """Complaints about what the book quotes from the diffs {step: lines} of a port."""
    for page, text in pages():
        for block in EXCERPT.finditer(text):
            code = re.sub(r'^\t', '', block['code'].strip('\n'), flags=re.M)
            for step, lines in diffs.items():
                if (block['diff'] == ports.diff_name(driver, step) and
                        f'\n{code}\n' not in '\n'.join(['', *lines, ''])):
                    yield f'{page}: {block["diff"]} has no such lines: {code.splitlines()[0]}'


def main() -> None:
    for name, text in pages():
        if renewed(text) != text:
            (BOOK / name).write_text(renewed(text))
            project.say(f'{name}: written anew')


if __name__ == '__main__':
    try:
        main()
    except project.Failed as error:
        sys.exit(f'{error}')
