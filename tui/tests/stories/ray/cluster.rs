//! A Fanlight with a Ray cluster, and what is looked at in it.

use std::fs;

use super::head::Head;
use crate::support::{Fanlight, wait_for};

/// A Fanlight with the engine `ray`.
pub(super) struct Cluster {
    pub(super) fanlight: Fanlight,
    pub(super) head: Head,
}

/// A workflow with this command on the cluster.
pub(super) fn command(script: &str) -> String {
    let script = script.trim_end().replace('\n', "\n      ");
    format!(
        "engine: ray\nnodes:\n  work:\n    run: |\n      {script}\noutputs:\n  said: ${{{{ work.stdout }}}}\n"
    )
}

impl Cluster {
    pub(super) fn new() -> Self {
        Self::with("")
    }

    /// A Fanlight whose engine has these lines too.
    pub(super) fn with(more: &str) -> Self {
        let (fanlight, head) = (Fanlight::new(), Head::new());
        fanlight.config(&format!(
            "grace = \"1s\"\n[engine.ray]\nkind = \"ray\"\naddress = \"{}\"\nworkdir = \"{}\"\npoll = \"100ms\"\n{more}",
            head.address,
            fanlight.path("../cluster").display()
        ));
        Self { fanlight, head }
    }

    /// Submits a run of a workflow with this command.
    pub(super) fn submit(&self, script: &str) {
        self.fanlight.file("w.yaml", &command(script));
        self.fanlight.say(&["run", "w.yaml", "--detach"]).exits(0);
    }

    pub(super) fn log(&self) -> String {
        self.fanlight.say(&["logs", "last", "work"]).out
    }

    pub(super) fn await_log(&self, text: &str) {
        wait_for(&format!("`{text}` in the log"), || self.log().contains(text));
    }

    /// Waits until a file that the command touches is there.
    pub(super) fn await_file(&self, name: &str) {
        wait_for(name, || self.fanlight.path(name).exists());
    }

    /// Returns how often a job was submitted.
    pub(super) fn submissions(&self) -> usize {
        self.head.asked("POST /api/jobs/ ")
    }

    /// Returns what the command wrote into the file `runs` of the project.
    pub(super) fn runs(&self) -> String {
        fs::read_to_string(self.fanlight.path("runs")).unwrap_or_default()
    }

    /// Returns the error of the command.
    pub(super) fn error(&self) -> String {
        let shown = self.fanlight.say(&["show", "last", "--json"]).exits(0).json();
        shown[0]["nodes"][0]["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
}
