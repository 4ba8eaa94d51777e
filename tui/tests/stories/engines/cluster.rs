//! A cluster in a folder, and what is looked at in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Fanlight, wait_for};

/// A Fanlight with the engine `cluster`.
pub(super) struct Cluster {
    pub(super) fanlight: Fanlight,
    /// The folder with its programs and files.
    folder: PathBuf,
}

/// A workflow with this command on the cluster.
pub(super) fn command(script: &str) -> String {
    let script = script.trim_end().replace('\n', "\n      ");
    format!(
        "engine: cluster\nnodes:\n  work:\n    run: |\n      {script}\noutputs:\n  said: ${{{{ work.stdout }}}}\n"
    )
}

impl Cluster {
    pub(super) fn new() -> Self {
        let fanlight = Fanlight::new();
        let folder = fanlight.programs();
        let workdir = fanlight.path("../cluster");
        Self::at(fanlight, folder, &workdir, "")
    }

    /// A cluster whose programs are on another computer, which `ssh` reaches, and which shares a folder with this one.
    pub(super) fn elsewhere() -> Self {
        Self::behind_ssh(|fanlight| fanlight.path("../cluster"), "")
    }

    /// A cluster that `ssh` reaches, and that shares no folder with this computer.
    pub(super) fn apart() -> Self {
        Self::behind_ssh(|fanlight| fanlight.path("../login/files"), "stage = \"rsync\"\n")
    }

    fn behind_ssh(workdir: impl FnOnce(&Fanlight) -> PathBuf, more: &str) -> Self {
        let fanlight = Fanlight::new();
        let ssh = fanlight.programs();
        fs::write(ssh.join("ssh"), include_str!("../fake_ssh.py")).unwrap();
        fs::set_permissions(ssh.join("ssh"), fs::Permissions::from_mode(0o700)).unwrap();
        let folder = fanlight.path("../login");
        fs::create_dir(&folder).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.display());
        let environment = serde_json::json!({ "PATH": path, "HOME": folder });
        fs::write(ssh.join("environment"), environment.to_string()).unwrap();
        let workdir = workdir(&fanlight);
        Self::at(fanlight, folder, &workdir, &format!("via = \"ssh://ada@login\"\n{more}"))
    }

    fn at(fanlight: Fanlight, folder: PathBuf, workdir: &Path, more: &str) -> Self {
        let script = folder.join("slurm.sh");
        fs::write(&script, include_str!("slurm.sh")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        for name in ["sbatch", "squeue", "scancel", "sacct"] {
            symlink(&script, folder.join(name)).unwrap();
        }
        fanlight.config(&format!(
            "grace = \"1s\"\n[engine.cluster]\nkind = \"slurm\"\nworkdir = \"{}\"\npoll = \"100ms\"\n{more}",
            workdir.display()
        ));
        Self { fanlight, folder }
    }

    /// Returns a file of the cluster.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the cluster behave like this.
    pub(super) fn turns(&self, mood: &str, text: &str) {
        fs::write(self.file(mood), text).unwrap();
    }

    pub(super) fn recovers(&self, mood: &str) {
        fs::remove_file(self.file(mood)).unwrap();
    }

    /// Submits a run of a workflow with this command.
    pub(super) fn submit(&self, script: &str) {
        self.fanlight.file("w.yaml", &command(script));
        self.fanlight.say(&["run", "w.yaml", "--detach"]).exits(0);
    }

    /// Returns the log of the command.
    pub(super) fn log(&self) -> String {
        self.fanlight.say(&["logs", "last", "work"]).out
    }

    /// Returns how often the cluster was called with this program.
    pub(super) fn calls(&self, program: &str) -> usize {
        let calls = fs::read_to_string(self.file("calls")).unwrap_or_default();
        calls.lines().filter(|line| line.starts_with(program)).count()
    }

    pub(super) fn await_call(&self, program: &str) {
        wait_for(&format!("a call of {program}"), || self.calls(program) > 0);
    }

    pub(super) fn await_log(&self, text: &str) {
        wait_for(&format!("`{text}` in the log"), || self.log().contains(text));
    }

    /// Waits until a file that the command touches is there.
    pub(super) fn await_file(&self, name: &str) {
        wait_for(name, || self.fanlight.path(name).exists());
    }

    /// Returns the error of the command.
    pub(super) fn error(&self) -> String {
        let shown = self.fanlight.say(&["show", "last", "--json"]).exits(0).json();
        shown[0]["nodes"][0]["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
}
