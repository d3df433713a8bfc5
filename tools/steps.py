# SPDX-License-Identifier: GPL-2.0
"""The example driver of the book as of each of its steps, derived from its sources.

A comment [step: N] begins what the steps before N do not have. At the start of a line, that is
what follows up to the blank line after it: a function, a structure, a group of prototypes. Further
inside, it ends at the next blank line, comment of this kind, or line that is indented less.
"""

import hashlib
import re
from pathlib import Path

import project

SOURCES = project.TOP / 'drivers/gpu/drm/edu_gpu'
STEPS = range(1, 7)
MARK = re.compile(r'^(?P<indent>\t*)(?:/\*|#) \[step: (?P<step>\d)\](?: \*/)?$')
BOOK = re.compile(r'^.*\[(?:book: \w+|end)\].*\n', re.M)
# Where something was left out: two blank lines, and one at the beginning or end of a block
GAP = re.compile(r'(?<=\n)\n(?=\n)|(?<=\{\n)\n|(?<=\n)\n(?=\t*\})')
KBUILD = """\
CONFIG_DRM_EDU_GPU := m
KBUILD_EXTRA_SYMBOLS := {symbols}
LINUXINCLUDE := -I{top}/compat/include $(LINUXINCLUDE)
ccflags-y := -I{top}/include -I{top}/include/uapi -I{top}/include/uapi/drm
include $(src)/Makefile
"""


def indent(line: str) -> int:
    return len(line) - len(line.lstrip('\t'))


def at(text: str, step: int) -> str:
    """A source as of a step, without the comments that mark steps."""
    outer = inner = depth = level = 0
    kept, whole = [], True
    for line in text.split('\n'):
        mark = MARK.match(line)
        if mark and mark['indent']:
            inner, level = int(mark['step']), indent(line)
        elif mark:
            outer, inner, depth = int(mark['step']), 0, 0
        if mark:
            continue
        if not line or indent(line) < level:
            inner = 0
        if max(outer, inner) <= step:
            kept.append(line)
        else:
            whole = False
        depth += line.count('{') - line.count('}')
        if not line and not depth:
            outer = 0
    text = '\n'.join(kept)
    return text if whole else GAP.sub('', text)


def read(source: Path, step: int) -> str:
    """A file as of a step, without any mark."""
    return GAP.sub('', BOOK.sub('', at(source.read_text(), step)))


def write(step: int, directory: Path) -> None:
    """The driver as of a step, with what builds it outside of the tree, and no other source."""
    release = project.release(project.kernel('root'))
    directory.mkdir(parents=True, exist_ok=True)
    makefile = read(SOURCES / 'Makefile', step)
    sources = [source for source in SOURCES.glob('*.[ch]')
               if source.suffix == '.h' or f'{source.stem}.o' in makefile]
    for old in {*directory.glob('*.[ch]')} - {directory / source.name for source in sources}:
        old.unlink()
    for source in sources:
        (directory / source.name).write_text(read(source, step))
    (directory / 'Makefile').write_text(makefile)
    symbols = project.BUILD / release / 'obj/Module.symvers'
    (directory / 'Kbuild').write_text(KBUILD.format(top=project.TOP, symbols=symbols))


def checksum(directory: Path) -> str:
    """Of all that a build of a step depends on."""
    files = sorted([*directory.glob('*.[ch]'), directory / 'Makefile', directory / 'Kbuild',
                    *(path for top in ('include', 'compat')
                      for path in (project.TOP / top).rglob('*.h'))])
    text = ''.join(f'{file}\n{file.read_text()}' for file in files)
    return hashlib.sha256((project.release(project.kernel('root')) + text).encode()).hexdigest()
