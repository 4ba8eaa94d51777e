//! Products of runs side by side: pictures, folders, and a sheet of all.

use super::terminal;
use crate::support::Fanlight;

/// A picture, and a folder of which one file depends on the seed.
const SITE: &str = "params:
  seed: { type: int, default: 1 }
nodes:
  sky: { uses: image.generate, with: { width: 64, height: 32, seed: \"${{ params.seed }}\" } }
  build:
    with: { seed: \"${{ params.seed }}\", sky: \"${{ sky.image }}\" }
    run: |
      mkdir site
      echo \"seed = $seed\" > site/page.toml
      echo same > site/same.txt
    outputs: { site: { path: site, type: dir } }
outputs: { sky: \"${{ sky.image }}\", site: \"${{ build.site }}\" }
";

#[test]
fn pictures_and_folders_of_two_runs_are_compared() {
    let fanlight = Fanlight::new();
    fanlight.file("site.yaml", SITE);
    fanlight.say(&["run", "site.yaml", "--sweep", "seed=1,2"]).exits(0);
    let mut ui = terminal(&fanlight).size(120, 36).open();
    ui.wait_for("site.yaml");
    ui.press(&["enter"]);
    ui.wait_for("✓ completed");
    ui.press(&["T"]);
    ui.wait_for("2 of 2 runs");
    ui.press(&["space", "space", "c"]);
    ui.wait_for_all(&["Compare 2", "sky.image"]);
    ui.press(&["d"]);
    ui.wait_for("of 2048 pixels differ");
    ui.press(&["s"]);
    ui.wait_for("site#2 │ site#1");
    ui.press(&[">", "<", "esc", "l"]);
    ui.wait_for("build.site");
    ui.press(&["enter"]);
    ui.wait_for_all(&["site#2 and site#1 · 1 changed · 1 equal", "page.toml", "+1 -1"]);
    ui.press(&["enter"]);
    ui.wait_for_all(&["- seed = 2", "+ seed = 1"]);
    ui.press(&["esc", "esc", "esc", "esc"]);
    ui.wait_gone("2 of 2 runs");

    ui.press(&["Y"]);
    ui.wait_for_all(&["seed=1", "seed=2", "sky.image · 2 runs"]);
    ui.press(&["enter"]);
    ui.wait_for("site#1 seed=1 · sky.image");
}
