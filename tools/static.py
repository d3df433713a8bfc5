# SPDX-License-Identifier: GPL-2.0
"""Static checks: they read and build the sources, and do not run them."""

import concurrent.futures
import fnmatch
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import boots
import choice
import deadline
import graft
import igt
import project
import quotes
from report import Report
import steps
import variants

TOP = project.TOP
# Of checkpatch. Macros of compat/ stand for a part of a structure, or nothing.
COMPAT = ('--ignore=COMPLEX_MACRO,CONSTANT_COMPARISON,LINUX_VERSION_CODE,MACRO_ARG_PRECEDENCE,'
          'MACRO_ARG_UNUSED,SPACING')
# What follows the blank line is part of the description.
RETURN_ENDS = re.compile(r'^[ \t]*\* Return:.*\n(?:[ \t]*\* .*\n)*[ \t]*\*\n[ \t]*\* ', re.M)


class Skip(Exception):
    """The check cannot be made here; the message says why."""


def call(*command: str | Path, cwd: Path = TOP) -> tuple[bool, str]:
    """Runs a command; returns whether it succeeded, and its output."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace',
                          cwd=cwd) as process, deadline.ending(process, str(command[0])):
        said = process.stdout.read() if process.stdout else ''
    return process.returncode == 0, said


def tool(name: str) -> str:
    if not shutil.which(name):
        raise Skip(f'{name} is not installed')
    return name


def files(*patterns: str, under: Iterable[str] = ()) -> list[str]:
    """The project's files whose names match, in the named directories or everywhere."""
    found = []
    for top in under or ('',):
        for directory, inner, names in os.walk(TOP / top):
            inner[:] = [name for name in inner if name not in ('.git', 'build', '__pycache__')]
            found += [os.path.relpath(os.path.join(directory, name), TOP) for name in names
                      if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    return sorted(found)


def scripts() -> list[tuple[str, str]]:
    """(file, first line) of the programs in tools/ and .ci/."""
    found = []
    for name in files('*', under=('tools', '.ci')):
        with open(TOP / name, errors='replace') as file:
            found.append((name, file.readline()))
    return found


def shell_scripts() -> list[tuple[str, str]]:
    return [(name, 'bash' if 'bash' in line else 'sh') for name, line in scripts()
            if re.match(r'#!.*\b(ba)?sh\b', line)]


def anew(names: list[str], key: object, log: Path, check: Callable[[list[str]], str]) -> str:
    """Runs a check, on all CPUs, on the files that have changed since it was silent on them.

    key has whatever else the result depends on; log keeps the checksums. Returns the output.
    """
    silent = set(log.read_text().split()) if log.exists() else set()
    stamps = {name: hashlib.sha256(f'{key} {name}\n{(TOP / name).read_text()}'.encode()).hexdigest()
              for name in names}
    todo = [name for name in names if stamps[name] not in silent]
    parts = [todo[first::project.CPUS] for first in range(project.CPUS)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        said = ''.join(pool.map(check, filter(None, parts)))
    if not said:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text('\n'.join(stamps.values()))
    return said


# Each check returns its complaints, or nothing.

def check_checkpatch() -> str:
    """checkpatch --strict on the C files"""
    tool('perl')
    source = project.kernel('source')
    common = [str(source / 'scripts/checkpatch.pl'), '--no-tree', f'--root={source}', '--strict',
              '--terse', '--no-summary', '--quiet', '--show-types']
    # Programs have no kernel macros and types; libdrm has CamelCase, and IGT's macros look
    # like functions and like calls without a brace.
    program = ('--ignore=ARRAY_SIZE,AVOID_EXTERNS,CAMELCASE,COMPLEX_MACRO,'
               'EMBEDDED_FUNCTION_NAME,ENOSYS,FUNCTION_ARGUMENTS,FUNCTION_WITHOUT_ARGS,'
               'MACRO_ARG_REUSE,PREFER_DEFINED_ATTRIBUTE_MACRO,PREFER_KERNEL_TYPES,SPACING,'
               'VOLATILE')
    said = ''
    # -ENOSYS is the errno of virtgpu_drm.h where there is no 3D.
    for what, option, directories in (('kernel', '--ignore=ENOSYS', ('include', 'drivers')),
                                      ('compat', COMPAT, ('compat',)),
                                      ('programs', program, ('igt-tests', 'samples', 'tools'))):
        command = [*common, option, '-f']
        # checkpatch writes files into the current directory.
        said += anew(files('*.c', '*.h', under=directories), command,
                     project.BUILD / f'log/checkpatch-{what}',
                     lambda names: call(*command, *(TOP / name for name in names),
                                        cwd=project.BUILD)[1])
    return said.replace(f'{TOP}/', '')


def warnings(lines: Iterable[str]) -> str:
    return '\n'.join(line for line in lines if re.search(r': (warning|error|fatal error):', line))


def built(*arguments: str | Path) -> str:
    """Builds modules; the warnings, or why the build failed."""
    ok, said = call(project.TOOLS / 'modules.sh', *arguments)
    return warnings(said.splitlines()) if ok else said or 'the build failed'


def kbuild(name: str, *arguments: str) -> str:
    """Builds the modules in a tree of their own, which is removed unless the build is silent."""
    tree = module_tree(name)
    silent = tree / 'silent'
    if not silent.exists():
        # Objects that are built already would not warn again.
        shutil.rmtree(tree, ignore_errors=True)
    silent.unlink(missing_ok=True)
    said = built(name, *arguments)
    if not said:
        silent.touch()
    return said


def check_w1() -> str:
    """the modules build without a warning at W=1"""
    return (kbuild('w1', 'W=1', 'CONFIG_DRM_GPUPT_BENCH=m') +
            kbuild('w1-2d', 'W=1', 'CONFIG_DRM_VIRTIO_SGT_VM=n'))


def variant(name: str) -> str:
    """The warnings of a build that takes some minutes, and that one turn of three makes."""
    if boots.turn() not in (None, boots.VARIANTS):
        raise Skip(f'turn {boots.VARIANTS} makes it')
    return '\n'.join(variants.warnings(name))


def check_clang() -> str:
    """the modules, with their tests, compile without a warning with clang"""
    tool('clang')
    tool('ld.lld')
    return variant('clang')


def check_i386() -> str:
    """the modules, with their tests, compile without a warning for i386 with PAE"""
    return variant('i386')


def check_sparse() -> str:
    """sparse is silent"""
    tool('sparse')
    return kbuild('sparse', 'C=1')


def check_kernel_doc() -> str:
    """kernel-doc is complete and well-formed"""
    tool('perl')
    sources = files('*.c', '*.h', under=('include', 'drivers'))
    sources = [name for name in sources if '/tests/' not in name]
    said = [f'{name}: a blank line ends "Return:" before its last line'
            for name in sources if RETURN_ENDS.search((TOP / name).read_text())]
    said.append(call(project.kernel('source') / 'scripts/kernel-doc', '-none', '-Wall', *sources)[1])
    return '\n'.join(filter(None, said))


def check_doc_blocks() -> str:
    """each DOC: section is in the book"""
    book = ''.join((TOP / name).read_text() for name in files('*.rst', under=('Documentation',)))
    return '\n'.join(
        f'{name}: "DOC: {title}" is in no Documentation/gpu/*.rst'
        for name in files('*.c', '*.h', under=('include', 'drivers'))
        for title in re.findall(r'^ \* DOC: (.*\S)', (TOP / name).read_text(), re.M)
        if not re.search(rf'^\s*:doc: {re.escape(title)}$', book, re.M))


def check_doc_code() -> str:
    """the code in the book is that of the sources"""
    return '\n'.join(quotes.complaints())


def check_docs() -> str:
    """the book builds without a warning"""
    tool('sphinx-build')
    ok, said = call(project.TOOLS / 'docs.sh')
    return '' if ok else said


def check_igt_list() -> str:
    """the IGT subtests are those that are documented"""
    said = []
    for name, path in project.build_programs()['igt'].items():
        if not (igt.SOURCES / f'{name}.c').exists():
            continue
        text = (igt.SOURCES / f'{name}.c').read_text()
        documented = set(choice.igt_subtests(text))
        listed = {subtest for subtest in igt.subtests(path) if subtest}
        said += [f'{name}@{subtest}: not documented' for subtest in sorted(listed - documented)]
        said += [f'{name}@{subtest}: documented, but there is none'
                 for subtest in sorted(documented - listed)]
    return '\n'.join(said)


def module_tree(name: str) -> Path:
    return TOP / 'build' / project.release(project.kernel('root')) / name


def compiler() -> tuple[str, Path]:
    """The command that compiled one of our objects, without its input and output; where it ran."""
    tree = module_tree('obj')
    for path in sorted((tree / 'drivers/gpu/drm/gem_sgt').glob('.*.o.cmd')):
        saved = re.match(r'savedcmd_(\S+) := (.*? -c) -o \S+ \S+\.c\b', path.read_text())
        if saved:
            # -M options write files of dependencies; ours has none to keep.
            # Paths are absolute, or relative to where kbuild ran.
            build = project.kernel('root') / 'usr/src' / f'linux-headers-{tree.parent.name}'
            return (re.sub(r' -Wp,-MMD,\S+', '', saved[2]),
                    build if saved[1].startswith('/') else tree)
    raise Skip('the modules are not built')


def check_steps() -> str:
    """each step of the book's example compiles"""
    said = ''
    for step in steps.STEPS:
        directory = project.BUILD / f'edu-steps/{step}'
        steps.write(step, directory)
        stamp, checksum = directory / 'silent', steps.checksum(directory)
        if stamp.exists() and stamp.read_text() == checksum:
            continue
        output = built(directory, 'W=1')
        if not output:
            stamp.write_text(checksum)
        said += output and f'step {step}:\n{output}\n'
    return said


def check_must_not_compile() -> str:
    """wrong uses do not compile, and their right twins do"""
    cases = [name for name in files('*.c', under=('drivers',)) if '/must-not-compile/' in name]
    if not cases:
        raise Skip('there are no cases')
    command, where = compiler()
    inside = shlex.join([str(project.TOOLS / 'inside.sh'), str(project.kernel('root'))]) + ' sh -c '
    command += ' -Werror=unused-result -S -o /dev/null '
    said = []
    for name in cases:
        text = (TOP / name).read_text()
        expect = re.search(r'^(?://|/\*| \*) expect: (.*?)(?: \*/)?$', text, re.M)
        if not expect:
            said.append(f'{name}: no "expect: REGEX" line')
            continue
        case = command + shlex.quote(str(TOP / name))
        good = subprocess.run(inside + shlex.quote(case + ' -DGOOD'), shell=True, cwd=where, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        bad = subprocess.run(inside + shlex.quote(case), shell=True, cwd=where, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if good.returncode:
            said.append(f'{name}: the right twin (-DGOOD) does not compile:\n{good.stdout}')
        if not bad.returncode:
            said.append(f'{name}: compiles, and must not')
        elif not re.search(r'error: .*(' + expect[1] + ')', bad.stdout):
            said.append(f'{name}: fails with another error than /{expect[1]}/:\n{bad.stdout}')
    return '\n'.join(said)


def check_version_ifs() -> str:
    """only compat/ asks for the version of the kernel"""
    return '\n'.join(
        f'{name}:{number}: {line.strip()}'
        for name in files('*.c', '*.h') if not name.startswith('compat/')
        for number, line in enumerate((TOP / name).read_text().splitlines(), 1)
        if re.match(r'\s*#\s*(el)?if.*(LINUX_VERSION_CODE|KERNEL_VERSION)', line))


def check_kconfig() -> str:
    """our Kconfig works in a kernel tree, all options can be reached"""
    options = {option for name in files('Kconfig')
               for option in re.findall(r'^config (\w+)', (TOP / name).read_text(), re.M)}
    with graft.lock(), tempfile.TemporaryDirectory() as scratch:
        source = graft.home() / 'src'
        ok, said = call('make', '-C', source, f'O={scratch}', 'ARCH=x86', 'allmodconfig')
        if not ok:
            return said
        with open(f'{scratch}/.config') as file:
            config = file.read()
    said = '\n'.join(line for line in said.splitlines() if graft.GRAFT in line)
    return said + '\n'.join(f'{option}: out of reach in allmodconfig' for option in sorted(options)
                            if not re.search(rf'\bCONFIG_{option}\b', config))


def choosing(root: Path, release: str) -> str:
    """Complains unless modprobe's configuration leaves one driver for a virtio-gpu device."""
    config = root / 'etc/modprobe.d/drm-gem-sgt.conf'
    for name, other in ('virtio_gpu_sgt', 'virtio_gpu'), ('virtio_gpu', 'virtio_gpu_sgt'):
        said = call('modprobe', '-d', root, '-S', release, '-C', config, '-b', '--show-depends',
                    'virtio:d00000010v00001AF4')[1]
        left = re.findall(r'/(virtio_gpu\w*)\.ko', said.replace('-', '_'))
        if f'blacklist {name}\n' not in config.read_text() or left != [other]:
            return f'{config.name} with {name} leaves: {" ".join(left)}'
        config.write_text(f'blacklist {other}\n')
    return ''


def check_modules_install() -> str:
    """modules_install leaves modules that modprobe finds, and what drivers are built with"""
    kernel = project.kernel('root')
    release = project.release(kernel)
    modules = Path('lib/modules') / release
    with tempfile.TemporaryDirectory() as scratch:
        # Of the kernel's own modules, those that ours depend on
        drm = modules / 'kernel/drivers/gpu/drm'
        shutil.copytree(kernel / drm, scratch / drm, copy_function=os.symlink)
        for name in ('modules.order', 'modules.builtin', 'modules.builtin.modinfo'):
            shutil.copy(kernel / modules / name, scratch / modules)
        ok, said = call('env', '-u', 'KDIR', f'INSTALL_MOD_PATH={scratch}',
                        project.TOOLS / 'install.sh')
        if not ok:
            return said
        found = call('modprobe', '-d', scratch, '-S', release, '--show-depends', '-a',
                     *project.MODULES)[1]
        wanted = [f'/{name}.ko' for name in ('drm', *project.MODULES)]
        missing = [name for name in wanted if name not in found]
        sources = Path(scratch) / 'usr/src/drm-gem-sgt'
        wanted = [*files('*.h', under=('include',)), f'{release}/Module.symvers']
        missing += [name for name in wanted if not (sources / name).exists()]
        wrong = choosing(Path(scratch), release)
    return wrong or (f'not found: {" ".join(missing)}\n{said}{found}' if missing else '')


def check_dkms() -> str:
    """dkms builds, installs and removes the modules"""
    tool('dkms')
    if os.geteuid():
        raise Skip('it needs root')
    root = project.kernel('root')
    with tempfile.TemporaryDirectory() as scratch:
        ok, said = call(project.TOOLS / 'dkmscheck.sh', scratch, root)
    if said.strip() == 'cannot mount':
        raise Skip('it needs to mount')
    return said or ('' if ok else 'dkmscheck.sh failed')


def check_hosts() -> str:
    """no program or guide names the host of a package archive"""
    # The name of an XML format looks like an address.
    return '\n'.join(
        f'{name}:{number}: {line.strip()}'
        for name in files('*', under=('tools', '.ci')) + ['Makefile', 'README.md']
        for number, line in enumerate((TOP / name).read_text(errors='replace').splitlines(), 1)
        if re.search(r'\b(https?|ftp)://(?!www\.w3\.org/)\w', line))


def check_sh() -> str:
    """the shell scripts parse"""
    return ''.join(call(shell, '-n', name)[1] for name, shell in shell_scripts())


def check_shellcheck() -> str:
    """shellcheck is silent"""
    tool('shellcheck')
    return call('shellcheck', '-x', '--severity=style', *(name for name, _ in shell_scripts()))[1]


def check_python() -> str:
    """the Python files compile"""
    said = []
    for name in files('*.py'):
        try:
            compile((TOP / name).read_text(), name, 'exec')
        except SyntaxError as error:
            said.append(f'{name}:{error.lineno}: {error.msg}')
    return '\n'.join(said)


def check_pyflakes() -> str:
    """pyflakes is silent"""
    return call(tool('pyflakes3'), *files('*.py'))[1]


def check_mypy() -> str:
    """the tools have type hints, and mypy is silent"""
    ok, said = call(tool('mypy'), '--disallow-untyped-defs', '--check-untyped-defs',
                    f'--cache-dir={project.BUILD / "mypy"}', *sorted(project.TOOLS.glob('*.py')))
    return '' if ok else said


def check_unit_tests() -> str:
    """the unit tests of the tools pass"""
    ok, said = call('env', f'PYTHONPATH={project.TOOLS}', 'python3', '-m', 'unittest', 'discover',
                    '-s', 'tools/tests')
    # Before the first line that it marks are dots.
    return '' if ok else said[max(0, said.find('\n===')):]


def check_maintainers() -> str:
    """MAINTAINERS has the project's paths, and no other"""
    listed = re.findall(r'^F:\t(\S+)', (TOP / 'MAINTAINERS').read_text(), re.M)
    said = [f'MAINTAINERS: {path} is not there' for path in listed if not (TOP / path).exists()]
    return '\n'.join(said + [
        f'MAINTAINERS: nothing has {name}' for name in files('*') if '/' in name
        if not any(name.startswith(path) for path in listed)])


def check_readme() -> str:
    """README.md has fewer than 120 lines"""
    if not (TOP / 'README.md').exists():
        return 'there is no README.md'
    count = len((TOP / 'README.md').read_text().splitlines())
    return '' if count < 120 else f'README.md has {count} lines'


CHECKS = (check_w1, check_clang, check_i386, check_sparse, check_steps, check_must_not_compile,
          check_checkpatch, check_kernel_doc, check_doc_blocks, check_doc_code, check_docs,
          check_igt_list, check_kconfig, check_modules_install, check_dkms, check_version_ifs,
          check_hosts, check_sh, check_shellcheck, check_python, check_pyflakes, check_mypy,
          check_unit_tests, check_maintainers, check_readme)
# The result of the others does not depend on the kernel: they run for the default one.
OF_KERNEL = check_w1, check_sparse, check_must_not_compile, check_kconfig, check_dkms


def name_of(check: Callable[[], str]) -> str:
    return check.__name__.removeprefix('check_').replace('_', '-')


def chosen() -> Sequence[Callable[[], str]]:
    return CHECKS if project.is_default() else OF_KERNEL


def names() -> list[str]:
    return [name_of(check) for check in chosen()]


def run(report: Report, wanted: str) -> None:
    project.build_modules()
    ran = 0
    for check in chosen():
        name = name_of(check)
        if not fnmatch.fnmatch(name, wanted or '*'):
            continue
        started = time.monotonic()
        try:
            said = check().strip()
            result = 'fail' if said else 'pass'
            detail = said.splitlines()[0][:100] if said else check.__doc__ or ''
        except project.Failed as error:
            said, result, detail = str(error), 'fail', str(error)
        except Skip as reason:
            said, result, detail = '', 'skip', f'{check.__doc__}: {reason}'
        report.add('static', name, result, time.monotonic() - started, detail, said + '\n',
                   f'make static TEST={name}')
        ran += 1
    if not ran:
        raise project.Failed(f'no static check matches TEST={wanted}')
