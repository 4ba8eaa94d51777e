# Removes inputs that nobody has used for a number of minutes. Its arguments are their folder, and that number.
cd -- "$1" || exit 1
find . -mindepth 1 -maxdepth 1 -mmin "+$2" | while IFS= read -r path; do
    case $path in
    *.seal)
        rm -f -- "$path"
        path=${path%.seal}
        ;;
    *) [ ! -e "$path.seal" ] || continue ;;
    esac
    [ -e "$path" ] || continue
    chmod -R u+w -- "$path"
    rm -rf -- "$path"
done
