#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds the modules for the kernel in the cache that KERNEL= chooses, or for KDIR, into build/RELEASE/.
# Usage: tools/modules.sh [DIRECTORY [KBUILD-ARGUMENT...]]
#        tools/modules.sh --release    prints RELEASE
#
# The objects go to build/RELEASE/DIRECTORY ("obj"), a tree of links to the sources, so that
# builds for several kernels, or with W=1, do not mix and the sources stay clean. An absolute
# DIRECTORY has the sources of other modules, which are built in place.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tools/arch.sh
. "$top/tools/arch.sh"
objects=${1:-obj}
[ $# = 0 ] || shift

root=
if [ -n "${KDIR:-}" ]; then
	release=$(cat "$KDIR/include/config/kernel.release" 2>/dev/null ||
		"${MAKE:-make}" -s -C "$KDIR" kernelrelease 2>/dev/null) || {
		echo "KDIR=$KDIR: no kernel to build modules for. It is the directory of a kernel's" \
			"headers or build, such as /lib/modules/$(uname -r)/build." >&2
		exit 1
	}
	set -- -C "$KDIR" "$@"
else
	root=$("$top/tools/kernel.sh" root)
	release=${root##*/kroot-}
	headers=$root/usr/src/linux-headers
	# The headers' own Makefile has absolute paths of an installed package.
	set -- -C "$headers-${release%"-$arch"}-common" O="$headers-$release" \
		ARCH="$kbuild" CROSS_COMPILE="$cross" \
		KERNELRELEASE="$release" CC="$("$top/tools/kernel.sh" compiler)" \
		CONFIG_MODULE_SIG_ALL= "$@"
fi

case $objects in
--release)
	echo "$release"
	exit
	;;
/*) tree=$objects ;;
*) tree=$top/build/$release/$objects ;;
esac

case " $* " in
*" modules_install "*) ;;
*)
	set -- "$@" modules
	[ "$tree" = "$objects" ] || {
		mkdir -p "$tree"
		cp -asf "$top/Kbuild" "$top/compat" "$top/include" "$top/drivers" "$tree/"
		# Of what was moved, too
		find "$tree" \( -xtype l -o -name '*.ko' \) -delete
	}
	;;
esac

# Take part in the caller's job server where there is one.
case ${MAKEFLAGS:-} in
*--jobserver-*) ;;
*) set -- "-j$(nproc)" "$@" ;;
esac
set -- "${MAKE:-make}" --no-print-directory "$@" M="$tree"
[ -z "$root" ] || set -- "$top/tools/inside.sh" "$root" "$@"
"$@"

[ "$objects" != obj ] || find "$tree" -name '*.ko' -exec cp -u -t "$top/build/$release" {} +
