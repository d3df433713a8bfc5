#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs the Debian packages that the named jobs need, or says how.
# Usage: tools/deps.sh modules|run|window|virgl|kunit|static|debug|model|docs|ports|packages|patches ...
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tools/arch.sh
. "$top/tools/arch.sh"

# gcc-12 is what Debian's 6.12 kernel was built with. linux-kbuild's programs
# are only unpacked, so the libraries they use are named here.
modules='make gcc-12 libc6-dev libelf1 libssl3 pahole xz-utils kmod'
[ -z "$cross" ] || modules="$modules gcc-12-${cross%-}"
run="$modules gcc libdrm-dev intel-gpu-tools pkg-config python3 busybox-static $(echo "$emulation" | tr , ' ')"
kunit='make gcc libc6-dev flex bison bc perl python3 xz-utils'
debug="$kunit gcc-12 libelf-dev"
static="$modules $kunit clang dkms libelf-dev lld llvm sparse shellcheck pyflakes3 mypy"
model='gcc libc6-dev spin'
window='qemu-system-gui'
virgl="$window libegl1 libgl1-mesa-dri xvfb"
ports='coccinelle'
packages='debhelper dh-dkms dpkg-dev intel-gpu-tools libdrm-dev mmdebstrap pkg-config'
patches='git libelf-dev'
docs='perl python3 python3-sphinx xz-utils'

wanted=
for job; do
	case $job in
	modules) wanted="$wanted $modules" ;;
	run) wanted="$wanted $run" ;;
	kunit) wanted="$wanted $kunit" ;;
	debug) wanted="$wanted $debug" ;;
	static) wanted="$wanted $static" ;;
	model) wanted="$wanted $model" ;;
	window) wanted="$wanted $window" ;;
	virgl) wanted="$wanted $virgl" ;;
	ports) wanted="$wanted $ports" ;;
	packages) wanted="$wanted $packages" ;;
	patches) wanted="$wanted $patches" ;;
	docs) wanted="$wanted $docs" ;;
	*) echo "deps.sh: no such job: $job" >&2; exit 2 ;;
	esac
done

# Elsewhere than on Debian the build itself says what is missing.
command -v dpkg-query >/dev/null || exit 0

missing=
for package in $(echo "$wanted" | tr ' ' '\n' | sort -u); do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=none
	case $status in
	installed*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "Missing packages. Run: sudo apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi

echo "Installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2086
	apt-get install -y -q --no-install-recommends $missing >&2
}
apt-cache show qemu-system-x86 >/dev/null 2>&1 || apt-get update -q >&2
# The lists may be of an older archive.
install || { apt-get update -q >&2 && install; }
