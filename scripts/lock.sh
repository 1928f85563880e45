#!/usr/bin/env bash
# Rewrites the three requirements.lock files: exact versions with hashes, no index address.
# Needs uv on the path; run it after editing a requirements.in file, then run ./pacs test.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v uv >/dev/null || {
    echo "lock.sh needs uv: install it with 'pip install uv' and run this again." >&2
    exit 1
}

compile() {
    echo "locking $1"
    (cd "$(dirname "$1")" && uv pip compile --quiet --generate-hashes --python-version 3.14 \
        --no-emit-index-url --no-emit-find-links --custom-compile-command scripts/lock.sh "${@:2}" \
        --output-file "$(basename "${1%.in}.lock")" "$(basename "$1")")
}

compile orthanc-plugins/requirements.in --overrides overrides.txt "$@"
compile orthanc-plugins/build-requirements.in "$@"
compile tests/requirements.in "$@"
