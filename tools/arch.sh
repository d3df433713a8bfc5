# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154
# Sets what tools/arches says of ARCH, in a script that sets top: arch, its name in Debian with a
# flavour, and debian, the name without; kbuild, its name in the kernel; cross, how the names of its
# compilers begin; emulation, packages.

# shellcheck disable=SC2046
set_arch() {
	set -- $(sed 's/#.*//' "$top/tools/arches" |
		awk -v a="${ARCH:-}" 'NF && (a == "" || a == $1 || a == $2 || a == $3) { print; exit }')
	[ $# = 6 ] || {
		echo "ARCH=$ARCH: it is one of $(awk '/^[^#]/ { printf "%s%s", sep, $1; sep = ", " }' \
			"$top/tools/arches")" >&2
		exit 1
	}
	arch=$1 debian=${1%%-*} kbuild=$2 cross=${5#-} emulation=$6
	cross=${cross:+$cross-}
}
set_arch
