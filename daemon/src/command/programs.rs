//! The files of the programs that a command ran, for the lineage of what it made. Blocks.

use std::fs::File;
use std::path::Path;

use fanlight_shared::lineage::ProgramFile;
use fanlight_shared::run_state::MAX_PROGRAMS;
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;

use super::environment::Environment;
use super::program;
use crate::attempt::Attempt;
use crate::executor::{Argument, CommandWork, Program};
use crate::secret::Secrets;
use crate::store::blob::Blobs;

/// Larger files are left out: hashing them takes long.
const MAX_BYTES: u64 = 1 << 30;
/// The longest name and path, in bytes.
const MAX_PATH_BYTES: usize = 1024;
/// How far the times of files may be behind the clock.
const CLOCK_STEP_US: i64 = 20_000;

/// Returns the files of the programs of a command that ended: its own one or its shell, and those of `remember: { tools }`.
/// Left out is what can't be read, what has changed since the command `started`, and paths with a secret in them.
pub(super) fn of(
    attempt: &Attempt,
    work: &CommandWork,
    (environment, blobs, secrets): (&Environment, &Blobs, &Secrets),
    started: Time,
) -> Vec<ProgramFile> {
    // Those of another machine are not seen here.
    if !environment.is_here() {
        return Vec::new();
    }
    let path = environment.path(&attempt.run, &attempt.withheld, &work.env);
    let own = program::of_work(work, &path).ok().flatten();
    let own = own.map(|own| (own_name(work, &own), own));
    let tools = work.remember.iter().flat_map(|remember| &remember.tools);
    let tools = tools.filter_map(|tool| Some((tool.clone(), program::find(tool, &path)?)));
    let found = own.into_iter().chain(tools).take(MAX_PROGRAMS);
    let files = found.filter_map(|(name, path)| file(name, &path, blobs, started));
    files.filter(|file| secrets.find(&file.path).is_none() && secrets.find(&file.name).is_none()).collect()
}

/// Returns the name of the own program as the file of the workflow has it, else that of the shell that was found.
fn own_name(work: &CommandWork, found: &Path) -> String {
    let named = match &work.program {
        Program::Script { shell, .. } => shell.name(),
        Program::Arguments(words) => words.first().and_then(|word| match word {
            Argument::Text(text) => Some(text.as_str()),
            Argument::Media(_) => None,
        }),
    };
    let found = || found.file_name().map(|name| name.to_string_lossy().into_owned());
    sanitise::line(&named.map(str::to_owned).or_else(found).unwrap_or_default())
}

fn file(name: String, path: &Path, blobs: &Blobs, started: Time) -> Option<ProgramFile> {
    let file = File::open(path).ok()?;
    let path = path.to_string_lossy();
    if file.metadata().ok()?.len() > MAX_BYTES || name.len().max(path.len()) > MAX_PATH_BYTES {
        return None;
    }
    let read = blobs.refer(&file, &path).ok()?;
    let is_older = read.source.changed_us < started.0.saturating_mul(1_000).saturating_sub(CLOCK_STEP_US);
    is_older.then(|| ProgramFile {
        name,
        path: sanitise::line(&path),
        bytes: read.bytes,
        modified: Time(read.source.modified_us / 1_000),
        hash: read.hash,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use fanlight_shared::home::Home;
    use fanlight_shared::id::BlobHash;

    use super::*;
    use crate::command::fixture;
    use crate::store::Store;

    #[test]
    fn a_program_is_known_by_its_path_and_its_bytes_unless_it_has_changed_since() {
        let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tool = folder.path().join("tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        let store = Store::open(&Home::below(home.path()).unwrap()).unwrap();
        let words = vec![Argument::Text("tool".into()), Argument::Text("--fast".into())];
        let mut work = CommandWork { program: Program::Arguments(words), ..fixture::work() };
        work.env.insert("PATH".into(), folder.path().to_str().unwrap().into());
        let attempt = fixture::attempt();
        let environment = Environment::inherit(std::iter::empty(), &[]);
        let of =
            |started| super::of(&attempt, &work, (&environment, store.blobs(), &Secrets::default()), started);
        let later = Time(Time::now().0 + 5_000);
        let found = of(later);
        assert_eq!((found.len(), found[0].name.as_str()), (1, "tool"));
        assert_eq!((found[0].bytes, found[0].hash), (10, BlobHash::of(b"#!/bin/sh\n")));
        assert!(found[0].path.ends_with("/tool"));
        assert_eq!(of(Time(later.0 - 60_000)), [], "it was written after that");
        std::fs::remove_file(&tool).unwrap();
        assert_eq!(of(later), []);
    }
}
