#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run by dkms: keeps Module.symvers where drivers outside of the tree look for it.
# Usage: dkms-symvers.sh save RELEASE    in the directory of a build
#        dkms-symvers.sh clean           removes those of kernels that the modules are gone from
set -eu

into=/usr/src/drm-gem-sgt
case $1 in
save)
	mkdir -p "$into/$2"
	cp Module.symvers "$into/$2/"
	;;
clean)
	for directory in "$into"/*/; do
		[ -e "$directory/Module.symvers" ] || continue
		modules=/lib/modules/$(basename "$directory")/updates
		[ -z "$(find "$modules" -name 'drm_gem_sgt.ko*' 2>/dev/null)" ] || continue
		rm "$directory/Module.symvers"
		rmdir --ignore-fail-on-non-empty -p "$directory"
	done
	;;
esac
