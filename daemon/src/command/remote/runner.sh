#!/bin/bash -l
# Runs one attempt of Fanlight on a node of the cluster, at most once, and says in the file `exit` how it ended.
# Its argument is the folder of the attempt; those of an array name the folders of all its elements.

# Ray says its id; a Ray cluster may itself be a job of Slurm.
job=${FANLIGHT_JOB:-${SLURM_JOB_ID:-0}}
on_ray=${FANLIGHT_JOB:-}
unset FANLIGHT_JOB
if [ "$#" -gt 1 ]; then
    # An element of an array: the first argument is the folder of all attempts, and the others are their names.
    job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    name=$((SLURM_ARRAY_TASK_ID + 2))
    cd -- "$1/${!name}" || exit 97
    exec >>job.log 2>&1
    # A command finds the same as in a job of its own.
    unset "${!SLURM_ARRAY_@}" name
else
    cd -- "$1" || exit 97
fi
[ -e cancel ] && exit 99
# Two jobs of one attempt, such as after an answer that got lost: only the first one runs it.
mkdir fence 2>/dev/null || exit 98

# A reader sees all of a file, or nothing.
write() { printf '%s\n' "$2" >"$1.new" && mv -f -- "$1.new" "$1"; }

# Signals what left the group: it is known by a variable. Slurm ends that by itself, and Ray does not.
away() {
    [ -n "$on_ray" ] || return 1
    local left
    left=$(grep -lszxF "FANLIGHT_ATTEMPT=${PWD##*/}" /proc/[0-9]*/environ | cut -d / -f 3)
    [ -n "$left" ] && kill "-$1" $left
}

pid=
told=0
forward() {
    told=$((told + 1))
    [ -z "$pid" ] || {
        kill -TERM -- "-$pid"
        away TERM
    } 2>/dev/null
}
trap forward TERM INT

# A signal interrupts `wait`, which then returns before the process has ended.
await() {
    while :; do
        local before=$told
        wait "$1"
        code=$?
        [ "$told" = "$before" ] && break
    done
}

write started "job $job
host ${SLURMD_NODENAME:-$(uname -n)}
at $(date +%s)"

# Only this shell has the secrets now, and only until the command has started.
start=$(cat start) && rm -f start || exit 96

# Everything below has a group of its own, so that a signal reaches all of it.
set -m

# Through pipes: a command that opens /dev/stderr again would empty a file. These end with the output, not by a signal.
pipes=$(mktemp -d) && mkfifo "$pipes/out" "$pipes/err" || exit 95
# To open a pipe for one direction waits for the other one, which may never come.
exec 3<>"$pipes/out" 4<>"$pipes/err" 5<"$pipes/out" 6<"$pipes/err"
exec 3>"$pipes/out" 4>"$pipes/err"
rm -rf -- "$pipes"
# Not process substitutions: bash before 5.1 can't wait for two of them.
(trap '' TERM INT; exec cat <&5 >stdout 3>&- 4>&- 5<&- 6<&-) &
out=$!
(trap '' TERM INT; exec cat <&6 >stderr 3>&- 4>&- 5<&- 6<&-) &
err=$!
exec 5<&- 6<&-

(
    trap - TERM INT
    trap 'echo "fanlight: the prelude of the engine ended the shell, so the command did not run" >&2; exit 96' EXIT
    . ./prelude >&2 || {
        code=$?
        trap - EXIT
        echo "fanlight: the engine's prelude failed with exit code $code" >&2
        exit 96
    }
    trap - EXIT
    eval "$start"
    exec "$@"
) </dev/null >&3 2>&4 3>&- 4>&- &
pid=$!
exec 3>&- 4>&-
unset start
[ "$told" = 0 ] || kill -TERM -- "-$pid" 2>/dev/null

# The controller may forget a job that runs: this says that it still does, and takes the place of what would end it.
(
    trap - TERM INT
    beat=0
    while sleep 15; do
        # Without its runner, the command would run on and nobody would learn how it ends.
        kill -0 "$$" || {
            kill -KILL -- "-$pid"
            exit
        }
        [ -e cancel ] && kill -TERM "$$"
        beat=$((beat + 1))
        write alive "$beat"
    done
) </dev/null >/dev/null 2>&1 &
heart=$!

# Without job control `wait` does not return when the command is only stopped.
set +m
await "$pid"

# What the command started has a moment to end by itself, as on any machine; then it is ended.
for signal in 0 0 TERM TERM TERM TERM TERM KILL; do
    kill "-$signal" -- "-$pid" 2>/dev/null || break
    sleep 0.1
done
for signal in TERM TERM KILL; do
    away "$signal" 2>/dev/null || break
    sleep 0.2
done
# A process that left the group may hold the pipes for ever. A copy that sleeps waits for more: it has written all that came.
sleeps() {
    local stat
    read -r stat <"/proc/$1/stat" || return
    stat=${stat##*) }
    [ "${stat%% *}" = S ]
} 2>/dev/null
set -m
(
    sleep 5
    for copy in "$out" "$err"; do
        while kill -0 "$copy" && ! sleeps "$copy"; do sleep 0.1; done
        : >"whole.$copy"
        kill -KILL "$copy"
    done
) </dev/null >/dev/null 2>&1 &
guard=$!
set +m
ended=$code

# Whether all of the output is there: a disk may be full, and a copy may be killed when the memory is.
cut=0
for copy in "$out" "$err"; do
    await "$copy"
    [ "$code" = 137 ] && [ -e "whole.$copy" ] && code=0
    [ "$code" = 0 ] || cut=$code
done
kill -- "-$guard" "-$heart" 2>/dev/null

count() { wc -c <"$1" || echo 0; }
write exit "job $job
code $ended
told $told
at $(date +%s)
stdout $(count stdout)
stderr $(count stderr)
cut $cut"
exit "$ended"
