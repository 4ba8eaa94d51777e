#!/bin/sh
# Gives an attempt the inputs that were sent once for all attempts, as copies of its own. Its arguments are the folder of the
# attempt and that of the inputs. Prints the names of those that are missing or changed; if it prints none, all are placed.
#
# With `settle` as its first argument, it gives inputs that have arrived their places. The others are then the folder in which
# they arrive, that of the inputs, and their names.

# Prints what is known of an input without reading it: its files with their sizes and times. The time of the last change of
# a file is set by nobody, so that other bytes of the same length are noticed.
seal() { # PATH
    find "$1" -type f -printf '%P %s %T@ %C@\n' -o -printf '%P %y\n' | LC_ALL=C sort
}

if [ "$1" = settle ]; then
    from=$2 to=$3
    shift 3
    for name; do
        touch -c -- "$from/$name"
        # What is there and was cut or changed makes room.
        mv -fT -- "$from/$name" "$to/$name" 2>/dev/null || {
            chmod -R u+w -- "$to/$name"
            rm -rf -- "$to/$name" && mv -fT -- "$from/$name" "$to/$name"
        } || exit 1
        # Until this is there, it is not used.
        seal "$to/$name" >"$to/$name.seal.$$" && mv -f -- "$to/$name.seal.$$" "$to/$name.seal" || exit 1
    done
    exit 0
fi

cd -- "$1" || exit 1
inputs=$2

# One that was left by a lost connection may still copy.
exec 9>>place.lock
flock 9 2>/dev/null

# Where the file system can, a copy shares the blocks of its original.
reflink=--reflink=auto
cp --help 2>&1 | grep -q reflink || reflink=

is_whole() { # PATH NAME FILES BYTES
    case $2 in
    *.d)
        sum=$(find "$1" -type f -printf '%s\n' 2>/dev/null | awk '{ count += 1; sum += $1 } END { printf "%d %.0f", count, sum }')
        [ "$sum" = "$3 $4" ]
        ;;
    *) [ -f "$1" ] && [ "$(wc -c <"$1")" -eq "$4" ] ;;
    esac
}

is_settled() { # NAME FILES BYTES
    is_whole "$inputs/$1" "$1" "$2" "$3" && [ -s "$inputs/$1.seal" ] &&
        [ "$(seal "$inputs/$1")" = "$(cat -- "$inputs/$1.seal")" ]
}

missing=0
while IFS=' ' read -r name files bytes mode path; do
    # What is in use stays.
    if is_settled "$name" "$files" "$bytes"; then touch -c -- "$inputs/$name.seal"; else
        missing=1
        printf '%s\n' "$name"
    fi
done <inputs.list
[ "$missing" = 0 ] || exit 0

while IFS=' ' read -r name files bytes mode path; do
    # So that no space at the end of a name is lost.
    path=${path%/.}
    rm -rf -- "$path"
    # shellcheck disable=SC2086
    if cp -R $reflink -- "$inputs/$name" "$path" && is_whole "$path" "$name" "$files" "$bytes" &&
        is_settled "$name" "$files" "$bytes"; then
        [ "$mode" = - ] || chmod "$mode" -- "$path" || exit 1
    else
        # A copy fails because of its original, or because of the disk.
        is_settled "$name" "$files" "$bytes" && exit 1
        printf '%s\n' "$name"
    fi
done <inputs.list
