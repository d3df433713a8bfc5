# SPDX-License-Identifier: GPL-2.0
"""Builds samples/driver as a driver of another repository: from a copy outside of this one."""

import functools
import shutil
import tempfile
from pathlib import Path

import project

# The program that tests it
TEST = 'sgt_sample'


def build() -> Path:
    """Builds the driver for KDIR, or for the chosen kernel, against what modules_install installs.

    Returns the module.
    """
    return build_for(project.chosen_kernel() + project.arch().suffix())


@functools.lru_cache(maxsize=None)
def build_for(kernel: str) -> Path:
    log = project.BUILD / 'log/sample-driver.log'
    with tempfile.TemporaryDirectory() as scratch:
        root, driver = Path(scratch, 'root'), Path(scratch, 'driver')
        project.step('sample driver: modules', [project.TOOLS / 'modules.sh'], log)
        project.step('sample driver: headers',
                     ['env', f'INSTALL_MOD_PATH={root}', project.TOOLS / 'install.sh'], log)
        shutil.copytree(project.TOP / 'samples/driver', driver)
        project.step('sample driver: build', [project.TOOLS / 'modules.sh', driver,
                                              f'SGT={root}/usr/src/drm-gem-sgt', 'W=1'], log)
        built = project.BUILD / 'sample-driver' / kernel
        built.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(driver / 'sgt_sample.ko', built))
