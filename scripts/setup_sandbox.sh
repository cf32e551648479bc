# Looks for bubblewrap, which confines the programs that are graded; scripts/setup.sh reads this file
# where its second word is `sandbox`. Students don't get it.
# shellcheck shell=bash

ensure_bubblewrap() { # never fails: whether to grade without confinement is for the grader to decide
    command -v bwrap >/dev/null && return
    if can_use_apt && [[ ! -f $VENV/.no-bubblewrap ]]; then
        say "bubblewrap, which confines the programs that are graded, is missing"
        apt_install bubblewrap && return
        touch "$VENV/.no-bubblewrap" # one slow attempt is enough
    fi
    say "bubblewrap, which confines the programs that are graded, is missing. This command installs it:"
    say "    sudo apt-get install -y bubblewrap"
}

ensure_bubblewrap
