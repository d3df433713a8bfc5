# SPDX-License-Identifier: GPL-2.0
"""Gives QEMU a /dev/udmabuf: a library that answers for it."""

import os
import subprocess
from pathlib import Path

import project

SOURCE = project.TOP / 'tools/udmabuf-shim.c'


def library() -> Path:
    """The library, built unless it is newer than its source."""
    built = project.BUILD / 'udmabuf-shim.so'
    if not built.exists() or built.stat().st_mtime < SOURCE.stat().st_mtime:
        built.parent.mkdir(parents=True, exist_ok=True)
        new = built.with_suffix(f'.{os.getpid()}')
        subprocess.run(['gcc', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', new, SOURCE], check=True)
        new.rename(built)
    return built


def environment() -> dict[str, str]:
    """The environment in which QEMU finds the device."""
    return {**os.environ, 'LD_PRELOAD': str(library())}
