# SPDX-License-Identifier: GPL-2.0
# The targets below are listed by make help; kbuild reads Kbuild.

KDIR ?=
export KDIR KSRC KERNEL ARCH SETUP TEST DRIVER ACCEL DISPLAY_WINDOW TEST_SECONDS ROUNDS SEED SECONDS REPLAY TURN
export PYTHONDONTWRITEBYTECODE = 1
# For depmod and modinfo, which are not in an ordinary user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

# What DRIVER=ported and set-ups need as well
ports = $(if $(filter ported,$(DRIVER)),ports) $(if $(findstring virgl,$(SETUP)),virgl) \
	$(if $(findstring debug-,$(SETUP)),debug)

# What ARCH= has beside the default
ifneq ($(filter arm64% aarch64,$(ARCH)),)
foreign := foreign
ifneq ($(filter-out modules ports run shell check igt clean help,$(MAKECMDGOALS)),)
$(error ARCH=$(ARCH): modules, ports, igt, check, run and shell have it)
endif
endif

help:
	@sed -n 's/^#: \?//p' Makefile

#: make run              boot a guest, draw a picture, unbind the driver: build/run/screen.png
#: make shell            a shell in the same guest, on this terminal or for the commands of a pipe
#: make check-quick      tests for each commit: kunit, static, and most of igt in one set-up
#: make check            everyday tests: kunit, igt, static
#: make kunit            unit tests, on User Mode Linux
#: make igt              driver tests, in QEMU
#: make check-igt        upstream's IGT programs, on this driver and on the kernel's own
#: make check-desktop    desktops of Debian, on this driver and on the kernel's own: same screens
#: make check-virgl      programs in 3D on the kernel's own driver and on its port: same screens,
#:                       and what an unbind leaves
#: make static           static checkers and documentation
#: make check-debug      kunit, igt and fuzz on debug kernels: KASAN, lockdep, KCSAN, ...
#: make check-model      search the model of unbind for an order that breaks it
#: make check-all        check, check-igt, check-desktop, check-virgl, check-model, ports, patches,
#:                       check-debug, and igt on the other kernels and on arm64, with one summary
#: make check-packages   build the packages of debian/; install, upgrade, purge them in a chroot
#: make fuzz             random ioctls under KASAN
#: make bench            cost of maps, unmaps and buffers, compared with others: build/bench
#: make modules          the kernel modules: build/RELEASE/*.ko
#: make modules_install  install them in INSTALL_MOD_PATH/lib/modules/RELEASE, and the headers in
#:                       INSTALL_MOD_PATH/usr/src/drm-gem-sgt
#: make ports            drivers of the kernel, ported by semantic patches: build them, test in a guest
#: make sample-driver    build samples/driver outside of the tree, for KDIR or the downloaded
#:                       kernel; load it in a guest with the latter
#: make dkms             what dkms builds the modules from: build/dkms/drm-gem-sgt-VERSION
#: make graft KSRC=DIR   add the project to a kernel tree: drivers/gpu/drm/drm-gem-sgt
#: make patches          a series for a kernel tree, build/patches/LINE/*.patch, for each kernel:
#:                       checkpatch, and a build after each patch
#: make docs             the documentation as HTML: build/docs
#: make docs-code        write the code that the book quotes anew, from the sources
#: make clean            remove build/
#:
#: KERNEL=LINE           the kernel of the list KERNELS (default: the first one), downloaded
#: KDIR=DIR              modules: the kernel to build them for, instead of those
#: ARCH=arm64            modules, ports, igt, check (igt only), run, shell: for Debian's arm64
#:                       kernel, cross-built, in an emulated machine of that kind (default: amd64);
#:                       arm64-16k: pages of 16 KiB, for modules, run and shell
#: SETUP=NAME            how the GPU reaches memory: phys, iommu, swiotlb, blob, mmio, edu (default:
#:                       all; arm64: phys, iommu, noncoherent;
#:                       run and shell: iommu; check-quick: phys), or igt: icount; check-debug:
#:                       phys-races and so on, console, bypass, kunit, kcsan, kcsan-kunit, fuzz;
#:                       check-igt: virgl, debug-phys and so on; check-virgl: virgl, debug-virgl
#: TEST=PATTERN          igt, check-igt: program[@subtest]; kunit: suite.case; check-debug: either;
#:                       static: check; check-desktop: program; ports: driver; with * ? [abc];
#:                       bench: one or more of native, counted, buffers, display
#: TEST_SECONDS=N        time limit of an IGT subtest (default: 180; check-debug: 400)
#: ROUNDS=N              rounds of the tests that have rounds (check-debug: 20 or less; kunit on 7.3:
#:                       100)
#: SEED=N                seed of random tests and fuzz (default: from the clock, printed)
#: SECONDS=N             time that fuzz runs (check-debug: 180; 0: until it is stopped)
#: REPLAY=FILE           fuzz: run this program only
#: TURN=N                check-all, check-debug: one turn of three; three turns run everything
#: DRIVER=in-tree        test the kernel's own virtio_gpu, for comparison; ported: what make ports
#:                       makes of it
#: ACCEL=kvm             use KVM if a guest boots under it (default: emulation)
#: DISPLAY_WINDOW=1      run: show the screen in a window
#: SGT_CACHE=DIR         where kernels are kept (default: ~/.cache/drm-gem-sgt)

