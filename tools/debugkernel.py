# SPDX-License-Identifier: GPL-2.0
"""The debug kernels: configured and built with the project in them, then copied to build/."""

import hashlib
import shutil
from pathlib import Path

import graft
import project

# Each is tinyconfig and these lines.
CONFIGS = {
    'debug': ('base.config', 'debug.config'),
    'kcsan': ('base.config', 'kcsan.config'),
}
# {kernel of the list KERNELS: the lines whose options it does not have}
GONE = {
    # DMA_API_DEBUG does these checks itself.
    '7.3': ['CONFIG_DMA_API_DEBUG_SG=y'],
}


def wanted_lines(kernel: str) -> list[str]:
    return [line for name in CONFIGS[kernel]
            for line in (project.TOOLS / name).read_text().splitlines() if 'CONFIG_' in line]


def missing(wanted: list[str], config: str) -> list[str]:
    """The wanted lines that the configuration does not have."""
    lines = set(config.splitlines())
    return [line for line in wanted if line not in lines and
            not (line.startswith('# ') and f'\n{line.split()[1]}=' not in config)]


def gone() -> list[str]:
    """The wanted lines that the chosen kernel has no option for."""
    return GONE.get(project.chosen_kernel(), [])


def configure(home: Path, kernel: str) -> None:
    """Writes the .config, if its sources have changed."""
    wanted = wanted_lines(kernel)
    options = [file.read_text() for file in sorted((home / 'src' / graft.GRAFT).rglob('Kconfig'))]
    made_of = hashlib.sha256('\n'.join(wanted + options).encode()).hexdigest()
    directory = home / kernel
    stamp = directory / 'sgt-config'
    if stamp.exists() and stamp.read_text() == made_of:
        return
    directory.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    log = project.BUILD / f'log/{kernel}-config.log'

    def step(*command: str | Path) -> None:
        for _ in project.lines(f'{kernel} configuration', command, log, cwd=home / 'src'):
            pass

    project.say(f'-- {kernel} configuration')
    make = ('make', 'ARCH=x86', 'CC=gcc-12', f'O={directory}')
    step(*make, 'tinyconfig')
    step('scripts/kconfig/merge_config.sh', '-m', '-O', directory, directory / '.config',
         *(project.TOOLS / name for name in CONFIGS[kernel]))
    step(*make, 'olddefconfig')
    expected = [line for line in wanted if line not in gone()]
    lost = missing(expected, (directory / '.config').read_text())
    if lost:
        # kconfig silently drops options that are gone or whose dependencies are off.
        raise project.Failed(f'{kernel} kernel: its configuration did not take {", ".join(lost)}')
    stamp.write_text(made_of)


def collect(directory: Path, into: Path) -> Path:
    """Copies the image, the modules and the .gcno files of gcov; returns the kernel's root."""
    release = (directory / 'include/config/kernel.release').read_text().strip()
    shutil.rmtree(into, ignore_errors=True)
    root = into / f'kroot-{release}'
    modules = root / f'lib/modules/{release}'
    for path in root / 'boot', modules / 'kernel', into / 'gcov':
        path.mkdir(parents=True)
    shutil.copyfile(directory / 'arch/x86/boot/bzImage', root / f'boot/vmlinuz-{release}')
    for name in 'modules.order', 'modules.builtin', 'modules.builtin.modinfo':
        shutil.copy(directory / name, modules)
    for name in (directory / 'modules.order').read_text().split():
        shutil.copy(directory / Path(name).with_suffix('.ko'), modules / 'kernel')
    ours = directory / graft.GRAFT
    for notes in ours.rglob('*.gcno'):
        # Objects stay in the directory when their source is moved or removed.
        if (project.TOP / notes.relative_to(ours)).with_suffix('.c').exists():
            shutil.copy(notes, into / 'gcov')
    return root


def prepare(kernel: str) -> Path:
    """Builds the kernel "debug" or "kcsan"; returns its root, laid out as by tools/kernel.sh."""
    with graft.lock():
        home = graft.home()
        configure(home, kernel)
        directory = home / kernel
        if not (directory / 'arch/x86/boot/bzImage').exists():
            project.say(f'-- the first build of the {kernel} kernel takes about ten minutes')
        ours = graft.build(f'{kernel} kernel', home,
                           ['ARCH=x86', 'CC=gcc-12', f'O={directory}', 'bzImage', 'modules'],
                           project.BUILD / f'log/{kernel}-build.log')[1]
        if ours:
            raise project.Failed(f'{kernel} kernel: {ours[0]}')
        return collect(directory, project.BUILD / kernel)
