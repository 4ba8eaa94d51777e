//! The files through which the daemon and the runner of a job know of each other, in the folder of the attempt that both
//! see. Each is written under another name and renamed, so a reader sees all of it or nothing.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use fanlight_shared::time::Time;

use crate::command::folder::{new_file, sentence};
use crate::file_error::FileError;
use crate::rooted::{Refusal, create_own, open_own};
use crate::supervisor::client::StartSpec;

/// The script of a job.
const RUNNER: &str = include_str!("runner.sh");
/// The longest file that the runner writes for the daemon, in bytes.
const MAX_BYTES: u64 = 4096;

/// The output of the job itself, before and after its command.
pub(super) const JOB_LOG: &str = "job.log";
/// The command's standard output, as it wrote it.
pub(super) const STDOUT: &str = "stdout";
/// The command's standard error, as it wrote it.
pub(super) const STDERR: &str = "stderr";

/// The file that keeps the command from starting.
pub(super) const CANCEL: &str = "cancel";
/// What the one job that runs the command makes first.
const FENCE: &str = "fence";
/// The files by which the runner says what happens, and the output that it counts.
pub(super) const SAID: [&str; 6] = ["started", "exit", "alive", JOB_LOG, STDOUT, STDERR];
/// The script that places its inputs on a cluster that shares no folder with this machine, its list, and its lock.
pub(super) const PLACING: [&str; 3] = ["place.sh", "inputs.list", "place.lock"];
/// The file with the reports of the command.
pub(super) const EVENTS: &str = "events.jsonl";
/// The file with the variables of the command, and so its secrets, until its job reads it.
pub(super) const START: &str = "start";

/// The file `started`: the one job that runs the command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Started {
    /// Its id.
    pub(super) job: String,
    /// The node of the cluster.
    pub(super) host: String,
    /// When, by the clock of that node.
    pub(super) at: Time,
}

/// The file `exit`: how the command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RunnerExit {
    /// The job that ran it.
    pub(super) job: String,
    /// Its exit code; 128 and the number of a signal for one that was killed.
    pub(super) code: i32,
    /// Whether the job was told to end before the command did.
    pub(super) told: bool,
    /// When, by the clock of that node.
    pub(super) at: Time,
    /// How much it wrote to its standard output, in bytes.
    pub(super) stdout: u64,
    /// How much it wrote to its standard error, in bytes.
    pub(super) stderr: u64,
    /// Whether not all of that could be written.
    pub(super) cut: bool,
}

/// What the runner has said so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    pub(super) started: Option<Started>,
    pub(super) exit: Option<RunnerExit>,
    /// Changes while it runs.
    pub(super) alive: Option<String>,
}

/// Writes the runner and what it starts, for an attempt whose folder was laid out.
///
/// # Errors
/// The disk is full, or a variable has a name that a shell can't set.
pub(super) fn lay_out(spec: &StartSpec, files: &Path, prelude: &str) -> Result<(), FileError> {
    let write = |name: &str, bytes: &[u8]| {
        let path = files.join(name);
        let written = new_file(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| sentence("can't write", &path, &error))
    };
    write("runner.sh", RUNNER.as_bytes())?;
    write("prelude", format!("{}\n", prelude.trim_end()).as_bytes())?;
    write(START, &start(spec)?)
}

/// Returns the lines of shell that set the variables of a command, and its words as `$@`.
fn start(spec: &StartSpec) -> Result<Vec<u8>, FileError> {
    let mut lines = Vec::new();
    for (name, value) in &spec.env {
        let is_name = name.to_str().is_some_and(|name| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !name.starts_with(|first: char| first.is_ascii_digit())
        });
        if !is_name {
            let name = name.to_string_lossy();
            let why = format!("a shell can't set the variable `{}`", fanlight_shared::sanitise::line(&name));
            return Err(format!("{why}, so its command can't run on an engine").into());
        }
        lines.extend_from_slice(b"export ");
        lines.extend_from_slice(name.as_bytes());
        lines.push(b'=');
        quote(value, &mut lines);
        lines.push(b'\n');
    }
    lines.extend_from_slice(b"export FANLIGHT_ATTEMPT=");
    lines.extend_from_slice(spec.id.to_string().as_bytes());
    lines.extend_from_slice(b"\ncd -- ");
    quote(spec.cwd.as_os_str(), &mut lines);
    lines.extend_from_slice(b" || exit 97\nset --");
    for word in std::iter::once(&spec.program).chain(&spec.arguments) {
        lines.push(b' ');
        quote(word, &mut lines);
    }
    lines.push(b'\n');
    Ok(lines)
}