modules:
	+@tools/deps.sh modules
	+@tools/modules.sh

modules_install: modules
	+@INSTALL_MOD_PATH='$(INSTALL_MOD_PATH)' tools/install.sh

run shell:
	@tools/deps.sh run $(ports) $(if $(filter-out 0,$(DISPLAY_WINDOW)),window)
	@tools/guest.py $@

check:
	@tools/deps.sh run $(if $(foreign),,kunit static)
	@tools/check.py $(if $(foreign),igt,kunit igt static)

check-quick:
	@tools/deps.sh run kunit static
	@tools/check.py kunit static quick

kunit:
	@tools/deps.sh kunit
	@tools/check.py kunit

igt:
	@tools/deps.sh run $(ports)
	@tools/check.py igt

check-igt:
	@tools/deps.sh run $(ports)
	@tools/check.py upstream

check-desktop:
	@tools/deps.sh run $(ports)
	@tools/check.py desktop

check-virgl:
	@tools/deps.sh run ports debug virgl
	@tools/check.py virgl

static:
	@tools/deps.sh run static
	@tools/check.py static

check-debug:
	@tools/deps.sh run debug $(ports)
	@tools/check.py debug

check-all:
	@tools/deps.sh run kunit static model debug ports patches virgl
	@ARCH=arm64 tools/deps.sh run
	@tools/check.py static kunit model igt upstream desktop kernels arches ports virgl patches debug

fuzz:
	@tools/deps.sh run debug
	@tools/check.py fuzz

bench:
	@tools/deps.sh run kunit
	@tools/bench.py

sample-driver:
	@tools/deps.sh run
	@tools/check.py sample

check-model:
	@tools/deps.sh model
	@tools/model.sh

check-packages:
	@tools/deps.sh packages
	@tools/debcheck.sh

ports:
	@tools/deps.sh run ports
	@tools/check.py ports

docs:
	@tools/deps.sh docs
	@tools/docs.sh

dkms:
	@tools/dkms.sh

graft:
	@tools/graft.py

patches:
	@tools/deps.sh debug patches
	@tools/check.py patches

docs-code:
	@tools/quotes.py

clean:
	rm -rf build

.PHONY: help modules modules_install run shell check-quick check kunit igt check-igt check-desktop \
	check-virgl static check-debug check-all check-packages fuzz bench sample-driver check-model ports dkms graft \
	patches docs docs-code clean
