# Runs a command, and records what it changes in the current folder as a patch.
# $1: an empty folder for the record; $2: `own` if the current folder is the attempt's alone; then the command.
set +e
record=$1 kind=$2
shift 2

# Nothing in the repository changes, not even its index: what is new is in an index and objects of the record.
in_git() {
    env LC_ALL=C GIT_INDEX_FILE="$record/index" GIT_OBJECT_DIRECTORY="$record/objects" \
        GIT_ALTERNATE_OBJECT_DIRECTORIES="${known:+\"$known\"}" GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 \
        git -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.splitIndex=false -c core.untrackedCache=false \
        -c core.safecrlf=false -c gc.auto=0 "$@" 2>"$record/problem"
}
begin() {
    known=
    # Without it, git finds no repository.
    mkdir "$record/objects" || exit 125
    if ! command -v git >/dev/null; then
        echo "git is not installed, so there is no patch" >"$record/note"
        return 1
    fi
    if [ "$kind" = own ]; then
        in_git init -q --bare "$record/git" >/dev/null || exit 125
        GIT_DIR=$record/git GIT_WORK_TREE=$PWD
        return 0
    fi
    inside=$(in_git rev-parse --is-inside-work-tree)
    if [ "$inside" != true ]; then
        # Only a folder without a repository has no patch; any other trouble is one.
        if [ "$inside" = false ] || grep -q 'not a git repository' "$record/problem"; then
            echo "the folder is not a git work tree, so there is no patch" >"$record/note"
            rm -f "$record/problem"
            return 1
        fi
        exit 125
    fi
    index=$(in_git rev-parse --path-format=absolute --git-path index) || exit 125
    known=$(git rev-parse --path-format=absolute --git-path objects) || exit 125
    if [ -f "$index" ]; then cp "$index" "$record/index" || exit 125; fi
}
look() {
    # Without variables of its own, the command sees no other repository than that of the folder.
    if [ "$kind" = own ]; then
        export GIT_DIR GIT_WORK_TREE
    fi
    # Changes in a repository below that are not in a commit of it are seen by nothing else.
    in_git add --all -- . && in_git diff-files --raw --ignore-submodules=none >"$record/inside" && in_git write-tree
}

begin && recorded=yes || recorded=
if [ "$recorded" ]; then
    before=$( (look) ) || exit 125
    mv "$record/inside" "$record/inside-before" || exit 125
    rm -f "$record/problem"
fi

# TERM ends the command, and not this script before it has recorded what the command did.
trap : TERM INT HUP
(exec "$@")
code=$?

if [ "$recorded" ]; then
    after=$( (look) ) || exit 125
    (
        if [ "$kind" = own ]; then export GIT_DIR GIT_WORK_TREE; fi
        in_git diff-tree -r --raw --no-renames --ignore-submodules=none "$before" "$after" >"$record/nested" &&
            { grep -vxFf "$record/inside-before" "$record/inside" || [ $? = 1 ]; } >>"$record/nested" &&
            in_git diff-tree -r -p --binary --full-index "$before" "$after" >"$record/part"
    ) && mv "$record/part" "$record/patch" || exit 125
    rm -f "$record/problem"
fi
if [ "$code" -gt 128 ]; then
    trap - TERM INT HUP
    kill -s $((code - 128)) $$ 2>/dev/null
fi
exit "$code"
