# SPDX-License-Identifier: GPL-2.0
"""A QEMU guest with a virtio-gpu device: starts it, runs programs in it, stops it."""

import atexit
import dataclasses
import functools
import json
import os
import re
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import preload
import project
import xvfb
from hostport import HostPort


@dataclasses.dataclass(frozen=True)
class SetUp:
    """How the GPU reaches memory: options of QEMU and of the kernel."""
    kernel: str = ''
    gpu: str = ''
    devices: tuple = ()
    cpus: int = 2
    accel: str = 'tcg,thread=multi'
    machine: str = 'q35'
    cpu: str = 'max'
    memory: str = '3G'
    # What virtio devices end in: they are on PCI, or a "device" on the virtio-mmio bus.
    transport: str = 'pci'
    # Whether the device tree says that devices see the caches of the CPUs
    coherent: bool = True
    # The GPU shows blobs: guest memory that it gets from /dev/udmabuf
    blobs: bool = False
    # Whether the GPU draws in 3D: QEMU does it with the host's OpenGL, in a window.
    gl: bool = False


def tsc_khz() -> str:
    """An option with the rate of the time stamp counter, which the guest shares with the host.

    In a machine without PCI, the kernel can measure the rate only by polling a timer. That fails on
    a busy host, and the kernel then waits for an interrupt that never comes.
    """
    try:
        found = re.search(r'^bogomips\s*: (\d+)\.(\d)', Path('/proc/cpuinfo').read_text(),
                          re.M)
    except OSError:
        found = None
    # The kernel says twice the counter's rate, in MHz.
    return f'tsc_early_khz={int(found[1] + found[2]) * 50}' if found else ''


IOMMU = ('-device', 'intel-iommu,device-iotlb=on,caching-mode=on')
PLATFORM = ',iommu_platform=on,ats=on,disable-legacy=on'
MEMFD = ('-object', f'memory-backend-memfd,id=memory,size={SetUp.memory},share=on')
X86 = {
    # With a second output for which the host has no information
    'phys': SetUp('SGT_SETUP=phys', ',max_outputs=2'),
    'iommu': SetUp('SGT_SETUP=iommu intel_iommu=on iommu.strict=1', PLATFORM, IOMMU),
    'swiotlb': SetUp('SGT_SETUP=swiotlb swiotlb=262144,force', PLATFORM),
    # The GPU shows guest memory without a copy.
    'blob': SetUp('SGT_SETUP=blob', ',max_outputs=2,blob=on', MEMFD,
                  machine='q35,memory-backend=memory', blobs=True),
    # The GPU uses physical addresses, although there is an IOMMU.
    'bypass': SetUp('SGT_SETUP=bypass intel_iommu=on iommu.strict=1', '', IOMMU),
    # Without PCI: found in the ACPI tables, reset by a register that does not wait for interrupts.
    'mmio': SetUp(f'SGT_SETUP=mmio {tsc_khz()}', '', ('-global', 'virtio-mmio.force-legacy=off'),
                  machine='microvm,acpi=on', transport='device'),
    # The IOMMU is the MMU of a device of its own, whose driver programs it. The tests access the
    # registers of the IOMMU, and need a page of 1 GiB: one of two above 4 GiB, as the other one has
    # what the kernel allocates before pages, and the initramfs is below.
    'edu': SetUp('SGT_SETUP=edu intel_iommu=off intremap=off iomem=relaxed '
                 'hugepagesz=1G hugepages=1 nokaslr', '',
                 ('-device', 'intel-iommu,intremap=off,aw-bits=48',
                  '-device', 'edu,dma_mask=0xffffffffffff'), memory='4G'),
    'virgl': SetUp('SGT_SETUP=virgl intel_iommu=on iommu.strict=1', PLATFORM, IOMMU, gl=True),
    # The guest's clock counts its instructions.
    'icount': SetUp('SGT_SETUP=iommu SGT_ICOUNT=1 intel_iommu=on iommu.strict=1', PLATFORM,
                    (*IOMMU, '-icount', 'shift=0,sleep=off'), cpus=1, accel='tcg'),
}


