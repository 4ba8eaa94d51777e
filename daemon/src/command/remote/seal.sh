# Prints what is known of an input without reading it: its files with their sizes and times. The time of the last change of
# a file is set by nobody, so that other bytes of the same length are noticed.
seal() { # PATH
    find "$1" -type f -printf '%P %s %T@ %C@\n' -o -printf '%P %y\n' | LC_ALL=C sort
}
