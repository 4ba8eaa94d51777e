//! A program under callgrind, whose counts are read while it runs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the counts of the last test are, for `callgrind_annotate`.
pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("instructions")
}

/// A program that is counted.
pub(super) struct Counted {
    name: &'static str,
    /// Where valgrind's pipes are.
    pipes: tempfile::TempDir,
    pid: u32,
    parts: u32,
}

impl Counted {
    /// Forgets earlier counts with this name.
    pub(super) fn new(name: &'static str) -> Self {
        std::fs::create_dir_all(folder()).unwrap();
        for old in std::fs::read_dir(folder()).unwrap().flatten() {
            if old.file_name().to_string_lossy().starts_with(name) {
                std::fs::remove_file(old.path()).unwrap();
            }
        }
        Self { name, pipes: tempfile::tempdir().unwrap(), pid: 0, parts: 0 }
    }

    /// Returns the arguments of valgrind, up to the executable.
    pub(super) fn words(&self) -> Vec<String> {
        let out = folder().join(self.name);
        vec![
            "-q".into(),
            "--tool=callgrind".into(),
            "--instr-atstart=no".into(),
            self.prefix(),
            format!("--callgrind-out-file={}", out.display()),
            "--log-file=/dev/null".into(),
            env!("CARGO_BIN_EXE_fanlight").into(),
        ]
    }

    fn prefix(&self) -> String {
        format!("--vgdb-prefix={}", self.pipes.path().join("pipe").display())
    }

    /// Tells it the process.
    pub(super) fn of(self, pid: u32) -> Self {
        Self { pid, ..self }
    }

    /// Begins to count.
    pub(super) fn begin(&mut self) {
        self.control("--instr=on");
        self.count();
    }

    /// Returns how many instructions were counted since the last time.
    pub(super) fn count(&mut self) -> u64 {
        self.control("--dump");
        self.parts += 1;
        let path = folder().join(format!("{}.{}", self.name, self.parts));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        total.unwrap_or_else(|| panic!("{} has no total", path.display())).trim().parse().unwrap()
    }

    fn control(&self, what: &str) {
        let mut command = Command::new("callgrind_control");
        let said = command
            .args([&self.prefix(), what, &self.pid.to_string()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            said.status.success(),
            "{what}: {}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        );
    }
}

/// Returns whether a program can be counted: valgrind wakes a waiting process by tracing it, which may be forbidden.
pub(super) fn is_here() -> bool {
    let Ok(pipes) = tempfile::tempdir() else { return false };
    let prefix = format!("--vgdb-prefix={}", pipes.path().join("pipe").display());
    let quiet = ["-q", "--tool=none", "--log-file=/dev/null", &prefix, "sleep", "60"];
    let Ok(mut child) = Command::new("valgrind").args(quiet).spawn() else { return false };
    let pid = format!("--pid={}", child.id());
    let mut asked = Command::new("vgdb");
    asked
        .args([&prefix, &pid, "--wait=20", "v.info", "n_errs_found"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let answers = asked.status().is_ok_and(|status| status.success());
    let _ = child.kill();
    let _ = child.wait();
    answers
}