def arm(cpu: str) -> dict[str, SetUp]:
    """The set-ups of arm64; -cpu max takes long to check the signatures of pointers."""
    on = functools.partial(SetUp, cpu=cpu, machine='virt,gic-version=3')
    platform = ',iommu_platform=on,disable-legacy=on'
    return {
        'phys': on('SGT_SETUP=phys', ',max_outputs=2'),
        'iommu': on('SGT_SETUP=iommu iommu.strict=1', platform,
                    machine='virt,gic-version=3,iommu=smmuv3'),
        'noncoherent': on('SGT_SETUP=noncoherent', platform, coherent=False),
    }


# The first one does not mark the pages that it uses; it cannot have pages of 16 KiB.
SETUPS = {'amd64': X86, 'arm64': arm('cortex-a72'), 'arm64-16k': arm('cortex-a76')}
BOOT_SECONDS = 120
# After its limit, a program is killed, and the guest says so in this time.
GRACE_SECONDS = 30
WIDTH, HEIGHT = 1280, 800
FRAME = b'\0sgt:'

Live = Callable[[bytes], None]
Fact = Callable[[str, str], None]


def setups() -> dict[str, SetUp]:
    """The set-ups of the chosen architecture."""
    return SETUPS[project.arch().name]


def asked(rounds: str | int = '') -> str:
    """Options of the kernel, which its first process passes to the tests: ROUNDS= and SEED=."""
    found = {'ROUNDS': os.environ.get('ROUNDS') or rounds, 'SEED': os.environ.get('SEED')}
    return ' '.join(f'SGT_{name}={value}' for name, value in found.items() if value)


class Lost(Exception):
    """The guest died or does not answer, so that a test has no result."""


@dataclasses.dataclass
class Outcome:
    """The result of a program: its output, the kernel log of its time, and the state after it."""
    status: int
    output: str
    log: str
    taint: int
    bound: bool
    seconds: float


class Qmp:
    """QEMU's control channel."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.lines = channel.makefile('r')
        self.lock = threading.Lock()
        self.events: list[dict[str, Any]] = []
        self.lines.readline()  # the greeting
        self.command('qmp_capabilities')

    def _read(self) -> dict[str, Any] | None:
        line = self.lines.readline()
        message = json.loads(line) if line else None
        if message and 'event' in message:
            self.events.append(message)
        return message

    def command(self, name: str, **arguments: Any) -> Any:
        with self.lock:
            self.channel.sendall(json.dumps({'execute': name, 'arguments': arguments}).encode())
            while True:
                message = self._read()
                if message is None:
                    raise OSError('QEMU is gone')
                if 'error' in message:
                    raise RuntimeError(message['error']['desc'])
                if 'return' in message:
                    return message['return']

    def drain(self) -> list[dict[str, Any]]:
        """The events up to QEMU's end."""
        while self._read():
            pass
        return self.events


