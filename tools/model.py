# SPDX-License-Identifier: GPL-2.0
"""Runs the search of the model and reports its results."""

import re
import time

import project
from report import Report

LINE = re.compile(r'model +(.*\S) +(pass|FAIL)$')


def run(report: Report) -> None:
    started = time.monotonic()
    log = project.BUILD / 'log/model.log'
    found, wrong = [], None
    try:
        for line in project.lines('model', [project.TOOLS / 'model.sh'], log):
            if match := LINE.match(line):
                now = time.monotonic()
                report.add('model', match[1], match[2].lower(), now - started, '', log.read_text(),
                           'make check-model')
                found.append(match[2])
                started = now
    except project.Failed as error:
        wrong = error
    if not found or wrong and 'FAIL' not in found:
        raise project.Failed(f'the search of the model broke off: {wrong or "no result"}')
