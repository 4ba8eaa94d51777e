//! Records what a daemon, its supervisor and its commands ask of the kernel, with `strace`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Fanlight, Running};

/// Every call that changes files or makes changes durable, and those that send something.
const CALLS: &str = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendfile,splice,copy_file_range,\
                     ftruncate,truncate,fallocate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,\
                     unlinkat,mkdir,mkdirat,rmdir,open,openat,openat2,creat,fsync,fdatasync,sync,syncfs,ioctl,chmod,\
                     fchmod,fchmodat,mmap";
/// The longest write that is recorded whole, in bytes; a longer one is an error.
const LONGEST: &str = "4194304";
/// Where Linux says which boot this is.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Returns whether `strace` is here and may trace.
pub(super) fn is_here() -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-y", "-o", "/dev/null", "-e", "trace=fsync", "true"]);
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Starts a daemon, and another one once it has ended, whose calls are written to `trace`.
pub(super) fn record(fanlight: &Fanlight, trace: &Path) -> Running {
    let filter = format!("trace={CALLS}");
    let options = ["-y", "-xx", "-a1", "-s", LONGEST, "-o", trace.to_str().unwrap(), "-e", &filter];
    under(fanlight, &options, &["sh", "-c", "\"$0\" daemon; exec \"$0\" daemon"])
}

/// Starts a daemon as after a restart of the machine: it can't find out that the boot is still the same.
pub(super) fn after_a_reboot(fanlight: &Fanlight) -> Running {
    let inject = "inject=openat:error=ENOENT";
    let options = ["-o", "/dev/null", "-P", BOOT, "-e", "trace=openat", "-e", inject];
    under(fanlight, &options, &["sh", "-c", "exec \"$0\" daemon"])
}

/// Starts a command, whose last argument is the executable, under `strace`.
fn under(fanlight: &Fanlight, options: &[&str], words: &[&str]) -> Running {
    let mut command = fanlight.program("strace");
    command
        .args(["-f", "--seccomp-bpf", "-qq"])
        .args(options)
        .args(words)
        .arg(env!("CARGO_BIN_EXE_fanlight"));
    Running::of(command)
}

/// A call that has ended.
pub(super) struct Call<'a> {
    /// The line in which it began.
    pub(super) start: usize,
    /// The line in which it ended.
    pub(super) end: usize,
    pub(super) name: &'a str,
    /// Its arguments as they are written.
    pub(super) arguments: Vec<String>,
    /// What it returned; -1 for an error.
    pub(super) result: i64,
    /// The path of the file that it opened.
    pub(super) opened: Option<PathBuf>,
}

impl<'a> Call<'a> {
    /// Returns all calls of a trace, in the order in which they ended.
    pub(super) fn all(trace: &'a str) -> Vec<Self> {
        let mut unfinished = std::collections::HashMap::new();
        let mut calls = Vec::new();
        for (place, line) in trace.lines().enumerate() {
            let (process, said) = line.split_once(' ').expect("a process id");
            let said = said.trim_start();
            if said.starts_with("+++") || said.starts_with("---") {
                continue;
            }
            if let Some(head) = said.strip_suffix("<unfinished ...>") {
                unfinished.insert(process, (place, head.trim_end()));
                continue;
            }
            let resumed = said.strip_prefix("<... ").and_then(|it| it.split_once(" resumed>"));
            let (start, head, tail) = match resumed {
                Some((_, tail)) => match unfinished.remove(process) {
                    Some((start, head)) => (start, head, tail),
                    // The tracer was attached in the middle of it.
                    None => continue,
                },
                None => (place, said, ""),
            };
            calls.extend(Self::of(start, place, head, tail));
        }
        calls
    }

    fn of(start: usize, end: usize, head: &'a str, tail: &str) -> Option<Self> {
        let (name, rest) = head.split_once('(')?;
        let whole = format!("{rest}{tail}");
        let (arguments, result) = whole.rsplit_once(" = ")?;
        let arguments = split(arguments.trim_end().strip_suffix(')')?);
        let number = result.split(|it: char| it != '-' && !it.is_ascii_digit()).next()?;
        let opened = result.split_once('<').map(|_| path(result));
        Some(Self { start, end, name, arguments, result: number.parse().unwrap_or(-1), opened })
    }

