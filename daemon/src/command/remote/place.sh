# Gives an attempt the inputs that were sent once for all attempts, as copies of its own. Its arguments are the folder of the
# attempt and that of the inputs. Prints the names of those that are missing or changed; if it prints none, all are placed.

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
