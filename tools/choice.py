# SPDX-License-Identifier: GPL-2.0
"""Which parts of the checks TEST= and SETUP= select, found from the sources before any build."""

import dataclasses
import difflib
import fnmatch
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import project

SUITE = re.compile(r'^static struct kunit_suite \w+ = \{.*?^\};', re.M | re.S)
CASES = re.compile(r'^static struct kunit_case (\w+)\[\] = \{(.*?)^\};', re.M | re.S)


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the checks: the target that repeats it, its tests' names, and its set-ups."""
    target: str
    # A function that lists them. The part of one that has no tests takes no TEST=.
    tests: Callable[[], list[str]] | None = None
    setups: tuple[str, ...] = ()


def sources(*patterns: str) -> Iterator[tuple[Path, str]]:
    for pattern in patterns:
        for path in sorted(project.TOP.glob(pattern)):
            yield path, path.read_text()


def igt_subtests(text: str) -> Iterator[str]:
    """Each subtest that a source file documents, in the syntax of IGT's test_list.py."""
    for comment in re.findall(r'^/\*\*\n(.*?)^ \*/', text, re.M | re.S):
        args = [re.findall(r'^ \* @(\S+):', values, re.M)
                for values in re.split(r'^ \* arg\[\d\]:$', comment, flags=re.M)[1:]]
        for name in re.findall(r'^ \* SUBTEST: (\S+)', comment, re.M):
            for values in itertools.product(*args[:name.count('%s')]):
                yield functools.reduce(lambda to, value: to.replace('%s', value, 1), values, name)


def igt_tests() -> list[str]:
    """Each program@subtest that is documented in its source."""
    return [f'{path.stem}@{subtest}' for path, text in sources('igt-tests/sgt_*.c', 'igt-tests/edu_*.c')
            for subtest in [*igt_subtests(text)] or ['']]


def kunit_cases(text: str) -> Iterator[str]:
    """Each suite.case of a source file."""
    cases = {name: re.findall(r'KUNIT_CASE\w*\((\w+)', body) for name, body in CASES.findall(text)}
    for suite in SUITE.findall(text):
        name = re.search(r'\.name = "([^"]+)"', suite)
        listed = re.search(r'\.test_cases = (\w+)', suite)
        if name and listed:
            yield from (f'{name[1]}.{case}' for case in cases.get(listed[1], ()))


def kunit_tests() -> list[str]:
    return [test for _, text in sources('drivers/**/*.c') for test in kunit_cases(text)]


def group(name: str) -> str:
    """The program of a subtest, the suite of a case."""
    return re.split('[@.]', name)[0]


def is_meant(name: str, wanted: str) -> bool:
    """Whether the pattern matches the name of the test or of its group."""
    return fnmatch.fnmatch(name, wanted) or fnmatch.fnmatch(group(name), wanted)


def near(wanted: str, names: list[str]) -> list[str]:
    """Up to five names that are similar."""
    groups = [group(name) for name in names]
    return difflib.get_close_matches(wanted.rstrip('@.*'), dict.fromkeys([*groups, *names]), 5, 0.5)


def by_setup(parts: Sequence[Part], setups: list[str]) -> Sequence[Part]:
    """The parts that have one of the set-ups; all parts without a set-up."""
    unknown = [setup for setup in setups if not any(setup in part.setups for part in parts)]
    if unknown:
        said = [f'\n  make {part.target}: {" ".join(part.setups) or "has no set-ups"}'
                for part in parts]
        raise project.Failed(f'SETUP={" ".join(unknown)}: there is no such set-up' + ''.join(said))
    return [part for part in parts
            if not setups or not part.setups or set(setups) & set(part.setups)]


def by_test(parts: Sequence[Part], wanted: str) -> Sequence[Part]:
    """The parts with a test that TEST= matches; if there is none, fails with similar names."""
    if not wanted:
        return parts
    names = {part: part.tests() if part.tests else [] for part in parts}
    found = [part for part in parts if any(is_meant(name, wanted) for name in names[part])]
    if not found and any(names.values()):
        maybe = near(wanted, [name for listed in names.values() for name in listed])
        raise project.Failed(f'no test matches TEST={wanted}' +
                             (f'; near: {" ".join(maybe)}' if maybe else ''))
    return found or parts
