#!/usr/bin/env bash
# Prepares what the make targets run in: .venv with the pinned packages.
#
#   scripts/setup.sh core [sandbox]     requirements.txt
#   scripts/setup.sh torch [sandbox]    and requirements-torch.txt
#   scripts/setup.sh notebooks          and requirements-notebooks.txt, which has more than that
#   scripts/setup.sh cluster [sandbox]  and requirements-cluster.txt
#   scripts/setup.sh dev                and requirements-dev.txt
#   scripts/setup.sh all [sandbox]      and those for torch, notebooks, cluster and dev; for tests
#                                       [browser] too
#
# With a second word it also runs scripts/setup_WORD.sh. PYTHON=python3.12 chooses the interpreter.
# A finished set-up leaves .venv/.ready, which names the interpreter, the place and the pins;
# while that still describes this checkout, a call does nothing. A set-up without it was
# interrupted and starts over.
set -euo pipefail
umask 022  # the sandboxes of a grading root run as other users, who have to read the packages
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VENV=.venv READY=.venv/.ready
readonly OLDEST=3.11 NEWEST=3.13

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# --- Debian packages -----------------------------------------------------------------------

can_use_apt() {
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null &&
        grep -Eqs '^(ID|ID_LIKE)=.*(debian|ubuntu)' /etc/os-release
}

apt_install() { # package: asks for fresh package lists only when the present ones do not do
    local options=(-y -qq --no-install-recommends) errors
    export DEBIAN_FRONTEND=noninteractive
    say "installing the Debian package $1 with apt-get (about 20 seconds)"
    apt-get install "${options[@]}" "$1" </dev/null >/dev/null 2>&1 && return
    errors=$({ apt-get update -qq && apt-get install "${options[@]}" "$1"; } </dev/null 2>&1 >/dev/null) ||
        { printf '%s\n' "$errors" >&2 && return 1; }
}

# --- Python --------------------------------------------------------------------------------

version_of() { # prints "3.12" for a Python that runs
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

supported() { [[ $1 =~ ^3\.([0-9]+)$ ]] && ((BASH_REMATCH[1] >= ${OLDEST#3.} && BASH_REMATCH[1] <= ${NEWEST#3.})); }

choose_python() {
    local candidate version
    if [[ -n ${PYTHON:-} ]]; then
        version=$(version_of "$PYTHON") || die "PYTHON=$PYTHON does not run. Give the path of a Python $OLDEST to $NEWEST."
        supported "$version" || die "PYTHON=$PYTHON is Python $version. The course needs Python $OLDEST to $NEWEST."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if version=$(version_of "$candidate") && supported "$version"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "no Python $OLDEST to $NEWEST was found (looked for python3, python3.13, python3.12, python3.11)." \
        "Install one, or name it: make PYTHON=/path/to/python3.12 ..."
}

ensure_venv_module() { # python: Debian ships the module ensurepip, which venv needs, in a package of its own
    local package
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package="python$(version_of "$1")-venv"
    if can_use_apt && apt_install "$package" && "$1" -c 'import ensurepip, venv'; then
        return
    fi
    die "$1 cannot make virtual environments yet. On Debian or Ubuntu this command mends it:" \
        "sudo apt-get install -y $package"
}

# --- the virtual environment ---------------------------------------------------------------

describe() { # python: a line for the interpreter and this place, and one for each file of pins
    "$1" -I -S - "$PWD" 2>/dev/null <<'EOF'
import hashlib, pathlib, sys

def digest(*names):
    return hashlib.sha256(b"\0".join(pathlib.Path(n).read_bytes() for n in names)).hexdigest()

print("in", sys.argv[1], "Python", " ".join(sys.version.split()))
print("core", digest("requirements.txt", "pyproject.toml"))
for name in ("torch", "notebooks", "cluster", "dev"):
    if pathlib.Path(f"requirements-{name}.txt").exists():  # an image has not all of them
        print(name, digest(f"requirements-{name}.txt"))
EOF
}

recorded() { grep -Fxqs -e "$1" "$READY"; }

record() { # lines
    printf '%s\n' "$@" >"$READY.partial"
    mv "$READY.partial" "$READY"
}

pip_install() {
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check "$@"
}

is_made() { # here: .venv stands in this place, is finished, and is of the Python asked for
    [[ -n $1 ]] && recorded "$1" || return
    [[ -z ${PYTHON:-} || $(describe "$PYTHON" | head -n 1) == "$1" ]]
}

make_venv() {
    local python
    python=$(choose_python)
    ensure_venv_module "$python"
    if [[ -d $VENV && ! -f $READY ]]; then
        say "$VENV is there, but its set-up was never finished: starting over"
    fi
    say "making $VENV with $python, Python $(version_of "$python") (a few seconds)"
    if [[ -L $VENV ]]; then # --clear would empty what it leads to, which is another checkout's
        say "$VENV is a link: it gives way to an environment of this place, what it leads to stays"
        rm "$VENV"
    fi
    rm -f "$READY"
    "$python" -m venv --clear "$VENV" || die "$python could not make $VENV (see above)."
}

setup_venv() { # core|torch|notebooks|cluster|dev|all
    local description here core
    description=$(describe "$VENV/bin/python") || description=""
    if ! is_made "${description%%$'\n'*}"; then
        make_venv
        description=$(describe "$VENV/bin/python") || die "$VENV/bin/python does not run."
    fi
    { read -r here && read -r core; } <<<"$description"
    if ! recorded "$core"; then
        say "installing the packages of requirements.txt (about half a minute, 170 MB)"
        rm -f "$READY"
        pip_install -r requirements.txt && pip_install --no-deps --no-build-isolation -e . ||
            die "the packages could not be installed (see above). They come from the network;" \
                "the next run starts over."
        record "$here" "$core"
    fi
    case $1 in torch | all)
        add_packages "$description" torch "PyTorch (one to several minutes, 0.3 to 3 GB)" ;;
    esac
    case $1 in notebooks | all)
        add_packages "$description" notebooks "Jupyter and nbgrader (about a minute, 300 MB)" ;;
    esac
    case $1 in cluster | all)
        add_packages "$description" cluster "Dask, for grading on many machines (a few seconds, 40 MB)" ;;
    esac
    case $1 in dev | all)
        add_packages "$description" dev "what checks types and imports (a few seconds, 60 MB)" ;;
    esac
}

add_packages() { # description, name, what it is: those of requirements-NAME.txt, on top of the core
    local pins before
    pins=$(grep "^$2 " <<<"$1") || die "requirements-$2.txt is missing here."
    recorded "$pins" && return
    say "installing $3"
    before=$(grep -v "^$2 " "$READY")
    rm -f "$READY"
    if ! pip_install -r requirements.txt -r "requirements-$2.txt"; then
        record "$before" # what needs none of them still works
        die "$2 could not be installed (see above). It comes from the network; run this again."
    fi
    record "$before" "$pins"
}

# -------------------------------------------------------------------------------------------

case ${1:-} in
core | torch | notebooks | cluster | dev | all) ;;
*) die "usage: scripts/setup.sh core|torch|notebooks|cluster|dev|all [sandbox]" ;;
esac
trap 'die "interrupted; the next run starts over"' INT TERM

if command -v flock >/dev/null; then # two set-ups at once would undo each other
    exec 9<scripts/setup.sh
    flock -n 9 || { say "another set-up is running here: waiting for it" && flock 9; }
fi
setup_venv "$1"
if [[ -n ${2:-} ]]; then source "scripts/setup_$2.sh"; fi
