# SPDX-License-Identifier: GPL-2.0
"""The tests in guests with a debug kernel: its own checkers are what they have to get past."""

import dataclasses
import functools
import os
import re
import time

import coverage
import debugkernel
import igt
import initramfs
import kunit
import project
import splat
import vm

# A guest with all checkers is five to ten times slower.
PATIENCE = 8
SECONDS = int(os.environ.get('TEST_SECONDS') or 400)
KUNIT_SECONDS = 300
FUZZ_SECONDS = int(os.environ.get('SECONDS') or 180)
ROUNDS = os.environ.get('ROUNDS')
SEED = os.environ.get('SEED')
# When to leave out what is left, in seconds since the epoch: better a run with skipped tests than
# one that is cut off.
UNTIL = float(os.environ.get('UNTIL') or 'inf')


@dataclasses.dataclass(frozen=True)
class Boot:
    """A guest, and which tests run in it, as program@subtest."""
    kernel: str
    setup: str
    tests: str
    rounds: int = 1
    # The console on the screen takes four fifths of the time of a bind.
    console: bool = False
    but: str = ''
    # Emulated, a second one makes all that is no race take twice as long.
    cpus: int = 2


# What needs a second CPU to go wrong
RACES = 'sgt_race@* sgt_module@close-race sgt_vm_unbind@race sgt_vm_unbind@*-in-flight'
ALL = functools.partial(Boot, 'debug', tests='*', rounds=7, but=RACES, cpus=1)

# In an order that has one with two CPUs beside one with a single CPU, most of the time. Twenty
# rounds of each test that repeats itself, over the three set-ups; KCSAN samples: it wants time more
# than repetition. Where a commit can fail does not depend on the set-up, and takes ten times as
# long with an IOMMU.
BOOTS = {
    'kunit': Boot('debug', 'iommu', 'kunit'),
    'iommu': ALL('iommu', but=f'{RACES} sgt_fail_kms@*'),
    'kcsan-kunit': Boot('kcsan', 'iommu', 'kunit'),
    'fuzz': Boot('debug', 'iommu', 'fuzz'),
    'bypass': Boot('debug', 'bypass', '*'),
    'swiotlb': ALL('swiotlb'),
    'console': Boot('debug', 'iommu', 'sgt_unbind@pci-* sgt_screen@*', console=True),
    'kcsan': Boot('kcsan', 'iommu', 'sgt_race@* sgt_unbind@pci-* sgt_vm_unbind@pci-*'),
    'iommu-races': Boot('debug', 'iommu', RACES, 7),
    'swiotlb-races': Boot('debug', 'swiotlb', RACES, 7),
    'phys': ALL('phys'),
    'mmio': Boot('debug', 'mmio', igt.SHORT['mmio']),
    'phys-races': Boot('debug', 'phys', RACES, 7),
}
COMPARABLE = 'swiotlb', 'iommu', 'phys'


def prepare(kernel='debug', driver=None):
    """Builds the kernel with its modules, the programs, and the guest's root of them all.

    Returns the kernel's root, the guest's, and the programs.
    """
    return built(kernel, driver or os.environ.get('DRIVER') or 'sgt')


@functools.lru_cache(maxsize=None)
def built(kernel, driver):
    """The same, done once."""
    root = debugkernel.prepare(kernel)
    ours = [root / f'lib/modules/{project.release(root)}/kernel/{name}.ko'
            for name in ('drm_gem_sgt', 'virtio_gpu_sgt')]
    programs = project.build_programs()
    image = project.BUILD / f'guest-{kernel}-{driver}.cpio'
    initramfs.build(root, ours, {**programs['samples'], **programs['igt'], **programs['fuzz'],
                                 'sgt-debug': project.TOOLS / 'guest-debug'}, driver, image)
    return root, image, programs['igt']


def machine(name, setup, kernel='debug', kunit=False, append='', driver=None, fact=None,
            rounds=1, console=False, cpus=None):
    """A guest with the kernel, not booted yet; its logs go to build/check/NAME."""
    root, image, _ = prepare(kernel, driver)
    # While it boots, a guest on a busy machine thinks that its CPUs stall.
    # Without KVM and on a busy machine, a CPU that lost the one interrupt that would have armed
    # its timer again sleeps for ever: the ticks come by themselves here.
    # For an instant, identify_cpu() has forgotten that page tables have five levels: to KASAN, all
    # that an interrupt accesses then is wild, and it reports for ever.
    words = [append, 'nohz=off', 'highres=off', 'no5lvl',
             'rcupdate.rcu_cpu_stall_suppress_at_boot=1',
             'rcupdate.rcu_cpu_stall_timeout=120', f'SGT_ROUNDS={ROUNDS or rounds}',
             f'SGT_SEED={SEED}' if SEED else '', '' if kunit else 'kunit.enable=0',
             '' if console else 'drm_kms_helper.fbdev_emulation=0',
             'SGT_DEBUG=1 kasan_multi_shot' if kernel == 'debug' else '']
    return vm.Vm(setup, driver or os.environ.get('DRIVER') or 'sgt', root, image,
                 project.BUILD / 'check' / name, fact, append=' '.join(filter(None, words)),
                 patience=PATIENCE, cpus=cpus)


