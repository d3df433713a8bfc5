# SPDX-License-Identifier: GPL-2.0
"""Which lines of the modules the tests on the debug kernel executed, over all boots."""

import base64
import itertools
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import graft
import project

REASONS = project.TOOLS / 'coverage-reasons'

# The function of a line, and whether it ran
Lines = dict[int, tuple[str, bool]]


def save(text: str, directory: Path) -> None:
    """Writes the counters that "sgt-debug coverage" printed as .gcda files."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    file = None
    for line in text.splitlines():
        if line.startswith('gcda '):
            file = directory / line.split()[1]
            file.write_bytes(b'')
        elif file:
            with open(file, 'ab') as opened:
                opened.write(base64.b64decode(line))


def counted(directory: Path, notes: Path) -> Iterator[tuple[str, int, str, int]]:
    """Yields file, line, function and count of one boot; notes has the compiler's .gcno files."""
    for path in notes.glob('*.gcno'):
        shutil.copy(path, directory)
    done = subprocess.run(['gcov-12', '--json-format', '--stdout',
                           *sorted(path.name for path in directory.glob('*.gcda'))],
                          cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode:
        raise project.Failed(f'gcov-12: {done.stderr.strip()[:200]}')
    for text in done.stdout.splitlines():
        for file in json.loads(text)['files']:
            name = graft.shorter(file['file'])
            if graft.GRAFT not in file['file'] or '/tests/' in name:
                continue
            for line in file['lines']:
                yield name, line['line_number'], line.get('function_name', ''), line['count']


def united(directories: Iterable[Path], notes: Path) -> dict[str, Lines]:
    """{file: {line: (function, whether it ran)}} of several boots."""
    files: dict[str, Lines] = {}
    for directory in directories:
        for name, number, function, count in counted(directory, notes):
            lines = files.setdefault(name, {})
            ran = number in lines and lines[number][1]
            lines[number] = (function, ran or count > 0)
    return dict(sorted(files.items()))


def gaps(lines: Lines) -> Iterator[tuple[int, int, str]]:
    """Yields first line, last line and function of each block of lines that never ran."""
    for (ran, function), group in itertools.groupby(
            sorted(lines.items()), lambda item: (item[1][1], item[1][0])):
        numbers = [number for number, _ in group]
        if not ran:
            yield numbers[0], numbers[-1], function


def reasons() -> dict[str, str]:
    """{function: why it cannot be covered}."""
    if not REASONS.exists():
        return {}
    lines = (line.split(None, 1) for line in REASONS.read_text().splitlines()
             if line.strip() and not line.startswith('#'))
    return {function: why.strip() for function, why in lines}


def show(directories: Iterable[Path], notes: Path, log: Path) -> None:
    """Prints a line per file, and writes the lines that never ran to log."""
    files = united(directories, notes)
    if not files:
        return
    why = reasons()
    said = [f'{"coverage":<58} {"lines":>6} {"ran":>6}']
    listed = []
    rows = [(name, len(lines), sum(ran for _, ran in lines.values()))
            for name, lines in files.items()]
    rows.append(('all', sum(row[1] for row in rows), sum(row[2] for row in rows)))
    for name, total, ran in rows:
        said.append(f'{name:<58} {total:>6} {ran:>6} {100 * ran / total:>5.1f} %')
    for name, lines in files.items():
        for first, last, function in gaps(lines):
            place = f'{name}:{first}' + (f'-{last}' if last != first else '')
            reason = f'  [{why[function]}]' if function in why else ''
            listed.append(f'{place:<64} {function}{reason}')
    log.write_text('\n'.join([*said, '', 'Never run:', *listed]) + '\n')
    project.say('\n'.join(['', *said, f'Lines that never ran: {project.shown(log)}']))
