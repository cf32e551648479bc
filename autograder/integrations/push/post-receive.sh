#!/bin/bash
# Hands what was pushed to the autograder and shows its answer (autograder hook).
# It never makes a push fail, and runs nothing of what was pushed.
trap '' HUP INT TERM PIPE # whoever pushed may go away; what was pushed is written down all the same
LC_ALL=C
umask 077

# SETTINGS

say() { printf '%s\n' "$1" 2>/dev/null || exit 0; }

refs=$(cat)
id=${EPOCHREALTIME:-$(date +%s.000000)}-$$
arrival=$spool/arrived/$id
{
    printf '%s\n' "student=$student" "repository=$repository" "branch=$branch" "limit=$limit" \
        '' "$refs" >"$arrival.part" && mv "$arrival.part" "$arrival"
} 2>/dev/null
kept=$?

if [[ -x $0.before-autograder ]]; then
    (trap - HUP INT TERM PIPE && printf '%s\n' "$refs" | "$0.before-autograder")
fi
if ((kept != 0)); then
    say "Your push has arrived, but it could not be queued for grading:"
    say "the grader's folder on the server can't be written. Tell your"
    say "instructor. It is kept in git, and found as soon as the grader runs"
    say "again: you need not push it again."
    exit 0
fi

# A service that runs holds its lock, and one that begins the other, so ten hooks at once start one.
# Where $python is empty, it is not ours to start.
start() {
    [[ -n $python ]] || return 0
    local once=()
    if command -v flock >/dev/null; then
        flock -n "$spool/service.lock" true || return 0
        once=(flock -n "$spool/start.lock")
    fi
    (
        trap - HUP INT TERM PIPE
        cd "$home" && exec setsid "${once[@]}" env -i PATH=/usr/local/bin:/usr/bin:/bin \
            LC_ALL=C.UTF-8 HOME="$HOME" ${data:+COURSE_DATA="$data"} \
            "$python" -m autograder.integrations.push "$out" --root "$root" --jobs "$jobs" \
            </dev/null >>"$spool/service.log" 2>&1
    ) &
    disown
}

if [[ -n $python && ! (-x $python && -f $home/autograder/integrations/push/__main__.py) ]]; then
    say "Your push has arrived and is kept for grading, but the grader is not"
    say "in its place on the server at the moment. Tell your instructor."
    exit 0
fi
start 2>/dev/null

# Lines of the answer begin with "T ", and a line with a dot alone ends it.
exec 4<> <(:)
answer=$spool/answers/$id
opened='' part='' line=''
while ((SECONDS < wait)); do
    if [[ -z $opened && -e $answer ]]; then
        exec 3<"$answer" && opened=1
    fi
    while [[ -n $opened ]] && { IFS= read -r line <&3 || { part+=$line && false; }; }; do
        line=$part$line part=''
        if [[ $line == . ]]; then
            rm -f "$answer"
            exit 0
        fi
        say "${line#T }"
    done
    read -r -t 0.05 <&4
    ((SECONDS % 2 == 0)) && ((SECONDS != checked)) && checked=$SECONDS && start 2>/dev/null
done
say "The grading goes on without you; its result will be in the branch"
say "grades: soon, or when the server has time for it. Then:"
say "    git fetch && git show origin/grades:feedback.md"
exit 0
