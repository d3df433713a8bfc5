#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Searches the models in Documentation/models for an order of events that breaks
# them, then breaks each of their rules to see that the search would find it.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# Prints the search's verdict on model $1 with mutation $2.
search() {
	(cd "$work" && rm -f pan* &&
	 spin -a -DMUTATION="$2" "$1" >spin.log &&
	 gcc -O2 -DSAFETY -w -o pan pan.c && ./pan -m1000000 >pan.log 2>&1)
	if grep -q 'max search depth too small' "$work/pan.log"; then
		echo incomplete
	elif grep -q 'errors: 0' "$work/pan.log"; then
		echo holds
	else
		echo breaks
	fi
}

report() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
		result=pass
	else
		failed=$((failed + 1))
		result=FAIL
	fi
	printf '%-6s  %-44s  %s\n' model "$1" "$result"
	[ "$result" = pass ] || echo "        expected: $2, found: $3; spin -a -DMUTATION=$4 $5"
}

rules() {
	sed -n 's/^#define NO_\([A-Z_]*\)[[:space:]]*(MUTATION == \([0-9]*\))/\2 \1/p' "$1"
}

for model in "$top"/Documentation/models/*.pml; do
	name=$(basename "$model" .pml)
	rules "$model" >"$work/rules"
	report "$name: no order of events breaks it" holds "$(search "$model" 0)" 0 "$model"
	while read -r number rule; do
		report "$name: broken without $rule" breaks \
			"$(search "$model" "$number")" "$number" "$model"
	done <"$work/rules"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
