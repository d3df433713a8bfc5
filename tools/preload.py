# SPDX-License-Identifier: GPL-2.0
"""Libraries that are preloaded into QEMU, from sources of their own."""

import os
import subprocess
import threading

import project

# Answers for /dev/udmabuf
UDMABUF = 'udmabuf-shim'
# Keeps the OpenGL context where it is
GL = 'main-thread-gl'


def environment(name: str) -> dict[str, str]:
    """The environment in which QEMU has a library, which is built if it is older than its source."""
    source = project.TOOLS / f'{name}.c'
    built = project.BUILD / f'{name}.so'
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(parents=True, exist_ok=True)
        # Guests start side by side.
        new = built.with_suffix(f'.{threading.get_native_id()}')
        subprocess.run(['gcc', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', new, source],
                       check=True)
        new.rename(built)
    return {**os.environ, 'LD_PRELOAD': str(built)}
