//! The curves of a sweep, which grow while they are looked at.

use crate::support::Fanlight;
use crate::ui;

const DESCENT: &str = "name: Descent
params: { rate: { type: int, default: 1 } }
nodes:
  train:
    dir: .
    with: { rate: \"${{ params.rate }}\" }
    run: |
      tell() { echo '{\"type\":\"metric\",\"name\":\"'$1'\",\"value\":'$2',\"step\":'$3',\"goal\":\"min\"}' >> \"$FANLIGHT_EVENTS\"; }
      for step in 0 1 2 3 4 5 6 7 8 9; do
        tell loss $((100 / (step * rate + 1))) $step
        tell height $((step * rate)) $step
      done
      while [ ! -e go ]; do sleep 0.05; done
      tell loss -$rate$rate$rate 10
      while [ ! -e end ]; do sleep 0.05; done
";

#[test]
fn the_curves_of_a_sweep_grow_while_they_are_on_screen() {
    let fanlight = Fanlight::new();
    // The commands of all three run at once.
    fanlight.config("[pools]\nprocess = 6\n");
    fanlight.file("descent.yaml", DESCENT);
    fanlight.say(&["run", "descent.yaml", "--sweep", "rate=1..3", "--detach"]).exits(0);
    let mut ui = ui(&fanlight);
    ui.wait_for("descent.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["Running 3", "▌ "]);
    ui.press(&["V"]);
    ui.wait_for_all(&[
        "Curves · sweep descent/1 · 3 runs",
        "loss  by step",
        "#1 rate=1",
        "#3 rate=3",
        "height",
    ]);
    ui.wait_for_all(&["10", "5", "3"]);

    // New points arrive without any key, and the legend follows.
    fanlight.file("go", "");
    ui.wait_for_all(&["-111", "-222", "-333", "★ -333"]);

    // A cursor reads all runs at one step; another metric is enlarged.
    ui.press(&["l"]);
    ui.wait_for_all(&["at 0", "100"]);
    ui.press(&["esc"]);
    ui.wait_gone("at 0");
    ui.press(&["tab"]);
    ui.wait_for("height  by step");
    ui.press(&["x"]);
    ui.wait_for("height  by time");

    fanlight.file("end", "");
    ui.press(&["esc"]);
    ui.wait_for("Done 3");
}
