//! The processes of a home, found in `/proc`.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Fanlight;

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    Daemon,
    Supervisor,
}

/// Kills it, if it runs. Returns whether it did.
pub(crate) fn kill(fanlight: &Fanlight, what: Kill) -> bool {
    let home = fanlight.path("../h").canonicalize().unwrap();
    let word = if what == Kill::Daemon { "daemon" } else { "supervisor" };
    let mut killed = false;
    for (pid, folder) in processes() {
        let Ok(line) = std::fs::read(folder.join("cmdline")) else { continue };
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        // A daemon gets its home from the environment, a supervisor from its arguments.
        let ours = match what {
            Kill::Daemon => {
                words.iter().any(|it| it == "--detached")
                    && variable(&folder, "FANLIGHT_HOME").is_some_and(|it| home == Path::new(&it))
            }
            Kill::Supervisor => words.iter().any(|it| Path::new(&**it).starts_with(&home)),
        };
        if ours && words.get(1).is_some_and(|it| it == word) {
            killed |= kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).is_ok();
        }
    }
    killed
}

/// Returns the live processes of attempts of this home.
pub(crate) fn of_attempts(fanlight: &Fanlight) -> Vec<String> {
    let home = fanlight.path("../h").canonicalize().unwrap();
    processes()
        .into_iter()
        .filter(|(_, folder)| {
            variable(folder, "FANLIGHT_ATTEMPT").is_some()
                && variable(folder, "FANLIGHT_WORK").is_some_and(|it| PathBuf::from(it).starts_with(&home))
        })
        .map(|(pid, folder)| {
            let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
            format!("{pid} {}", String::from_utf8_lossy(&line).replace('\0', " "))
        })
        .collect()
}

fn processes() -> Vec<(i32, PathBuf)> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|it| Some((it.file_name().to_str()?.parse().ok()?, it.path()))).collect()
}

fn variable(folder: &Path, name: &str) -> Option<String> {
    let all = std::fs::read(folder.join("environ")).ok()?;
    all.split(|byte| *byte == 0).find_map(|it| {
        let text = String::from_utf8_lossy(it);
        text.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    })
}
