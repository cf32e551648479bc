#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image from the zip file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly NEEDS=core # filled in by `autograder export gradescope-zip`

supported() { # whether any Python of a version that the course runs on is installed
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && return
    done
    return 1
}

export DEBIAN_FRONTEND=noninteractive
if ! supported; then # Ubuntu 22.04, Gradescope's default, has 3.10 as its python3 and 3.11 beside it
    apt-get update -qq
    for version in 3.12 3.11 3.13; do
        apt-get install -y -qq --no-install-recommends "python$version" "python$version-venv" && break
    done
fi
bash scripts/setup.sh "$NEEDS" sandbox
# What examines submissions is not root: it has to read the program, and nobody has to write it.
chmod -R go+rX,go-w .
# The image keeps what this proves. Where it can't be done while an image is built, or a week may not
# be graded, the first submission says so: the score is not shown then.
.venv/bin/python -m autograder gradescope prove || echo "To be proven with each submission."
