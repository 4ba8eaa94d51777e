//! The program to start: a shell with the script, or the program of a `cmd:`.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fanlight_shared::workflow::Shell;

use crate::executor::{Argument, CommandWork, Program};

/// The options of bash: a script ends with the first command that fails.
const BASH: [&str; 3] = ["-e", "-o", "pipefail"];

/// A program with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
}

impl Invocation {
    fn new(program: impl Into<OsString>, arguments: &[&str], script: &Path) -> Self {
        let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        arguments.push(script.into());
        Self { program: program.into(), arguments }
    }
}

/// Returns the invocation for the script at `script`; programs are searched in `path`.
///
/// # Errors
/// The shell was not found; the sentence says where it was searched and what to do.
pub(super) fn of_script(shell: &Shell, script: &Path, path: &OsStr) -> Result<Invocation, String> {
    let searched = format!("PATH ({})", super::text::line(&path.to_string_lossy()));
    let first = |names: &[&str]| names.iter().find_map(|name| find(name, path));
    match shell {
        Shell::Default => match (find("bash", path), find("sh", path)) {
            (Some(bash), _) => Ok(Invocation::new(bash, &BASH, script)),
            (None, Some(sh)) => Ok(Invocation::new(sh, &["-e"], script)),
            (None, None) => Err(format!("no shell: neither `bash` nor `sh` is in {searched}")),
        },
        Shell::Bash => find("bash", path).map(|bash| Invocation::new(bash, &BASH, script)).ok_or_else(|| {
            format!("`shell: bash`, but there is no `bash` in {searched}; install it or use `shell: sh`")
        }),
        Shell::Sh => find("sh", path)
            .map(|sh| Invocation::new(sh, &["-e"], script))
            .ok_or_else(|| format!("`shell: sh`, but there is no `sh` in {searched}")),
        Shell::Python => first(&["python3", "python"])
            .map(|python| Invocation::new(python, &[], script))
            .ok_or_else(|| format!("`shell: python`, but neither `python3` nor `python` is in {searched}")),
        Shell::Program(words) => of_words(words, script),
    }
}

/// Returns the invocation for the script at `script` on another machine, which finds the shell in its own `PATH`.
///
/// # Errors
/// `shell:` has no program.
pub(super) fn by_name(shell: &Shell, script: &Path) -> Result<Invocation, String> {
    Ok(match shell {
        Shell::Default | Shell::Bash => Invocation::new("bash", &BASH, script),
        Shell::Sh => Invocation::new("sh", &["-e"], script),
        Shell::Python => Invocation::new("python3", &[], script),
        Shell::Program(words) => return of_words(words, script),
    })
}

fn of_words(words: &[String], script: &Path) -> Result<Invocation, String> {
    let (program, arguments) = words.split_first().ok_or("`shell:` has no program")?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Ok(Invocation::new(program, &arguments, script))
}

/// Returns the file of the own program of a command, or of its shell; `None` if it is not found, or depends on the folder.
///
/// # Errors
/// There is no shell.
pub(super) fn of_work(work: &CommandWork, path: &OsStr) -> Result<Option<PathBuf>, String> {
    let own = match &work.program {
        // Where the script will be makes no difference.
        Program::Script { shell, .. } => Some(PathBuf::from(of_script(shell, Path::new(""), path)?.program)),
        Program::Arguments(words) => match words.first() {
            Some(Argument::Text(word)) => Some(PathBuf::from(word)),
            Some(Argument::Media(_)) | None => None,
        },
    };
    let own = own.and_then(|own| match own.components().count() {
        1 if !own.is_absolute() => find(own.to_str()?, path),
        _ => own.is_absolute().then_some(own),
    });
    Ok(own.filter(|own| own.is_file()))
}

/// Returns the first executable file with this name in the folders of `path`; relative folders are ignored.
pub(super) fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        folder
    }
    fn words(shell: &Shell, names: &[&str]) -> Result<String, String> {
        let folder = folder_with(names);
        let made = of_script(shell, Path::new("/s"), folder.path().as_os_str())?;
        let name = Path::new(&made.program).file_name().unwrap().to_owned();
        let all: Vec<_> =
            std::iter::once(&name).chain(&made.arguments).map(|it| it.to_str().unwrap()).collect();
        Ok(all.join(" "))
    }

    #[test]
    fn scripts_run_with_an_installed_shell() {
        assert_eq!(words(&Shell::Default, &["bash", "sh"]).unwrap(), "bash -e -o pipefail /s");
        assert_eq!(words(&Shell::Default, &["sh"]).unwrap(), "sh -e /s");
        assert_eq!(words(&Shell::Python, &["python"]).unwrap(), "python /s");
        assert_eq!(words(&Shell::Python, &["python", "python3"]).unwrap(), "python3 /s");
        let node = Shell::Program(vec!["node".into(), "--flag".into()]);
        assert_eq!(words(&node, &[]).unwrap(), "node --flag /s");
    }

    #[test]
    fn a_missing_shell_is_named() {
        assert!(words(&Shell::Bash, &["sh"]).unwrap_err().contains("no `bash`"));
        assert!(words(&Shell::Default, &[]).unwrap_err().contains("neither `bash` nor `sh`"));
        assert!(words(&Shell::Python, &["sh"]).unwrap_err().contains("python3"));
    }
}
