//! The daemon as a service of the user.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::support::Fanlight;

/// Runs a command with a program called `systemctl` that writes down its calls, or fails with this message.
fn say(fanlight: &Fanlight, arguments: &[&str], failure: Option<&str>) -> Output {
    let folder = fanlight.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let script = match failure {
        None => format!("#!/bin/sh\necho \"$@\" >>'{}'\n", fanlight.path("calls").display()),
        Some(message) => format!("#!/bin/sh\necho '{message}' >&2\nexit 1\n"),
    };
    std::fs::write(folder.join("systemctl"), script).unwrap();
    std::fs::set_permissions(folder.join("systemctl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    crate::support::output(fanlight.command(arguments).env("PATH", path))
}

fn units(fanlight: &Fanlight) -> Vec<PathBuf> {
    let home = PathBuf::from(&fanlight.environment()[1].1);
    let entries = std::fs::read_dir(home.join(".config/systemd/user")).into_iter().flatten();
    entries.map(|it| it.unwrap().path()).collect()
}

fn calls(fanlight: &Fanlight) -> Vec<String> {
    let calls = std::fs::read_to_string(fanlight.path("calls")).unwrap_or_default();
    std::fs::write(fanlight.path("calls"), "").unwrap();
    calls.lines().map(str::to_owned).collect()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn name(unit: &Path) -> &str {
    unit.file_name().unwrap().to_str().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_service_is_shown_installed_and_removed() {
    let fanlight = Fanlight::new();
    let shown = say(&fanlight, &["daemon", "install", "--dry-run"], None);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("Restart=on-failure") && units(&fanlight).is_empty(), "{shown}");
    let path = format!("Environment=\"PATH={}:/usr/bin:/bin\"\n", fanlight.path("bin").display());
    assert!(shown.contains(&path), "{shown}");
    let said = say(&fanlight, &["daemon", "install"], None);
    assert!(said.status.success() && err(&said).contains("loginctl enable-linger"), "{}", err(&said));
    let unit = units(&fanlight).remove(0);
    assert!(shown.ends_with(&std::fs::read_to_string(&unit).unwrap()));
    let enable = format!("--user enable --now {}", name(&unit));
    assert_eq!(calls(&fanlight), ["--user daemon-reload", enable.as_str()]);
    // Installed twice, while a daemon runs: the service must not start a second one.
    fanlight.say(&["daemon", "start"]).exits(0);
    let said = err(&say(&fanlight, &["daemon", "install"], None));
    assert!(said.contains("exists already") && said.contains("a daemon runs already"), "{said}");
    assert_eq!(calls(&fanlight)[1], format!("--user enable {}", name(&unit)));
    let said = err(&say(&fanlight, &["daemon", "uninstall"], None));
    assert!(said.contains("removed") && units(&fanlight).is_empty(), "{said}");
    let disable = format!("--user disable {}", name(&unit));
    assert_eq!(calls(&fanlight), [disable.as_str(), "--user daemon-reload"]);
    let said = err(&say(&fanlight, &["daemon", "uninstall"], None));
    assert!(said.contains("nothing was removed"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_manager_that_does_not_run_is_reported() {
    let fanlight = Fanlight::new();
    let said = say(&fanlight, &["daemon", "install"], Some("Failed to connect to bus"));
    assert_eq!(said.status.code(), Some(1));
    let said = err(&said);
    assert!(said.contains("`systemctl --user daemon-reload` failed: Failed to connect to bus"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_service_is_that_of_the_folders_that_were_moved() {
    let fanlight = Fanlight::new();
    let home = PathBuf::from(&fanlight.environment()[1].1);
    let shown = |data: &str| {
        let mut command = fanlight.command(&["daemon", "install", "--dry-run"]);
        command.env_remove("FANLIGHT_HOME").env("XDG_DATA_HOME", home.join(data));
        command.env("XDG_STATE_HOME", home.join(".local/state"));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let (one, other, usual) = (shown("one"), shown("other"), shown(".local/share"));
    let line = format!("Environment=\"XDG_DATA_HOME={}\"\n", home.join("one").display());
    assert!(one.contains(&line), "{one}");
    assert_ne!(one.lines().next(), other.lines().next(), "each has a service of its own");
    assert!(usual.lines().next().unwrap().ends_with("/fanlight.service"), "{usual}");
    assert!(!usual.contains("XDG_"), "{usual}");
}
