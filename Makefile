# SPDX-License-Identifier: GPL-2.0
# For people; kbuild reads Kbuild.

KDIR ?=
export KDIR SETUP TEST DRIVER ACCEL DISPLAY_WINDOW TEST_SECONDS ROUNDS SEED SECONDS REPLAY TURN
export PYTHONDONTWRITEBYTECODE = 1
# depmod and modinfo: a user's PATH does not have them.
export PATH := $(PATH):/usr/sbin:/sbin

help:
	@sed -n 's/^#: \?//p' Makefile

#: make run              boot a guest, show a picture, unbind under it: build/run/screen.png
#: make shell            the same guest with a shell on this terminal
#: make check-quick      for each commit: kunit, static, and igt in one set-up
#: make check            the tests of every day: kunit, igt, static
#: make kunit            unit tests, on User Mode Linux
#: make igt              tests of the driver, in QEMU
#: make static           checkers and documentation
#: make check-debug      kunit, igt and fuzz on debug kernels: KASAN, lockdep, KCSAN, ...
#: make check-model      search the model of the unbind for orders that break it
#: make check-all        check, check-model and check-debug, with one summary
#: make fuzz             random ioctls under KASAN
#: make bench            what maps, unmaps and buffers cost, beside others: build/bench
#: make modules          build/RELEASE/drm_gem_sgt.ko and virtio_gpu_sgt.ko
#: make modules_install  to INSTALL_MOD_PATH/lib/modules/RELEASE
#: make docs             the book as HTML: build/docs
#: make clean            removes build/
#:
#: KDIR=DIR              a kernel to build modules for (default: Debian's 6.12, downloaded)
#: SETUP=NAME            how the GPU reaches memory: phys, iommu, swiotlb, mmio (run: iommu), or
#:                       igt: icount; check-debug: phys-races and so on, console, bypass, kunit,
#:                       kcsan, kcsan-kunit, fuzz
#: TEST=PATTERN          igt: program[@subtest]; kunit: suite.case; static: check;
#:                       bench: one or more of native, counted, buffers
#: TEST_SECONDS=N        limit for one IGT subtest (default: 180; check-debug: 400)
#: ROUNDS=N              how often tests that repeat themselves do (check-debug: 20 or less)
#: SEED=N                of random tests and fuzz (default: from the clock, printed)
#: SECONDS=N             how long fuzz runs (check-debug: 180; 0: until it is stopped)
#: REPLAY=FILE           fuzz: this program and no other
#: TURN=N                check-all, check-debug: one turn of three, which run everything together
#: DRIVER=in-tree        the kernel's own virtio_gpu, for comparison
#: ACCEL=kvm             KVM, if a guest comes up under it (default: emulation)
#: DISPLAY_WINDOW=1      make run with a window
#: SGT_CACHE=DIR         kernels, and what is built of them (default: ~/.cache/drm-gem-sgt)

modules:
	+@tools/deps.sh modules
	+@tools/modules.sh

modules_install: modules
	+@tools/modules.sh obj $(if $(INSTALL_MOD_PATH),INSTALL_MOD_PATH='$(INSTALL_MOD_PATH)') \
		modules_install

run shell:
	@tools/deps.sh run $(if $(filter-out 0,$(DISPLAY_WINDOW)),window)
	@tools/guest.py $@

check:
	@tools/deps.sh run kunit static
	@tools/check.py kunit igt static

check-quick:
	@tools/deps.sh run kunit static
	@tools/check.py kunit static quick

kunit:
	@tools/deps.sh kunit
	@tools/check.py kunit

igt:
	@tools/deps.sh run
	@tools/check.py igt

static:
	@tools/deps.sh run static
	@tools/check.py static

check-debug:
	@tools/deps.sh run debug
	@tools/check.py debug

check-all:
	@tools/deps.sh run kunit static model debug
	@tools/check.py static kunit model igt debug

fuzz:
	@tools/deps.sh run debug
	@tools/check.py fuzz

bench:
	@tools/deps.sh run kunit
	@tools/bench.py

check-model:
	@tools/deps.sh model
	@tools/model.sh

docs:
	@tools/deps.sh docs
	@tools/docs.sh

clean:
	rm -rf build

.PHONY: help modules modules_install run shell check-quick check kunit igt static check-debug \
	check-all fuzz bench check-model docs clean
