#!/bin/bash
# A cluster in a folder, for tests: `sbatch`, `squeue`, `scancel` and `sacct` are links to this file. It runs jobs at once on this
# machine, and files beside it make it behave as a real one does on its bad days:
#   hold     jobs wait, for the reason in this file
#   busy     it takes no more jobs
#   down     the controller can't be reached
#   mute     the next job is taken, but the answer gets lost
#   crash    the next job is taken, and forgotten before it runs; the script in this file, if there is one, gets its number
#   slow     the answer about the next job waits until the file is gone
#   purged   the controller has forgotten all jobs; only `sacct`, if that is linked too, still knows them
#   room     it takes no more than this many jobs at once, those that have ended included
#   arrays   it takes no arrays with more elements than this
#   late     the end of jobs shows before they have written how they ended, until the file is gone
# `calls` has a line for each call.

[ "$1" = --version ] && exec echo 'slurm 22.05'

cluster=$(dirname -- "$0")
echo "$(basename -- "$0") $*" >>"$cluster/calls"
mkdir -p "$cluster/jobs"

fail() {
    echo "$(basename -- "$0"): error: $*" >&2
    exit 1
}
once() { rm "$cluster/$1" 2>/dev/null; }
[ -e "$cluster/down" ] && fail 'Unable to contact slurm controller (connect failure)'

run() {
    local job=$cluster/jobs/$1
    rm -f "$job/reason"
    (
        gpu=$(cat "$job/gpu")
        [ -z "$gpu" ] || gpu=CUDA_VISIBLE_DEVICES=$gpu
        # As a real cluster does: each element has a number of its own too.
        element= number=$1
        case $1 in *_*) number=$((${1%_*} * 1000 + ${1#*_})) element="SLURM_ARRAY_JOB_ID=${1%_*} SLURM_ARRAY_TASK_ID=${1#*_}" ;; esac
        mapfile -t words <"$job/words"
        setsid env -i PATH="$PATH" HOME="$HOME" SLURM_JOB_ID="$number" $element SLURMD_NODENAME=n1 ${gpu:+"$gpu"} \
            bash -l "$job/script" "${words[@]}" >>"$job/log" 2>&1 &
        echo $! >"$job/pid"
        wait $!
        echo $? >"$job/code"
    ) </dev/null >/dev/null 2>&1 9>&- &
}

case $(basename -- "$0") in
sbatch)
    [ -e "$cluster/busy" ] &&
        fail "QOSMaxSubmitJobPerUserLimit
sbatch: error: Batch job submission failed: Job violates accounting/QOS policy"
    comment= gpu= test= chdir= array= arguments=()
    for word; do
        case $word in
        --comment=*) comment=${word#*=} ;;
        --partition=nowhere) fail "invalid partition specified: nowhere" ;;
        --gres=gpu:*) gpu=$((${word##*:} - 1)) ;;
        --test-only) test=1 ;;
        --chdir=*) chdir=${word#*=} ;;
        --array=0-*) array=${word#*-*-*-} ;;
        --*) ;;
        *) arguments+=("$word") ;;
        esac
    done
    [ -z "$test" ] || exit 0
    # One call after the other: each gets a number of its own.
    exec 9>>"$cluster/lock"
    flock 9
    many=$((${array:-0} + 1))
    [ -e "$cluster/arrays" ] && [ "$many" -gt "$(cat "$cluster/arrays")" ] &&
        fail 'Batch job submission failed: Invalid job array specification'
    [ -e "$cluster/room" ] && [ $(($(ls "$cluster/jobs" | wc -l) + many)) -gt "$(cat "$cluster/room")" ] &&
        fail 'AssocMaxSubmitJobLimit; Batch job submission failed: Job violates accounting/QOS policy'
    id=$(($(cat "$cluster/last" 2>/dev/null || echo 0) + 1))
    if [ -e "$cluster/crash" ]; then
        comment=other array= arguments=($(cat "$cluster/crash"))
        once crash
    fi
    if [ -n "${arguments[0]}" ]; then
        # The next job gets the number of one that was forgotten.
        echo $id >"$cluster/last"
        for element in $(if [ -n "$array" ]; then seq 0 "$array"; fi) ''; do
            [ -n "$array" ] && [ -z "$element" ] && continue
            name=$id${element:+_$element}
            job=$cluster/jobs/$name
            mkdir -p "$job"
            # The script is kept as it is now.
            cat "${arguments[0]}" >"$job/script"
            printf '%s\n' "${arguments[@]:1}" >"$job/words"
            echo "$chdir" >"$job/folder"
            echo "$gpu" >"$job/gpu"
            echo "$comment" >"$job/comment"
            if [ -e "$cluster/hold" ]; then cp "$cluster/hold" "$job/reason"; else run "$name"; fi
        done
    fi
    exec 9>&-
    while [ -e "$cluster/slow" ]; do sleep 0.05; done
    once mute && fail 'Batch job submission failed: Socket timed out on send/recv operation'
    echo "$id"
    ;;
squeue)
    [ -e "$cluster/purged" ] && exit
    for job in "$cluster"/jobs/*/; do
        [ -e "$job/comment" ] || continue
        id=$(basename -- "$job")
        if [ -e "$job/reason" ] && [ ! -e "$cluster/hold" ]; then run "$id"; fi
        if [ -e "$job/state" ]; then
            state=$(cat "$job/state")
        elif [ -e "$job/reason" ]; then
            state="PENDING|$(cat "$job/reason")"
        elif [ -e "$cluster/late" ]; then
            state="COMPLETED|None"
        elif [ ! -e "$job/code" ]; then
            state="RUNNING|None"
        elif [ "$(cat "$job/code")" = 0 ]; then
            state="COMPLETED|None"
        else
            state="FAILED|NonZeroExitCode"
        fi
        nodes=n1
        [ -e "$job/pid" ] || nodes=
        echo "$id|$state|$nodes|1:00|0:42|4G|$(cat "$job/comment")"
    done
    ;;
sacct)
    for job in "$cluster"/jobs/*/; do
        nodes=n1
        [ -e "$job/pid" ] || nodes='None assigned'
        state=$(cat "$job/state")
        echo "$(basename -- "$job")|${state%|*} by 0|$nodes|01:00:00|00:00:42|4G|$(cat "$job/folder")"
    done
    ;;
scancel)
    for id; do
        job=$cluster/jobs/$id
        [ -e "$job/comment" ] || continue
        rm -f "$job/reason"
        [ -e "$job/pid" ] && kill -TERM -- "-$(cat "$job/pid")" 2>/dev/null
        [ -e "$job/code" ] || echo "CANCELLED|None" >"$job/state"
    done
    ;;
esac
