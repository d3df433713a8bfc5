#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds the book, Documentation/gpu, into build/docs/. A warning is an error.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
source=$("$top/tools/kernel.sh" source)
book=$top/Documentation/gpu

# kernel-doc comments become text by the kernel's own extension.
PYTHONPATH=$source/Documentation/sphinx srctree=$top sphinx-build -q -C -E -W --keep-going \
	-D project=drm-gem-sgt -D extensions=kerneldoc -D root_doc=index \
	-D kerneldoc_bin="$source/scripts/kernel-doc" -D kerneldoc_srctree="$top" \
	-D primary_domain=c -D highlight_language=none \
	-d "$top/build/doctrees" "$book" "$top/build/docs"
echo "build/docs/index.html"
