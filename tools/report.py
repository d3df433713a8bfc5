# SPDX-License-Identifier: GPL-2.0
"""Collects results: a line each as they come, a table at the end, results.tsv for machines."""

import collections
import shutil

import project

DIRECTORY = project.BUILD / 'check'


class Report:
    """The results of one run of the checks."""

    def __init__(self):
        self.lock = project.lock_checkout()
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        DIRECTORY.mkdir(parents=True)
        self.results = []
        self.facts = {}
        self.tsv = open(DIRECTORY / 'results.tsv', 'w', buffering=1)
        print('suite', 'test', 'result', 'seconds', 'detail', sep='\t', file=self.tsv)

    def add(self, suite, test, result, seconds, detail='', text='', again=''):
        """Records a result: pass, skip, fail, or lost (no verdict: counts as failed).

        text is what a reader of a failure wants to see, again the command that repeats it.
        """
        self.results.append((suite, test, result, seconds))
        print(suite, test, result, f'{seconds:.1f}', detail, sep='\t', file=self.tsv)
        line = f'{suite:<8} {test:<52} {result:<4} {seconds:6.1f} s'
        project.say(f'{line}  {detail}' if detail else line)
        if result in ('fail', 'lost'):
            log = DIRECTORY / suite / f'{test.replace("/", "_")}.log'
            log.parent.mkdir(exist_ok=True)
            log.write_text(f'{test}: {result}: {detail}\nAgain: {again}\n\n{text}')
            project.say(f'{"":8} log: {project.shown(log)}')
            project.say(f'{"":8} again: {again}')

    def fact(self, suite, key, value):
        """Records a measured value."""
        self.facts.setdefault(key, {})[suite] = value
        with open(DIRECTORY / 'facts.tsv', 'a') as file:
            print(suite, key, value, sep='\t', file=file)

    def finish(self):
        """Prints the tables; returns the exit status."""
        suites = list(dict.fromkeys(suite for suite, *_ in self.results))
        if self.facts:
            columns = list(dict.fromkeys(suite for row in self.facts.values() for suite in row))
            project.say(f'\n{"measured":<32}' + ''.join(f'{column:>16}' for column in columns))
            for key, row in self.facts.items():
                project.say(f'{key:<32}' + ''.join(f'{row.get(column, "-"):>16}'
                                                  for column in columns))
        project.say(f'\n{"suite":<8} {"passed":>8} {"failed":>8} {"skipped":>8} {"seconds":>8}')
        for suite in suites:
            self._row(suite, [result for result in self.results if result[0] == suite])
        counts = self._counts(self.results)
        bad = [f'{suite} {test}' for suite, test, result, _ in self.results
               if result in ('fail', 'lost')]
        if bad:
            project.say('\nFailed:\n' + '\n'.join('  ' + name for name in bad))
        project.say(f'\n{counts["pass"]} passed, {len(bad)} failed, {counts["skip"]} skipped')
        return 1 if bad or not counts['pass'] else 0

    @staticmethod
    def _counts(results):
        return collections.Counter(result for _, _, result, _ in results)

    def _row(self, suite, results):
        counts = self._counts(results)
        project.say(f'{suite:<8} {counts["pass"]:>8} {counts["fail"] + counts["lost"]:>8} '
                    f'{counts["skip"]:>8} {sum(result[3] for result in results):>8.0f}')
