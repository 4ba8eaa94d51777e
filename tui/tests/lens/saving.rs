//! Products go from the gallery to files.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Fanlight;
use crate::ui;

/// Builds a program and a folder with a program in it.
const BUILD: &str = r#"name: Build
nodes:
  build:
    run: |
      mkdir -p kit/bin
      printf '#!/bin/sh\necho hello\n' > hello
      cp hello kit/bin/hello
      chmod +x hello kit/bin/hello
    outputs:
      program: { path: hello, type: file }
      kit: { path: kit, type: dir }
"#;

#[test]
fn a_program_saved_from_the_gallery_can_be_executed_and_a_folder_has_its_files() {
    let fanlight = Fanlight::new();
    fanlight.file("build.yaml", BUILD);
    fanlight.say(&["run", "build.yaml"]).exits(0);
    let mut ui = ui(&fanlight);
    ui.wait_for("build.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["Done 1", "dir · ", "#!/bin/sh"]);
    for (key, name) in [("g", "first"), ("G", "second")] {
        ui.press(&["3", key, key, "S"]);
        ui.wait_for("Save ");
        ui.press(&["ctrl-u"]);
        ui.type_text(name);
        ui.press(&["enter"]);
        ui.wait("a new file", |_| fanlight.path(name).exists());
        ui.wait_gone("Save ");
    }
    let paths = [fanlight.path("first"), fanlight.path("second")];
    let (folder, program) = if paths[0].is_dir() { (&paths[0], &paths[1]) } else { (&paths[1], &paths[0]) };
    for built in [program.clone(), folder.join("bin/hello")] {
        assert_eq!(std::fs::read_to_string(&built).unwrap(), "#!/bin/sh\necho hello\n");
        let mode = built.metadata().unwrap().permissions().mode();
        assert_ne!(mode & 0o100, 0, "{} can't be executed: {mode:o}", built.display());
    }
}
