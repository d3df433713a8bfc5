# SPDX-License-Identifier: GPL-2.0
"""An X server without hardware, whose screen is a file: where QEMU shows what its GPU draws in 3D."""

import os
import select
import struct
import subprocess
from pathlib import Path

import preload
import project

SECONDS = 60
# A window of QEMU, before the guest has set a mode
NEW_WIDTH, NEW_HEIGHT = 640, 480
# Fields of the header of a file in X's window dump format, version 7
HEADER_SIZE, PITCH, COLOURS = 0, 12, 19


class Screen:
    """A server, from its start until close()."""

    def __init__(self, directory: Path, width: int, height: int) -> None:
        """width and height are those of the guest's screen."""
        self.place(directory, width, height)
        reads, writes = os.pipe()
        self.process = subprocess.Popen(
            ['Xvfb', '-displayfd', str(writes), '-screen', '0',
             f'{2 * width}x{2 * height}x24', '-fbdir', directory, '-nolisten', 'tcp', '-nocursor',
             '-noreset'],
            pass_fds=[writes], stdin=subprocess.DEVNULL,
            stdout=open(directory / 'xvfb.log', 'w'), stderr=subprocess.STDOUT)
        os.close(writes)
        with open(reads) as numbers:
            ready = select.select([numbers], [], [], SECONDS)[0]
            number = numbers.readline().strip() if ready else ''
        if not number:
            self.close()
            raise project.Failed(f'no X server: see {project.shown(directory / "xvfb.log")}')
        self.display = f':{number}'

    def environment(self) -> dict[str, str]:
        """The environment in which QEMU has its window there."""
        return {**preload.environment(preload.GL), 'DISPLAY': self.display}

    def place(self, directory: Path, width: int, height: int) -> None:
        """Notes where the guest's screen is on that of the server, which is twice as large."""
        self.file, self.width, self.height = directory / 'Xvfb_screen0', width, height
        # A new window is in the middle, and grows to the right and down.
        self.x, self.y = width - NEW_WIDTH // 2, height - NEW_HEIGHT // 2

    def dump(self) -> tuple[int, int, bytes]:
        """Width, height and RGB bytes of what the guest's screen shows."""
        data = self.file.read_bytes()
        header = struct.unpack('>25I', data[:100])
        # An entry of the colour map has 12 bytes. Pixels are XRGB, the lowest byte first.
        first = header[HEADER_SIZE] + 12 * header[COLOURS] + header[PITCH] * self.y + 4 * self.x
        pixels = b''.join(data[at:at + 4 * self.width] for at in
                          range(first, first + header[PITCH] * self.height, header[PITCH]))
        rgb = bytearray(3 * self.width * self.height)
        for plane in range(3):
            rgb[plane::3] = pixels[2 - plane::4]
        return self.width, self.height, bytes(rgb)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
