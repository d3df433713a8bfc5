#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs the modules, and what a driver outside of the tree is built with: the headers and
# Module.symvers; and the configuration that chooses a driver, unless there is one.
# Usage: [INSTALL_MOD_PATH=DIRECTORY] tools/install.sh
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
root=${INSTALL_MOD_PATH:-}
case $root in
'' | /*) ;;
*) root=$PWD/$root ;;
esac

# kbuild runs depmod only where there is a System.map, which packages of headers do not have.
"$top/tools/modules.sh" obj INSTALL_MOD_PATH="$root" cmd_depmod= modules_install

release=$("$top/tools/modules.sh" --release)
modules=/lib/modules/$release
sources=$root/usr/src/drm-gem-sgt
rm -rf "$sources/include"
mkdir -p "$sources/$release"
cp -R "$top/include" "$sources/"
cp "$top/build/$release/obj/Module.symvers" "$sources/$release/"
echo "Headers and Module.symvers for other drivers: $sources"

config=$root/etc/modprobe.d/drm-gem-sgt.conf
[ -e "$config" ] || install -D -m 644 "$top/tools/modprobe.conf" "$config"
echo "The driver of virtio-gpu devices: $config"

# Without the kernel's own modules, depmod would write lists that modprobe cannot use.
if [ -e "$root$modules/modules.order" ]; then
	depmod ${root:+-b "$root"} "$release"
else
	echo "The kernel is not in $root$modules. Where it is, modprobe finds the modules after:" \
		"depmod $release"
fi
