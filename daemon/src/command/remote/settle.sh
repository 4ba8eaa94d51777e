# Gives inputs that have arrived their places. What is there and was cut or changed makes room. Its arguments are the folder in
# which they arrive, that of the inputs, and their names.
from=$1 to=$2
shift 2
for name; do
    touch -c -- "$from/$name"
    mv -fT -- "$from/$name" "$to/$name" 2>/dev/null || {
        chmod -R u+w -- "$to/$name"
        rm -rf -- "$to/$name" && mv -fT -- "$from/$name" "$to/$name"
    } || exit 1
    # Until this is there, it is not used.
    seal "$to/$name" >"$to/$name.seal.$$" && mv -f -- "$to/$name.seal.$$" "$to/$name.seal" || exit 1
done