/// Quotes a text for a shell.
fn quote(text: &OsStr, into: &mut Vec<u8>) {
    into.push(b'\'');
    for byte in text.as_bytes() {
        match byte {
            b'\'' => into.extend_from_slice(b"'\\''"),
            byte => into.push(*byte),
        }
    }
    into.push(b'\'');
}

/// Reads what the runner has said so far.
///
/// # Errors
/// A file can't be read, or is not one of the runner's; or the folder is not there, as when its file system is not mounted.
pub(super) fn said(files: &Path) -> Result<Said, String> {
    fs::metadata(files).map_err(|error| format!("can't read {}: {error}", files.display()))?;
    let started = read(files, "started")?.map(|text| {
        let facts = Facts(&text);
        Some(Started { job: facts.text("job")?, host: facts.text("host")?, at: facts.time()? })
    });
    let exit = read(files, "exit")?.map(|text| {
        let facts = Facts(&text);
        Some(RunnerExit {
            job: facts.text("job")?,
            code: facts.number("code")?,
            told: facts.number::<u32>("told")? > 0,
            at: facts.time()?,
            stdout: facts.number("stdout")?,
            stderr: facts.number("stderr")?,
            cut: facts.number::<u32>("cut")? != 0,
        })
    });
    let damaged = |name: &str| format!("{} is damaged", files.join(name).display());
    Ok(Said {
        started: started.map(|it| it.ok_or_else(|| damaged("started"))).transpose()?,
        exit: exit.map(|it| it.ok_or_else(|| damaged("exit"))).transpose()?,
        alive: read(files, "alive")?,
    })
}

/// Keeps a job that has not started its command from doing so.
pub(super) fn forbid(files: &Path) -> io::Result<()> {
    create_own(files, CANCEL).map(drop)
}

/// Takes the place of the job that runs the command, if none has it: then none ever will. Returns whether it is taken, by this
/// daemon or an earlier one.
///
/// # Errors
/// That is not known.
pub(super) fn bar(files: &Path) -> io::Result<bool> {
    let path = files.join(FENCE);
    match new_file(&path) {
        // The runner makes a folder.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(fs::symlink_metadata(&path)?.is_file())
        }
        made => made.map(|_| true),
    }
}

/// Removes what only the job needs, once it is on its way: the secrets.
pub(super) fn forget_start(files: &Path) -> io::Result<()> {
    fs::remove_file(files.join(START))
}

/// Reads the end of what the job itself wrote.
pub(super) fn job_log(files: &Path) -> Option<String> {
    let mut file = open_own(files, JOB_LOG).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    crate::command::text::last_line(&bytes)
}

fn read(files: &Path, name: &str) -> Result<Option<String>, String> {
    let unreadable =
        |why: &dyn std::fmt::Display| format!("can't read {}: {why}", files.join(name).display());
    let file: File = match open_own(files, name) {
        Err(Refusal::Absent) => return Ok(None),
        opened => opened.map_err(|refusal| unreadable(&refusal))?,
    };
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    Ok(Some(text))
}

/// The lines of a file of the runner: a name, a space and a value.
struct Facts<'a>(&'a str);

impl Facts<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(crate::command::text::line(value))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }

    fn time(&self) -> Option<Time> {
        self.number::<i64>("at").and_then(|seconds| Some(Time(seconds.checked_mul(1_000)?)))
    }
}