    /// Returns the path of a file descriptor.
    pub(super) fn file(&self, place: usize) -> PathBuf {
        path(&self.arguments[place])
    }

    /// Returns a path that is an argument.
    pub(super) fn path(&self, place: usize) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.bytes(place)))
    }

    /// Returns a path that is relative to the folder in the argument before it.
    pub(super) fn path_at(&self, place: usize) -> PathBuf {
        self.file(place - 1).join(self.path(place))
    }

    /// Returns the bytes of an argument, or of all parts of a list of buffers.
    pub(super) fn bytes(&self, place: usize) -> Vec<u8> {
        let argument = &self.arguments[place];
        assert!(!argument.ends_with("..."), "a call has more bytes than are recorded: {}", self.name);
        argument.split('"').skip(1).step_by(2).flat_map(decode).collect()
    }

    /// Returns a number that is an argument.
    pub(super) fn number(&self, place: usize) -> u64 {
        let argument = &self.arguments[place];
        argument.parse().unwrap_or_else(|_| panic!("{argument} is no number, in {}", self.name))
    }

    /// Returns whether a flag is among those of an argument.
    pub(super) fn has(&self, place: usize, flag: &str) -> bool {
        self.arguments.get(place).is_some_and(|it| it.split(['|', '{', '=', ',']).any(|it| it == flag))
    }
}

/// Returns the path that is between the angle brackets behind a file descriptor.
fn path(descriptor: &str) -> PathBuf {
    let Some((path, rest)) = descriptor.split_once('<').and_then(|(_, it)| it.split_once('>')) else {
        return PathBuf::new();
    };
    let path = PathBuf::from(OsString::from_vec(decode(path)));
    if rest.contains("(deleted)") { deleted(path) } else { path }
}

/// Returns how the path of a file without a name is written.
pub(super) fn deleted(path: PathBuf) -> PathBuf {
    let mut path = path.into_os_string();
    path.push(" (deleted)");
    path.into()
}

/// Decodes `\x2f\x74…`.
fn decode(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|it| u8::from_str_radix(it, 16).unwrap()).collect()
}

/// Splits arguments at the commas that are in no brackets. Texts have no commas: each of their bytes is written as a number.
fn split(arguments: &str) -> Vec<String> {
    let mut depth = 0;
    let parts = arguments.split(|it| {
        match it {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            _ => {}
        }
        it == ',' && depth == 0
    });
    parts.map(|it| it.trim().to_owned()).collect()
}

#[test]
fn calls_are_read_from_a_trace() {
    let trace = "7 pwrite64(3<\\x2f\\x61>, \"\\x68\\x69\", 2, 40 <unfinished ...>\n\
                 8 fsync(4<\\x2f\\x62>) = -1 EIO (Input/output error)\n\
                 7 <... pwrite64 resumed>) = 2\n\
                 7 openat(AT_FDCWD<\\x2f>, \"\\x63\", O_RDWR|O_CREAT, 0600) = 5<\\x2f\\x63>\n\
                 7 writev(5<\\x2f\\x63>, [{iov_base=\"\\x31\", iov_len=1}, {iov_base=\"\\x32\", iov_len=1}], 2) = 2\n\
                 8 +++ exited with 0 +++\n";
    let calls = Call::all(trace);
    let of = |it: &Call<'_>| (it.name.to_owned(), it.start, it.end, it.result);
    let expected = [("fsync", 1, 1, -1), ("pwrite64", 0, 2, 2), ("openat", 3, 3, 5), ("writev", 4, 4, 2)];
    assert_eq!(
        calls.iter().map(of).collect::<Vec<_>>(),
        expected.map(|(a, b, c, d)| (a.to_owned(), b, c, d))
    );
    assert_eq!((calls[1].file(0), calls[1].bytes(1), calls[1].number(3)), ("/a".into(), b"hi".to_vec(), 40));
    assert_eq!((calls[2].path_at(1), calls[2].opened.clone()), ("/c".into(), Some("/c".into())));
    assert!(calls[2].has(2, "O_CREAT") && !calls[2].has(2, "O_TRUNC"));
    assert_eq!(calls[3].bytes(1), b"12");
}
