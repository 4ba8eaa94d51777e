//! The trials of a search, which fill its screen while they end.

use crate::support::Fanlight;
use crate::ui;

/// The loss is least at 3, and 2 fails. A run waits for a file with its number.
const HILL: &str = "params: { x: { type: int, default: 1 } }
search:
  space: { x: 1..4 }
  minimize: loss
  sampler: grid
nodes:
  climb:
    dir: .
    with: { x: \"${{ params.x }}\", number: \"${{ run.number }}\" }
    run: |
      until [ -e go ] || [ -e \"go-$number\" ]; do sleep 0.05; done
      [ \"$x\" != 2 ] || exit 1
      echo \"{\\\"loss\\\": $(((x - 3) * (x - 3)))}\"
    outputs: { loss: { json: loss, type: float } }
outputs: { loss: \"${{ climb.loss }}\" }
";

#[test]
fn the_trials_of_a_search_are_watched_until_the_best_is_pinned() {
    let fanlight = Fanlight::new();
    fanlight.file("hill.yaml", HILL);
    fanlight.say(&["run", "hill.yaml", "--search", "--parallel", "1", "--detach"]).exits(0);
    let mut ui = ui(&fanlight);
    ui.wait_for("hill.yaml");
    ui.press(&["enter"]);
    ui.wait_for("trial 1 of 4");
    ui.press(&["2", "g", "g", "j"]);
    ui.wait_for("H trials of the search");
    ui.press(&["H"]);
    ui.wait_for_all(&["hill/1 · loss ▼ · grid", "trial 1 of 4", "nothing found yet", "#1     running"]);

    // They are read again while they end, without any key.
    fanlight.file("go-1", "");
    ui.wait_for_all(&["trial 2 of 4: 1 ", "#2     running"]);
    fanlight.file("go", "");
    ui.wait_for_all(&["trial 4 of 4: 3 completed, 1 failed", "loss 0 with x=3", "failed  x=2"]);

    // The best is put first, and the lens goes to it.
    let place =
        |screen: &vt100::Screen, text: &str| screen.contents().lines().position(|line| line.contains(text));
    ui.press(&["o"]);
    ui.wait("the best on top and the failed one last", |screen| {
        let places =
            ["loss 0  x=3", "loss 1  x=4", "loss 4  x=1", "failed  x=2"].map(|text| place(screen, text));
        places.iter().all(Option::is_some) && places.is_sorted()
    });
    ui.press(&["enter"]);
    ui.wait("the lens on the best", |screen| {
        screen.contents().lines().next().is_some_and(|line| line.contains("x=3") && line.contains("pinned"))
    });
}
