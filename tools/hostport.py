# SPDX-License-Identifier: GPL-2.0
"""The host's side of /dev/virtio-ports/org.drm-gem-sgt.host: a reply to each line.

    screen WIDTH HEIGHT SEED   compare the screen with the test pattern, pixel by pixel
    part X Y WIDTH HEIGHT SEED FIRST PITCH
                               the same for a rectangle: its lines are PITCH pixels of the pattern
                               apart, and begin with pixel FIRST
    shot NAME                  save the screen as NAME.png
    trace-mark                 set the start of what trace-count counts
    trace-count EVENT [ARGS]   number of times QEMU traced the event since the mark, with
                               arguments that begin so
    fact KEY VALUE             record a measured value
"""

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import picture
import project

# Width, height and RGB bytes of a screen
Dump = tuple[int, int, bytes]


class HostPort(threading.Thread):
    """Answers requests of the guest until it closes the port."""

    def __init__(self, port: socket.socket, qmp: Any, trace: Path, directory: Path,
                 fact: Callable[[str, str], None], dump: Callable[[], Dump] | None = None) -> None:
        """dump() takes the screen, unless QEMU does."""
        super().__init__(daemon=True)
        self.dump = dump or self.screendump
        self.port, self.qmp, self.trace = port, qmp, trace
        self.directory, self.fact = directory, fact
        self.mark = 0
        self.requests: dict[str, Callable[..., str]] = {
            'screen': self.screen, 'part': self.part, 'shot': self.shot, 'fact': self.record,
            'trace-mark': self.trace_mark, 'trace-count': self.trace_count}

    def run(self) -> None:
        try:
            for line in self.port.makefile('r', errors='replace'):
                self.port.sendall(f'{self.answer(line.split())}\n'.encode())
        except OSError:
            pass  # the VM is gone

    def answer(self, words: list[str]) -> str:
        if not words or words[0] not in self.requests:
            return 'fail no such request'
        try:
            return self.requests[words[0]](*words[1:])
        except (TypeError, ValueError, OSError, RuntimeError) as error:
            return f'fail {words[0]}: {error}'.replace('\n', ' ')

    def screendump(self) -> Dump:
        path = self.directory / 'screen.ppm'
        self.qmp.command('screendump', filename=str(path), device='gpu', head=0)
        data = path.read_bytes()
        path.unlink()
        return picture.read_ppm(data)

    def screen(self, width: str, height: str, seed: str) -> str:
        shown = self.dump()
        if shown[:2] != (int(width), int(height)):
            return f'fail the screen is {shown[0]}x{shown[1]}, not {width}x{height}'
        wrong = picture.compare(*shown, int(seed))
        if wrong is None:
            return 'ok'
        path = self.directory / f'wrong-{width}x{height}-{seed}.png'
        picture.write_png(path, *shown)
        return f'fail {wrong} ({project.shown(path)})'

    def part(self, *numbers: str) -> str:
        x, y, width, height, seed, first, pitch = map(int, numbers)
        shown = self.dump()
        if not (0 <= x <= shown[0] - width and 0 <= y <= shown[1] - height):
            return f'fail the screen is {shown[0]}x{shown[1]}'
        rgb = picture.part(shown[0], shown[2], x, y, width, height)
        wrong = picture.compare(width, height, rgb, seed, first, pitch)
        if wrong is None:
            return 'ok'
        path = self.directory / f'wrong-{x}-{y}-{width}x{height}-{seed}.png'
        picture.write_png(path, *shown)
        return f'fail {wrong} ({project.shown(path)})'

    def shot(self, name: str) -> str:
        if not re.fullmatch(r'\w[\w.-]*', name):
            return 'fail shot: a plain name is wanted'
        picture.write_png(self.directory / f'{name}.png', *self.dump())
        return 'ok'

    def trace_mark(self) -> str:
        self.mark = self.trace.stat().st_size
        return 'ok'

    def trace_count(self, *begin: str) -> str:
        with open(self.trace, errors='replace') as file:
            file.seek(self.mark)
            wanted = re.compile(rf'(^|:){re.escape(" ".join(begin))}\b')
            return f'ok {sum(1 for line in file if wanted.search(line))}'

    def record(self, key: str, *value: str) -> str:
        self.fact(key, ' '.join(value))
        return 'ok'