def wrong(checks):
    """What is wrong with the checkers' state after the tests, of what "sgt-debug checks" says."""
    state = dict(re.findall(r'^(\w\S+ \w+) (\S+)$', checks, re.M))
    ours, _ = splat.leaks(checks)
    if state.get('dma-api disabled', 'N') != 'N' or state.get('dma-api num_free_entries') == '0':
        return 'the checker of the DMA API ran out of memory, and proves nothing'
    if state.get('lockdep debug_locks', '1') != '1':
        return 'lockdep has switched itself off'
    if ours:
        return f'kmemleak: {len(ours)} objects allocated by our modules are lost'
    return ''


class Session(igt.Session):
    """Tests in a guest with a debug kernel."""

    def __init__(self, report, name, driver):
        self.name, self.driver = name, driver
        boot = BOOTS[name]
        self.kernel = boot.kernel
        suite = name if name.startswith('kcsan') else f'debug-{name}'
        guest = machine(suite, boot.setup, boot.kernel, boot.tests == 'kunit', driver=driver,
                        fact=functools.partial(report.fact, suite), rounds=boot.rounds,
                        console=boot.console, cpus=boot.cpus)
        again = f'make check-debug SETUP={name}' + (' DRIVER=in-tree' * (driver != 'sgt'))
        super().__init__(report, guest, suite, again, SECONDS)
        self.left = self.warnings = self.races = 0

    def run(self, tests):
        if not self.is_late():
            super().run(tests)
        else:
            for test in tests:
                self.one(*test)
        self.report.fact(self.suite, 'mappings left at unbind', self.left)
        self.report.fact(self.suite, 'WARNINGs', self.warnings)
        if self.kernel == 'kcsan':
            self.report.fact(self.suite, 'data races elsewhere', self.races)

    @staticmethod
    def is_late():
        return time.time() > UNTIL

    def one(self, program, subtest):
        if not self.is_late():
            return super().one(program, subtest)
        return self.report.add(self.suite, f'{program}@{subtest or ""}', 'skip', 0.0,
                               'no time was left')

    def add(self, test, outcome, *arguments, **keywords):
        self.left += splat.pending(outcome.log)
        self.warnings += outcome.log.count('WARNING: CPU')
        self.races += len(splat.foreign_races(outcome.log))
        return super().add(test, outcome, *arguments, **keywords)

    def unfit(self, outcome):
        # Some checkers speak once only: what comes after that proves nothing.
        return splat.complaint(outcome.log, outcome.taint & ~self.taint)

    def before_unload(self):
        started = time.monotonic()
        outcome = self.machine.run(SECONDS, 'sgt-debug', 'checks')
        said = wrong(outcome.output) or igt.verdict(outcome, self.taint)[1]
        self.report.add(self.suite, 'checkers', 'fail' if said else 'pass',
                        time.monotonic() - started, said, outcome.output, self.again)

    def after_unload(self):
        if self.kernel == 'debug' and self.driver == 'sgt':
            outcome = self.machine.run(SECONDS, 'sgt-debug', 'coverage')
            coverage.save(outcome.output, project.BUILD / 'debug/counters' / self.name)


class KunitSession(Session):
    """The KUnit suites, which run while the module is loaded."""

    def run(self, wanted):
        self.wanted = wanted
        if self.boot(again=False):
            self.stop()

    def booted(self, outcome):
        self.record(outcome.log)

    def lost(self, test, error, again, started):
        super().lost(test, error, again, started)
        self.record(self.machine.console.read_text(errors='replace'))

    def record(self, log):
        output = ((float(match[1]), match[2]) for match in
                  re.finditer(r'^\[ *(\d+\.\d+)\] ?(.*)', log, re.M))
        if not kunit.record(self.report, self.suite, output, self.wanted, self.again):
            raise project.Failed(f'no KUnit case ran (TEST={self.wanted or "*"})')


def plan(programs, names, wanted):
    """{boot: what its session runs} of the boots that have something to run."""
    found = igt.select(programs, wanted)
    plans = {}
    for name in names:
        boot = BOOTS[name]
        if boot.tests in ('kunit', 'fuzz'):
            if not (wanted and found):
                plans[name] = wanted
            continue
        fit = [test for test in igt.fitting(found, boot.setup, boot.kernel == 'debug')
               if igt.is_any(test, boot.tests) and not igt.is_any(test, boot.but)]
        if fit:
            plans[name] = fit
    return plans


def run(report, names, wanted, driver):
    names = names or list(BOOTS if driver == 'sgt' else COMPARABLE)
    for kernel in dict.fromkeys(BOOTS[name].kernel for name in names):
        prepare(kernel, driver)
    plans = plan(prepare(BOOTS[names[0]].kernel, driver)[2], names, wanted)
    if not plans:
        raise project.Failed(f'no test matches TEST={wanted}')

    def job(name):
        if name == 'fuzz':
            # Not imported above: it imports this module.
            import fuzz
            fuzz.run(report, FUZZ_SECONDS, SEED)
            return
        kind = KunitSession if BOOTS[name].tests == 'kunit' else Session
        session = kind(report, name, driver)
        try:
            session.run(plans[name])
        finally:
            session.drop()

    if driver != 'sgt':
        project.say('-- the in-tree driver, for comparison: its failures are what differs')
    project.say(f'-- debug kernels in QEMU: {", ".join(plans)}')
    report.side_by_side((name, f'make check-debug SETUP={name}', functools.partial(job, name))
                        for name in plans)
    if not wanted and driver == 'sgt':
        counters = sorted((project.BUILD / 'debug/counters').glob('*'))
        coverage.show(counters, project.BUILD / 'debug/gcov', report.directory / 'coverage.txt')
