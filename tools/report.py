# SPDX-License-Identifier: GPL-2.0
"""Collects results: prints each at once and a table at the end, and writes results.tsv."""

import collections
import queue
import shutil
import threading
import traceback
from collections.abc import Callable, Iterable

import deadline
import project

# A guest keeps about one CPU busy.
GUESTS = 2

# Suite, the command that repeats it, and what runs it
Job = tuple[str, str, Callable[[], None]]
# Suite, test, result and seconds
Result = tuple[str, str, str, float]


class Report:
    """The results of one run of the checks."""

    def __init__(self) -> None:
        self.checkout = project.lock_checkout()
        self.directory = project.BUILD / 'check'
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.results: list[Result] = []
        self.bad: list[str] = []
        self.facts: dict[str, dict[str, str | int]] = {}
        self.notes: list[str] = []
        self.lock = threading.RLock()
        self.tsv = open(self.directory / 'results.tsv', 'w', buffering=1)
        print('suite', 'test', 'result', 'seconds', 'detail', sep='\t', file=self.tsv)

    def add(self, suite: str, test: str, result: str, seconds: float, detail: str = '',
            text: str = '', again: str = '') -> None:
        """Records a result: pass, skip, fail, or lost (no verdict: counts as failed).

        text is the log of a failure, again is the command that repeats it.
        """
        if again and not project.is_default():
            again += f' KERNEL={project.chosen_kernel()}'
        line = f'{suite:<19} {test:<52} {result:<4} {seconds:6.1f} s'
        said = [f'{line}  {detail}' if detail else line]
        if result in ('fail', 'lost'):
            log = self.directory / suite / f'{test.replace("/", "_")}.log'
            log.parent.mkdir(exist_ok=True)
            log.write_text(f'{test}: {result}: {detail}\nAgain: {again}\n\n{text}')
            said += [f'{"":19} log: {project.shown(log)}', f'{"":19} again: {again}']
        with self.lock:
            self.results.append((suite, test, result, seconds))
            if result in ('fail', 'lost'):
                self.bad += [f'  {suite} {test}: {detail}', f'      {again}']
            print(suite, test, result, f'{seconds:.1f}', detail, sep='\t', file=self.tsv)
            project.say('\n'.join(said))

    def fact(self, suite: str, key: str, value: str | int) -> None:
        """Records a measured value."""
        with self.lock, open(self.directory / 'facts.tsv', 'a') as file:
            self.facts.setdefault(key, {})[suite] = value
            print(suite, key, value, sep='\t', file=file)

    def note(self, text: str) -> None:
        """Adds a line before the result of the run, unless text is empty."""
        with self.lock:
            if text and text not in self.notes:
                self.notes.append(text)

    def side_by_side(self, jobs: Iterable[Job]) -> None:
        """Runs jobs in their order, GUESTS at a time."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)

        def work() -> None:
            while True:
                try:
                    suite, again, function = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    function()
                except deadline.Late:
                    deadline.skip(self, suite, 'the rest')
                except Exception as error:
                    self.add(suite, 'run', 'fail', 0.0, str(error) or repr(error),
                             traceback.format_exc(), again)

        # Daemons, so that Ctrl-C does not wait for them.
        workers = [threading.Thread(target=work, daemon=True) for _ in range(GUESTS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def finish(self) -> int:
        """Prints the tables; returns the exit status."""
        suites = list(dict.fromkeys(suite for suite, *_ in self.results))
        if self.facts:
            columns = list(dict.fromkeys(suite for row in self.facts.values() for suite in row))
            project.say(f'\n{"measured":<32}' + ''.join(f'{column:>20}' for column in columns))
            for key, row in self.facts.items():
                project.say(f'{key:<32}' +
                            ''.join(f'{row.get(column, "-"):>20}' for column in columns))
        project.say(f'\n{"suite":<19} {"passed":>8} {"failed":>8} {"skipped":>8} {"seconds":>8}')
        for suite in suites:
            self._row(suite, [result for result in self.results if result[0] == suite])
        counts = self._counts(self.results)
        failed = counts['fail'] + counts['lost']
        if failed:
            project.say('\nFailed:\n' + '\n'.join(self.bad))
        project.say('\n' + ''.join(f'{note}\n' for note in self.notes) +
                    f'{counts["pass"]} passed, {failed} failed, {counts["skip"]} skipped')
        return 1 if failed or not counts['pass'] else 0

    @staticmethod
    def _counts(results: list[Result]) -> collections.Counter[str]:
        return collections.Counter(result for _, _, result, _ in results)

    def _row(self, suite: str, results: list[Result]) -> None:
        counts = self._counts(results)
        project.say(f'{suite:<19} {counts["pass"]:>8} {counts["fail"] + counts["lost"]:>8} '
                    f'{counts["skip"]:>8} {sum(result[3] for result in results):>8.0f}')
