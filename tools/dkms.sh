#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Writes what dkms builds the modules from, and no more, to DIRECTORY/drm-gem-sgt-VERSION, and
# prints that directory.
# Usage: tools/dkms.sh [DIRECTORY]
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/.*DRM_SGT_VERSION "\(.*\)"/\1/p' "$top/include/drm/drm_sgt_version.h")
into=${1:-$top/build/dkms}/drm-gem-sgt-$version

rm -rf "$into"
mkdir -p "$into"
cd "$top"
find Kbuild compat include drivers -name tests -prune -o \
	\( -name '*.[ch]' -o -name Kbuild -o -name Makefile \) -exec cp --parents -t "$into" {} +

cp tools/dkms-symvers.sh "$into/"

# dkms leaves other kernels alone: they would fail to build when they are installed.
lines=$(sed 's/#.*//' KERNELS | awk 'NF { gsub(/\./, "[.]", $1); printf "%s%s", sep, $1; sep = "|" }')
{
	cat <<-END
		PACKAGE_NAME="drm-gem-sgt"
		PACKAGE_VERSION="$version"
		MAKE[0]="make -C \$kernel_source_dir M=\$dkms_tree/\$PACKAGE_NAME/\$PACKAGE_VERSION/build modules"
		POST_BUILD="dkms-symvers.sh save \$kernelver"
		POST_REMOVE="dkms-symvers.sh clean"
		AUTOINSTALL="yes"
		BUILD_EXCLUSIVE_KERNEL="^($lines)[.]"
		BUILD_EXCLUSIVE_CONFIG="CONFIG_DRM CONFIG_VIRTIO"
	END
	number=0
	for module in gem_sgt/drm_gem_sgt gpupt/drm_gpupt edu_gpu/edu_gpu virtio_sgt/virtio_gpu_sgt; do
		cat <<-END
			BUILT_MODULE_NAME[$number]="${module#*/}"
			BUILT_MODULE_LOCATION[$number]="drivers/gpu/drm/${module%/*}"
			DEST_MODULE_LOCATION[$number]="/updates/dkms"
		END
		number=$((number + 1))
	done
} >"$into/dkms.conf"
echo "$into"
