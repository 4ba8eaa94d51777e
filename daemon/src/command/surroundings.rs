//! What the result of a command with `remember:` depends on besides its inputs: files, variables, programs. Blocks.

mod copied;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

use fanlight_shared::workflow::Remember;

use super::environment::{Environment, submitted};
use super::folder::sentence;
use super::pattern::Pattern;
use super::program;
use crate::attempt::RunFacts;
use crate::executor::{CommandWork, Surroundings, WorkDir};
use crate::rooted::{Entry, Root, WalkEntry};
use crate::store::blob::Blobs;

/// The most files that a command can depend on.
const MAX_FILES: usize = 10_000;
/// The most bytes in them.
const MAX_BYTES: u64 = 16 << 30;

/// Checks a pattern of `remember: files`.
///
/// # Errors
/// It is not a valid pattern.
pub(crate) fn check_pattern(pattern: &str) -> Result<(), String> {
    Pattern::parse(pattern).map(|_| ())
}

/// Looks at everything that the result of a command depends on besides its inputs.
///
/// # Errors
/// A pattern matches nothing, a file can't be read or is being written, a program is missing, there is too much to read.
pub(super) fn of(
    (environment, blobs): (&Environment, &Blobs),
    run: &RunFacts,
    withheld: &[String],
    work: &CommandWork,
    remember: &Remember,
) -> Result<Surroundings, String> {
    let mut look = Look { environment, blobs, found: Surroundings::default(), bytes: 0 };
    look.variables(run, withheld, remember);
    let path = environment.path(run, withheld, &work.env);
    look.programs(work, remember, &path)?;
    if !remember.files.is_empty() {
        look.files(run, remember).map_err(|why| format!("`files` of `remember`: {why}"))?;
    }
    if let Some(WorkDir::Copy { from, exclude }) = &work.dir {
        look.copied(from, exclude).map_err(|why| format!("`copy` of `dir`: {why}"))?;
    }
    Ok(look.found)
}

struct Look<'a> {
    environment: &'a Environment,
    blobs: &'a Blobs,
    found: Surroundings,
    bytes: u64,
}

impl Look<'_> {
    fn add(&mut self, name: String, part: Vec<u8>) {
        self.found.parts.push((name, part));
    }

    /// Adds the variables that the submitter passed, and the daemon's variables that are named.
    fn variables(&mut self, run: &RunFacts, withheld: &[String], remember: &Remember) {
        // Where programs are is a part of each program.
        for (name, value) in submitted(run, withheld).filter(|(name, _)| *name != "PATH") {
            self.add(format!("env {name}"), value.as_bytes().to_vec());
        }
        for name in &remember.env {
            let value = self.environment.passed().find(|(passed, _)| *passed == name.as_str());
            if let Some((_, value)) = value {
                self.add(format!("daemon's env {name}"), value.as_encoded_bytes().to_vec());
            }
        }
    }

    /// Adds the program or shell of the command, and those that it starts.
    fn programs(&mut self, work: &CommandWork, remember: &Remember, path: &OsStr) -> Result<(), String> {
        // A program that is not found fails the attempt, which says so.
        if let Some(own) = program::of_work(work, path)? {
            self.program("program".to_owned(), &own)?;
        }
        for tool in &remember.tools {
            let found = program::find(tool, path).ok_or_else(|| {
                let searched = super::text::line(&path.to_string_lossy());
                format!("`tools` of `remember`: there is no program `{tool}` in PATH ({searched})")
            })?;
            self.program(format!("tool {tool}"), &found)?;
        }
        Ok(())
    }

    /// Adds a program: its path, since one in a virtual environment behaves differently, and its content.
    fn program(&mut self, name: String, path: &Path) -> Result<(), String> {
        let file = File::open(path).map_err(|error| sentence("can't read", path, &error))?;
        let hash = self.hash(&file, path)?;
        self.add(name, [path.as_os_str().as_encoded_bytes(), &[0], &hash].concat());
        Ok(())
    }

    /// Adds the files that match the patterns.
    fn files(&mut self, run: &RunFacts, remember: &Remember) -> Result<(), String> {
        let project = run
            .project
            .as_deref()
            .ok_or("files are found relative to the workflow file, and this workflow has none")?;
        let root = Root::open(project).map_err(|error| sentence("can't read", project, &error))?;
        let mut paths = BTreeSet::new();
        for pattern in &remember.files {
            let before = paths.len();
            let mut matches = 0_usize;
            Pattern::parse(pattern)?.find(&root, &mut |path, met| {
                match met {
                    WalkEntry::File(_) => {
                        matches += 1;
                        paths.insert(path.to_owned());
                    }
                    WalkEntry::Unreadable => return Err(format!("`{}` can't be read", path.display())),
                    WalkEntry::BrokenLink(_, refusal) => {
                        return Err(format!("`{}`: {refusal}", path.display()));
                    }
                    WalkEntry::Other(word) => {
                        return Err(format!("`{}` is {word}, not a file", path.display()));
                    }
                    WalkEntry::Passed => {
                        return Err(format!(
                            "`{}` is a link to a folder that `{pattern}` does not enter, so changes there would be \
                             missed; replace it by what it leads to, or write patterns that don't reach it",
                            path.display()
                        ));
                    }
                    WalkEntry::Folder | WalkEntry::Link(_) | WalkEntry::TooDeep => {}
                }
                match paths.len() {
                    0..=MAX_FILES => Ok(()),
                    _ => Err(format!("more than {MAX_FILES} files match")),
                }
            })?;
            if matches == 0 && before == paths.len() {
                let hint = if project.join(pattern).is_dir() {
                    format!("; it is a folder: write `{}/**`", pattern.trim_end_matches('/'))
                } else {
                    String::new()
                };
                return Err(format!("no file in {} matches `{pattern}`{hint}", project.display()));
            }
        }
        for path in paths {
            let file = match root.entry(&path) {
                Ok(Entry::File(file)) => file,
                Ok(Entry::Folder(_)) => return Err(format!("`{}` is a folder now", path.display())),
                Err(refusal) => return Err(format!("`{}`: {refusal}", path.display())),
            };
            let hash = self.hash(&file, &project.join(&path))?;
            self.add(format!("file {}", path.to_string_lossy()), hash);
            // Names that differ only in what is not text stay apart.
            if path.to_str().is_none() {
                self.add("name".to_owned(), path.as_os_str().as_encoded_bytes().to_vec());
            }
        }
        Ok(())
    }

    /// Returns the hash of a file, and notes when it was written last.
    fn hash(&mut self, file: &File, path: &Path) -> Result<Vec<u8>, String> {
        let bytes = file.metadata().map_err(|error| sentence("can't read", path, &error))?.len();
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES {
            return Err(format!("there are more than {} GiB to read", MAX_BYTES >> 30));
        }
        let read = self.blobs.refer(file, &path.to_string_lossy());
        let read = read.map_err(|error| error.to_string())?;
        self.found.times.extend([read.source.modified_us, read.source.changed_us]);
        Ok(read.hash.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests;
