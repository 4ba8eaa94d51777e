//! The environment that the UI submits.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Fanlight;
use crate::terminal;

#[test]
fn a_run_of_the_form_uses_the_path_of_the_ui() {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("tools")).unwrap();
    let tool = fanlight.path("tools/mytool");
    std::fs::write(&tool, "#!/bin/sh\necho made by the tool\n").unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    fanlight.file("tool.yaml", "name: Tool\nnodes: { make: { run: mytool } }\n");
    // The daemon has another path than the UI.
    fanlight.say(&["daemon", "start"]).exits(0);
    let path = format!("{}:{}", fanlight.path("tools").display(), std::env::var("PATH").unwrap());
    let mut ui = terminal(&fanlight).environment([("PATH", path)]).open();
    ui.wait_for("tool.yaml");
    ui.press(&["enter"]);
    ui.wait_for("Tool");
    ui.press(&["r"]);
    ui.wait_for("Run Tool");
    ui.press(&["ctrl-s"]);
    ui.wait_for("✓ completed");
    assert_eq!(fanlight.say(&["logs", "tool#1"]).exits(0).out, "made by the tool\n");
}
