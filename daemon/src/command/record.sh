# Runs a command, and records what it changes in the current folder as a patch.
# $1: an empty folder for the record; $2: `own` if the current folder is the attempt's alone; then the command.
set +e
record=$1 kind=$2 index=$1/index
shift 2
sparse=
tab=$(printf '\t')

# Nothing in the repository changes, not even its index: what is new is in an index and objects of the record.
in_git() {
    env LC_ALL=C GIT_INDEX_FILE="$index" GIT_OBJECT_DIRECTORY="$record/objects" \
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
    from_repository || exit 125
}
# Begins with the index and the objects of the repository that the current folder is in.
from_repository() {
    theirs=$(path_in_git index) && known=$(path_in_git objects) || return
    # Files outside the definition of a sparse checkout count too. Versions of git before 2.34 don't know the option.
    if [ "$(git config --bool core.sparseCheckout 2>/dev/null)" = true ]; then sparse=--sparse; else sparse=; fi
    if [ -f "$theirs" ]; then cp "$theirs" "$index"; else rm -f "$index"; fi
    reveal
}
# Changes count that their index hides (`assume-unchanged`, `skip-worktree`), except that a sparse checkout lacks files.
reveal() {
    in_git ls-files -v >"$index.flags" || return
    if grep -q '^[a-z]' "$index.flags"; then
        in_git ls-files -z | in_git update-index -z --no-assume-unchanged --stdin || return
    fi
    if [ -z "$sparse" ] && grep -q '^[Ss]' "$index.flags"; then
        in_git ls-files -z | in_git update-index -z --no-skip-worktree --stdin || return
    fi
    rm -f "$index.flags"
}
# Not `in_git`, which would find its own index and objects.
path_in_git() {
    LC_ALL=C git rev-parse --path-format=absolute --git-path "$1" 2>"$record/problem"
}
# Prints the tree of the current folder. It holds only the commit of a repository below, so `$index.inside` has a line for
# each one with anything that is not in this commit.
look() {
    in_git add --all $sparse -- . && in_git -c core.quotePath=false ls-files --stage >"$index.files" || return
    grep '^160000 ' "$index.files" >"$index.links" || [ $? = 1 ] || return
    rm -f "$index.files"
    : >"$index.inside" || return
    again=
    while IFS= read -r link; do
        path=${link#*"$tab"}
        commit=${link#* }
        if [ "${path#\"}" != "$path" ]; then
            echo "the repository $path has a name with an odd character; rename it, or leave it out by \`exclude\` of \`dir\`" \
                >"$record/problem"
            return 1
        fi
        if ! [ -e "$path/.git" ]; then
            # One that is not checked out is an empty folder. Otherwise it is a repository no more, which git does not see.
            [ -z "$(ls -A -- "$path")" ] && continue
            in_git update-index --force-remove -- "$path" || return
            again=yes
            continue
        fi
        content=$(look_into "$path" "${commit%% *}" </dev/null) || return
        [ -z "$content" ] || printf ':160000 160000 %s\t%s\n' "$content" "$path" >>"$index.inside" || return
    done <"$index.links"
    if [ "$again" ]; then look; else in_git write-tree; fi
}
# Prints a hash of what is in the repository $1, unless all of it is in the commit $2.
look_into() (
    unset GIT_DIR GIT_WORK_TREE
    cd -P "./$1" || exit
    # A damaged repository must not be taken for that above it.
    export GIT_CEILING_DIRECTORIES="${PWD%/*}"
    index=$index.below
    from_repository && tree=$(look) && head=$(in_git rev-parse --verify HEAD) &&
        of_head=$(in_git rev-parse --verify 'HEAD^{tree}') || exit
    [ "$tree $head" = "$of_head $2" ] && ! [ -s "$index.inside" ] && exit
    { echo "$tree $head" && cat "$index.inside"; } | in_git hash-object --stdin
)
look_at_folder() (
    # Without variables of its own, the command sees no other repository than that of the folder.
    if [ "$kind" = own ]; then export GIT_DIR GIT_WORK_TREE; fi
    look
)

begin && recorded=yes || recorded=
if [ "$recorded" ]; then
    before=$(look_at_folder) && mv "$index.inside" "$record/inside-before" || exit 125
    rm -f "$record/problem"
fi

# TERM ends the command, and not this script before it has recorded what the command did.
trap : TERM INT HUP
(exec "$@")
code=$?

if [ "$recorded" ]; then
    after=$(look_at_folder) || exit 125
    # Prints the lines of $2 that are not in $1.
    only_in() { grep -vxFf "$1" "$2" || [ $? = 1 ]; }
    (
        if [ "$kind" = own ]; then export GIT_DIR GIT_WORK_TREE; fi
        {
            in_git -c core.quotePath=false diff-tree -r --raw --no-renames --relative --ignore-submodules=none \
                "$before" "$after" &&
                only_in "$record/inside-before" "$index.inside" && only_in "$index.inside" "$record/inside-before"
        } >"$record/nested" &&
            in_git diff-tree -r -p --binary --full-index "$before" "$after" >"$record/part"
    ) && mv "$record/part" "$record/patch" || exit 125
    rm -f "$record/problem"
fi
if [ "$code" -gt 128 ]; then
    trap - TERM INT HUP
    kill -s $((code - 128)) $$ 2>/dev/null
fi
exit "$code"