class Vm:
    """One guest. Use boot(), run() and power_off(); close() is for any state."""

    def __init__(self, setup: str, driver: str, root: Path, initramfs: Path, directory: Path,
                 fact: Fact | None = None, window: str | None = None, append: str = '',
                 patience: int = 1, cpus: int | None = None) -> None:
        """append goes to the kernel's command line; patience multiplies time limits; cpus
        overrides the number of CPUs of the set-up."""
        self.setup, self.driver, self.root = setup, driver, root
        self.arch, self.how = project.arch(), setups()[setup]
        self.initramfs, self.directory, self.window = initramfs, directory, window
        self.append, self.patience = append, patience
        self.cpus = cpus or self.how.cpus
        self.fact = fact or (lambda key, value: None)
        self.console = directory / 'console.log'
        self.trace = directory / 'qemu-trace.log'
        self.process: subprocess.Popen | None = None
        self.screen: xvfb.Screen | None = None
        self.received = b''

    def command_line(self, accel: str, shell: bool) -> list[str]:
        setup = self.how
        # On a busy machine, the watchdog finds the clock of an emulated CPU unstable, and then
        # patches code. QEMU can run a breakpoint of that when it is over: an Oops, "int3". And
        # where the kernel finds no timer interrupt in time, it panics.
        words = [setup.kernel, f'console={self.arch.console}', 'panic=-1', 'log_buf_len=4M',
                 'tsc=nowatchdog', 'no_timer_check', 'sysrq_always_enabled',
                 f'SGT_DRIVER={self.driver}', self.append]
        if shell:
            words += ['SGT_SHELL=1', 'quiet', 'loglevel=4']
        return [f'qemu-system-{self.arch.cpu}', '-nodefaults', '-no-user-config', '-no-reboot',
                '-machine', setup.machine, '-accel', accel,
                '-cpu', 'host' if accel == 'kvm' else setup.cpu,
                '-smp', str(self.cpus), '-m', setup.memory, *setup.devices,
                '-display', 'sdl,gl=on' if setup.gl else self.window or 'none', '-vga', 'none',
                '-device', f'virtio-gpu-{"gl-" * setup.gl}{setup.transport},id=gpu,'
                           f'xres={WIDTH},yres={HEIGHT}{setup.gpu}',
                '-kernel', str(self.root / f'boot/vmlinuz-{project.release(self.root)}'),
                '-initrd', str(self.initramfs), '-append', ' '.join(words),
                '-serial', 'mon:stdio' if shell else f'file:{self.console}',
                '-trace', 'virtio_gpu_*', '-D', str(self.trace),
                '-device', f'virtio-serial-{setup.transport}']

    def start(self, accel: str | None = None, shell: bool = False) -> None:
        """Starts QEMU, and passes it the channels as open sockets."""
        accel = accel or self.how.accel
        self.directory.mkdir(parents=True, exist_ok=True)
        for log in self.console, self.trace:
            log.write_bytes(b'')
        command = self.command_line(accel, shell)
        if not self.how.coherent:
            command += ['-dtb', str(self.incoherent_tree(command))]
        ours, theirs = {}, []
        for name in 'host', 'result', 'qmp':
            ours[name], end = socket.socketpair()
            theirs.append(end)
            command += ['-chardev', f'socket,id={name},fd={end.fileno()}']
            command += (['-mon', 'chardev=qmp,mode=control'] if name == 'qmp' else
                        ['-device', f'virtserialport,chardev={name},name=org.drm-gem-sgt.{name}'])
        atexit.register(self.close)
        self.process = subprocess.Popen(
            command, stdin=None if shell else subprocess.DEVNULL,
            pass_fds=[end.fileno() for end in theirs], env=self.environment(),
            stderr=None if shell else open(self.directory / 'qemu.log', 'w'))
        for end in theirs:
            end.close()
        self.result, self.received = ours['result'], b''
        try:
            self.qmp = Qmp(ours['qmp'])
        except (OSError, ValueError) as error:
            self.wait()
            text = (self.directory / 'qemu.log').read_text().strip() if not shell else ''
            raise Lost(f'QEMU does not start: {text.splitlines()[-1] if text else error}') from None
        self.host = HostPort(ours['host'], self.qmp, self.trace, self.directory, self.fact,
                             self.screen.dump if self.screen else None)
        self.host.start()

    def environment(self) -> dict[str, str] | None:
        """What QEMU needs beside its options."""
        if self.how.gl and not self.window:
            self.screen = xvfb.Screen(self.directory, WIDTH, HEIGHT)
            return self.screen.environment()
        return preload.environment(preload.UDMABUF) if self.how.blobs else None

    def incoherent_tree(self, command: list[str]) -> Path:
        """The machine's device tree, with a name that means nothing for its "dma-coherent".

        QEMU adds as much room again as the file has, and the kernel takes 2 MiB: only what is used
        is written. The header has the whole size, and the places and sizes of two blocks.
        """
        tree = self.directory / 'machine.dtb'
        subprocess.run([*command, '-machine', f'dumpdtb={tree}'], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        data = tree.read_bytes().replace(b'\0dma-coherent\0', b'\0not-coherent\0')
        _, _, nodes, names, _, _, _, _, names_size, nodes_size = struct.unpack('>10I', data[:40])
        end = max(nodes + nodes_size, names + names_size)
        tree.write_bytes(data[:4] + struct.pack('>I', end) + data[8:end])
        return tree

    def boot(self, limit: float = BOOT_SECONDS) -> Outcome:
        """Starts the guest and loads the modules in it; returns the outcome of that."""
        if os.environ.get('ACCEL') == 'kvm' and self.how.accel != 'tcg':
            # A device node that opens does not prove that a guest boots.
            try:
                self.start('kvm')
                return self._outcome(time.monotonic(), 20)
            except Lost:
                self.close()
                project.say('   no guest comes up under KVM here: emulating')
                os.environ['ACCEL'] = 'tcg'
        self.start()
        return self._outcome(time.monotonic(), limit * self.patience)

    def run(self, limit: float, *command: str, live: Live | None = None) -> Outcome:
        """Runs a command for at most limit seconds; live() gets its output as it comes."""
        return self._request(f'run {limit} {" ".join(command)}', limit + GRACE_SECONDS * self.patience,
                             live)

    def unload(self) -> Outcome:
        """Unloads the modules."""
        return self._request('unload', 60 * self.patience)

    def power_off(self) -> None:
        """Powers the guest off; raises Lost unless it shuts down by itself."""
        self._send('poweroff')
        try:
            self.wait(60 * self.patience)
        except subprocess.TimeoutExpired:
            raise Lost('the guest does not power off') from None
        reasons = [event['data']['reason'] for event in self.qmp.drain()
                   if event['event'] == 'SHUTDOWN']
        if reasons != ['guest-shutdown']:
            raise Lost(f'the guest went down by {", ".join(reasons) or "a crash of QEMU"}')

    def wait(self, seconds: float | None = None) -> None:
        """Waits for QEMU to end."""
        assert self.process
        self.process.wait(seconds)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.screen:
            self.screen.close()
        atexit.unregister(self.close)

    def _send(self, line: str) -> None:
        try:
            self.result.sendall(line.encode() + b'\n')
        except OSError:
            raise Lost(self._death()) from None

    def _request(self, line: str, limit: float, live: Live | None = None) -> Outcome:
        started = time.monotonic()
        self._send(line)
        return self._outcome(started, limit, live)

    def _until(self, end: bytes, deadline: float, live: Live | None = None) -> str:
        """Reads what the guest sends before the end mark, which is dropped."""
        passed = 0
        while (at := self.received.find(end, max(0, passed - len(end)))) < 0:
            if live:
                live(self.received[passed:])
            passed = len(self.received)
            ready = select.select([self.result], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                self._ask_why()
                raise Lost('the guest does not answer')
            try:
                data = self.result.recv(1 << 16)
            except OSError:
                data = b''
            if not data:
                raise Lost(self._death())
            self.received += data
        if live:
            live(self.received[passed:at])
        text, self.received = self.received[:at], self.received[at + len(end):]
        return text.decode(errors='replace').replace('\r\n', '\n')

    def _outcome(self, started: float, limit: float, live: Live | None = None) -> Outcome:
        deadline = started + limit
        output = self._until(FRAME + b'log\n', deadline, live)
        log = self._until(FRAME + b'done ', deadline)
        status, taint, bound = self._until(b'\n', deadline).split()
        return Outcome(int(status), output, log, int(taint), bound != '0',
                       time.monotonic() - started)

    def _ask_why(self) -> None:
        """Makes a guest that hangs write its blocked tasks to the console."""
        try:
            keys = [{'type': 'qcode', 'data': key} for key in ('alt', 'sysrq', 'w')]
            self.qmp.command('send-key', keys=keys)
            time.sleep(3)
        except (OSError, RuntimeError):
            pass

    def _death(self) -> str:
        """Why the guest is gone, from the end of its console."""
        try:
            self.wait(10)
        except subprocess.TimeoutExpired:
            pass
        lines = self.console.read_text(errors='replace').splitlines()
        panic = next((line for line in lines if 'Kernel panic' in line), None)
        if panic:
            return panic.split('] ')[-1]
        return f'the guest is gone (QEMU ended with {self.process and self.process.returncode})'
