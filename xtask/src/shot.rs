//! `cargo xtask shot`: scenes of the real UI in a real terminal, as pictures.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{cargo, root, run};

/// Plays the named scenes, or all, and makes a picture of each.
#[allow(clippy::print_stderr)]
pub(crate) fn shoot(scenes: &[String]) -> ExitCode {
    let folder = root().join("target/shots");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("error: {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let mut play =
        cargo(&["test", "-p", "fanlight", "--test", "lens", "--", "--ignored", "--nocapture", "shots"]);
    play.env("FANLIGHT_SHOTS", &folder).env("FANLIGHT_SCENES", scenes.join(" "));
    let code = run(&mut play);
    if code != ExitCode::SUCCESS {
        return code;
    }
    for (screen, size) in screens(&folder) {
        let name = screen.name.as_str();
        if !scenes.is_empty() && !scenes.iter().any(|it| it == name) {
            continue;
        }
        let picture = folder.join(format!("{name}.png"));
        let mut draw = Command::new("termshot");
        draw.arg("render").arg(&screen.path).arg("-o").arg(&picture).arg("--no-rounded");
        draw.args(["-c", size.0.as_str(), "-r", size.1.as_str()]);
        let code = run(&mut draw);
        if code != ExitCode::SUCCESS {
            eprintln!(
                "hint: `cargo install termshot` brings what draws; the screens are in {}",
                folder.display()
            );
            return code;
        }
    }
    ExitCode::SUCCESS
}

/// Makes a picture of the gallery in a real terminal.
#[allow(clippy::print_stderr)]
pub(crate) fn terminal(name: &str) -> ExitCode {
    let folder = root().join("target/shots");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("error: {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let code = run(&mut cargo(&["build", "-p", "fanlight"]));
    if code != ExitCode::SUCCESS {
        return code;
    }
    let mut script = Command::new("xtask/terminal.sh");
    script.arg(name).arg(root().join("target/debug/fanlight")).arg(folder.join(format!("{name}.png")));
    run(&mut script)
}

/// The result of a scene.
struct Screen {
    name: String,
    path: PathBuf,
}

/// Returns the screens in the folder, each with its columns and rows: `NAME.160x48.ansi`.
fn screens(folder: &Path) -> Vec<(Screen, (String, String))> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let screen = |path: PathBuf| {
        let file = path.file_name()?.to_str()?;
        let (name, size) = file.strip_suffix(".ansi")?.rsplit_once('.')?;
        let (columns, rows) = size.split_once('x')?;
        let (name, size) = (name.to_owned(), (columns.to_owned(), rows.to_owned()));
        Some((Screen { name, path }, size))
    };
    let mut screens: Vec<_> = entries.filter_map(|entry| screen(entry.path())).collect();
    screens.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    screens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_says_how_large_it_is() {
        let folder = std::env::temp_dir().join(format!("fanlight-shots-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("small.80x24.ansi"), "").unwrap();
        std::fs::write(folder.join("other.png"), "").unwrap();
        let found = screens(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0.name.as_str(), &found[0].1), ("small", &("80".to_owned(), "24".to_owned())));
    }
}
