#!/usr/bin/env bash
# Takes a picture of the gallery in a real terminal: terminal.sh xterm|kitty FANLIGHT OUT.png
# Needs Xvfb, the terminal, xdotool and ImageMagick's `import`. Exits with 0 once the screen shows pictures.
set -euo pipefail
terminal=$1 fanlight=$2 out=$3

for program in Xvfb "$terminal" xdotool import identify; do
    if ! command -v "$program" >/dev/null; then
        echo "SKIPPED: a picture of $terminal needs $program, which is not installed"
        exit 0
    fi
done

folder=$(mktemp -d /tmp/flXXXXXX)
mkdir "$folder/work"
export FANLIGHT_HOME=$folder/home
stop() {
    "$fanlight" daemon stop >/dev/null 2>&1 || true
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

cd "$folder/work"
cat > prints.yaml <<'YAML'
params: { seed: { type: int, default: 1 } }
nodes:
  sky: { uses: image.generate, with: { seed: "${{ params.seed }}", style: plasma, width: 320, height: 200 } }
outputs: { sky: "${{ sky.image }}" }
YAML
"$fanlight" run prints.yaml --sweep seed=1..6 >/dev/null

# Waits until a command succeeds, three minutes at most.
wait_for() { # WHAT COMMAND…
    local what=$1 deadline=$((SECONDS + 180))
    shift
    until "$@"; do
        if [ "$SECONDS" -gt "$deadline" ]; then
            echo "error: $terminal: waited in vain for $what; see $out" >&2
            exit 1
        fi
        sleep 0.2
    done
}

# Xvfb takes a free display by itself and says which.
Xvfb -displayfd 3 -screen 0 1600x1000x24 3>"$folder/display" 2>/dev/null &
wait_for 'a display' test -s "$folder/display"
DISPLAY=:$(cat "$folder/display")
export DISPLAY

case $terminal in
    xterm)
        xterm -ti vt340 -xrm 'XTerm*decTerminalID: vt340' -xrm 'XTerm*numColorRegisters: 256' -fa Monospace -fs 8 \
            -geometry 190x60+0+0 -bg black -fg gray90 -e "$fanlight" &
        ;;
    kitty)
        LIBGL_ALWAYS_SOFTWARE=1 kitty -o font_size=8 -o initial_window_width=1590 -o initial_window_height=990 \
            -o remember_window_size=no "$fanlight" 2>/dev/null &
        ;;
    *)
        echo "error: no picture of \`$terminal\`: the terminals are xterm and kitty" >&2
        exit 2
        ;;
esac

# How many colours the screen has; text alone has a few hundred with its smooth edges.
colours() {
    import -window root "$out" && identify -format %k "$out"
}
screen() { import -window root rgb:- | md5sum; }
changed() { [ "$(screen)" != "$before" ]; }
# Presses a key and waits until the screen changes.
press() {
    before=$(screen)
    xdotool key "$1"
    wait_for 'a change' changed
}
colourful() { [ "$(colours)" -gt 1000 ]; }
still() { before=$(screen); sleep 0.5; [ "$(screen)" = "$before" ]; }

before=$(screen)
window() { [ -n "$(xdotool search --onlyvisible --class "$terminal" 2>/dev/null)" ]; }
wait_for 'its window' window
wait_for 'a screen' changed
wait_for 'a still screen' still
press Return     # the workflow that ran
wait_for 'a still screen' still
press 3          # the gallery
press z          # on the whole screen
wait_for 'pictures' colourful
wait_for 'a still screen' still
colours >/dev/null
echo "$terminal: $out"
