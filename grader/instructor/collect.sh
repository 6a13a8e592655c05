#!/usr/bin/env bash
# Fetch one file of each student's repository: collect.sh ROSTER.csv OUT
#
# ROSTER.csv has a header, then handle,repository,commit. Into OUT/HANDLE go assignment/compression.py and
# `commit`, the commit that it is from. Repositories are fetched without a work tree: nothing of them is
# checked out, run or followed, so a link in one arrives as the text that it is. A repository that cannot be
# fetched is named, and the others go on; then the exit code is 1. STUDENTS_TOKEN, where set, reads them.
set -uo pipefail

roster=${1:?"usage: collect.sh ROSTER.csv OUT"}
out=${2:?"usage: collect.sh ROSTER.csv OUT"}
wanted=assignment/compression.py
largest=$((2 * 1024 * 1024))
failed=0
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT

fetch() { # handle repository commit: fetch, and take the one file
    local bare=$store/$1
    git init --quiet --bare --template= "$bare" || return
    local -a login=()
    if [ -n "${STUDENTS_TOKEN:-}" ]; then
        local basic
        basic=$(printf 'x-access-token:%s' "$STUDENTS_TOKEN" | base64 -w0)
        login=(-c "http.https://github.com/.extraheader=Authorization: Basic $basic")
    fi
    git -C "$bare" "${login[@]}" -c fetch.fsckObjects=true fetch --quiet --depth=1 --no-tags "$2" "${3:-HEAD}" || return
    local size
    size=$(git -C "$bare" cat-file -s "FETCH_HEAD:$wanted") || return
    [ "$size" -le "$largest" ] || { echo "$wanted is larger than $largest bytes" >&2; return 1; }
    mkdir -p "$out/$1/assignment" || return
    git -C "$bare" cat-file blob "FETCH_HEAD:$wanted" >"$out/$1/$wanted" || return
    git -C "$bare" rev-parse FETCH_HEAD >"$out/$1/commit"
}

while IFS=, read -r handle repository commit; do
    if ! [[ ${#handle} -ge 3 && ${#handle} -le 32 && $handle =~ ^[a-z0-9]+(-[a-z0-9]+)*$ && $repository =~ ^(https://|/|\./) && $commit =~ ^[0-9a-f]{0,64}$ ]]; then
        echo "a line of $roster is not handle,repository,commit: $handle,$repository,$commit" >&2
        failed=1
    elif ! fetch "$handle" "$repository" "$commit"; then
        echo "$handle: nothing was collected from $repository" >&2
        failed=1
    fi
done < <(tail -n +2 "$roster" | tr -d '\r')
exit "$failed"
