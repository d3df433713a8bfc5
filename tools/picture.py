# SPDX-License-Identifier: GPL-2.0
"""The test pattern, screen dumps and PNG files."""

import struct
import zlib
from pathlib import Path


def _lanes(count: int, value: int) -> int:
    """count 64-bit lanes with the same value, as one integer."""
    return value * (((1 << 64 * count) - 1) // ((1 << 64) - 1))


def pattern(width: int, height: int, seed: int, first: int = 0, pitch: int | None = None) -> bytes:
    """The picture that a program with this seed draws, as RGB bytes.

    Pixel i is h ^ h >> 15, lower 24 bits, with h = i * 0x9E3779B1 + seed * 0x85EBCA6B modulo
    2^32. A row is computed at once, with a pixel in each 64-bit lane of one long integer. The
    first row begins with pixel first, each other one pitch pixels (default: width) after it.
    """
    word = _lanes(width, 0xffffffff)
    ramp = int.from_bytes(struct.pack(f'<{width}Q', *range(width)), 'little') * 0x9E3779B1
    picture = bytearray(3 * width * height)
    for y in range(height):
        start = ((first + y * (pitch or width)) * 0x9E3779B1 + seed * 0x85EBCA6B) & 0xffffffff
        h = ((ramp & word) + _lanes(width, start)) & word
        h ^= (h >> 15) & _lanes(width, 0x1ffff)
        row = h.to_bytes(8 * width, 'little')
        for byte in range(3):
            at = 3 * width * y + byte
            picture[at:at + 3 * width:3] = row[2 - byte::8]
    return bytes(picture)


def read_ppm(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and RGB bytes of a binary PPM file."""
    magic, width, height, depth = data[:64].split()[:4]
    if magic != b'P6' or depth != b'255':
        raise ValueError('not a P6 picture of depth 255')
    size = 3 * int(width) * int(height)
    return int(width), int(height), data[len(data) - size:]


def write_png(path: Path, width: int, height: int, rgb: bytes) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (struct.pack('>I', len(body)) + kind + body +
                struct.pack('>I', zlib.crc32(kind + body)))

    rows = b''.join(b'\0' + rgb[3 * width * y:3 * width * (y + 1)] for y in range(height))
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' +
                   chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
                   chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def part(width: int, rgb: bytes, x: int, y: int, part_width: int, part_height: int) -> bytes:
    """A rectangle of a picture of this width, as RGB bytes."""
    starts = (3 * (width * row + x) for row in range(y, y + part_height))
    return b''.join(rgb[start:start + 3 * part_width] for start in starts)


def count(rgb: bytes, colour: bytes) -> int:
    """The pixels of a picture that have a colour."""
    found = -1
    for plane, wanted in enumerate(colour):
        same = bytes(value == wanted for value in range(256))
        found &= int.from_bytes(rgb[plane::3].translate(same), 'big')
    return found.bit_count()


def difference(width: int, height: int, rgb: bytes, want: bytes) -> str | None:
    """None if a picture is the wanted one, otherwise how it differs."""
    if rgb == want:
        return None
    bad = [i for i in range(width * height) if rgb[3 * i:3 * i + 3] != want[3 * i:3 * i + 3]]
    i = bad[0]
    return (f'{len(bad)} of {width * height} pixels differ, first at {i % width},{i // width}: '
            f'{rgb[3 * i:3 * i + 3].hex()} shown, {want[3 * i:3 * i + 3].hex()} expected')


def compare(width: int, height: int, rgb: bytes, seed: int, first: int = 0,
            pitch: int | None = None) -> str | None:
    """None if the picture is the pattern, otherwise the difference."""
    return difference(width, height, rgb, pattern(width, height, seed, first, pitch))