/// Returns the path of the runner of an attempt.
pub(super) fn runner(files: &Path) -> PathBuf {
    files.join("runner.sh")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_words_as_they_were() {
        let words = ["it's", "a \"b\" $HOME `id`", "two\nlines", "", "-n"];
        let mut script = b"printf '%s|' ".to_vec();
        for word in words {
            quote(word.as_ref(), &mut script);
            script.push(b' ');
        }
        let printed = Command::new("sh").arg("-c").arg(OsStr::from_bytes(&script)).output().unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), words.map(|word| format!("{word}|")).concat());
    }

    #[test]
    fn what_the_runner_says_is_read_whole_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let said = || said(folder.path());
        assert_eq!(said().unwrap(), Said::default());
        fs::write(folder.path().join("started"), "job 7\nhost n1\nat 1700000000\n").unwrap();
        fs::write(
            folder.path().join("exit"),
            "job 7\ncode 3\ntold 0\nat 1700000005\nstdout 10\nstderr 0\ncut 0\n",
        )
        .unwrap();
        let seen = said().unwrap();
        assert_eq!(seen.started.unwrap().host, "n1");
        let exit = seen.exit.unwrap();
        assert_eq!((exit.code, exit.told, exit.stdout, exit.at), (3, false, 10, Time(1_700_000_005_000)));
        fs::write(folder.path().join("exit"), "job 7\ncode ").unwrap();
        assert!(said().unwrap_err().ends_with("exit is damaged"));
        let absent = super::said(&folder.path().join("absent"));
        assert!(absent.unwrap_err().starts_with("can't read "), "a folder that is not there says nothing");
    }

    /// Runs a script as a job does, with this program as `cat`.
    fn run(script: &str, cat: &str) -> (tempfile::TempDir, RunnerExit) {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let files = folder.path();
        let programs = files.join("programs");
        fs::create_dir(&programs).unwrap();
        fs::write(programs.join("cat"), cat).unwrap();
        fs::set_permissions(programs.join("cat"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(files.join("prelude"), "").unwrap();
        fs::write(files.join("start"), format!("set -- bash -c '{script}'\n")).unwrap();
        fs::write(files.join("runner.sh"), RUNNER).unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let status = Command::new("bash").arg(runner(files)).arg(files).env("PATH", path).status().unwrap();
        let exit = said(files).unwrap().exit.unwrap();
        assert_eq!(status.code(), Some(exit.code));
        (folder, exit)
    }

    #[test]
    fn a_job_whose_place_is_taken_runs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(bar(folder.path()).unwrap() && bar(folder.path()).unwrap());
        fs::write(folder.path().join("runner.sh"), RUNNER).unwrap();
        let runner = Command::new("bash").arg(runner(folder.path())).arg(folder.path()).status().unwrap();
        assert_eq!((runner.code(), said(folder.path()).unwrap()), (Some(98), Said::default()));
        fs::remove_file(folder.path().join(FENCE)).unwrap();
        fs::create_dir(folder.path().join(FENCE)).unwrap();
        assert!(!bar(folder.path()).unwrap(), "a job has it");
    }

    #[test]
    fn the_runner_copies_the_output_of_a_command() {
        let (folder, exit) =
            run("echo out; echo error >/dev/stderr; exit 3", "#!/bin/sh\nexec /bin/cat \"$@\"\n");
        assert_eq!((exit.code, exit.stdout, exit.stderr, exit.cut), (3, 4, 6, false));
        assert_eq!(fs::read_to_string(folder.path().join(STDERR)).unwrap(), "error\n");
    }

    #[test]
    fn the_runner_says_that_output_could_not_be_written() {
        let full = "#!/bin/sh\n[ $# = 0 ] || exec /bin/cat \"$@\"\nhead -c 3\nexit 1\n";
        let (_folder, exit) = run("echo output", full);
        assert_eq!((exit.code, exit.stdout, exit.cut), (0, 3, true));
    }

    #[test]
    fn a_process_that_keeps_the_output_open_does_not_cut_it() {
        let left = "setsid sleep 20 & echo output";
        let (folder, exit) = run(left, "#!/bin/sh\nexec /bin/cat \"$@\"\n");
        assert_eq!((exit.code, exit.stdout, exit.cut), (0, 7, false));
        assert_eq!(fs::read_to_string(folder.path().join(STDOUT)).unwrap(), "output\n");
    }
}
