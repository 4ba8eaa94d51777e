//! The load while processes are killed: inline nodes, a worker's picture, commands, files, and a counted side effect.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::Fanlight;

/// How many runs a submission has.
const SWEEP: usize = 3;
/// The maximum number of submissions per round, so that it drains soon.
const SUBMITS: usize = 6;

const WORKFLOW: &str = "params:
  seed: { type: int, default: 1 }
nodes:
  one:
    uses: text.template
    with: { template: \"seed {{ seed }}\", seed: \"${{ params.seed }}\" }
  two:
    uses: text.template
    with: { template: \"{{ text }} again\", text: \"${{ one.text }}\" }
  picture:
    uses: image.generate
    with: { style: noise, width: 24, height: 16, seed: \"${{ run.number % 50 }}\" }
  effect:
    run: |
      printf '%s\\n' \"$FANLIGHT_KEY\" >> \"$FANLIGHT_PROJECT/effects\"
      { seq 20000; printf '%s' \"$text\"; } > said.txt
      sleep 0.05
    with: { text: \"${{ one.text }}\" }
    outputs: { said: { path: said.txt, type: file } }
  after:
    cmd: [\"true\"]
    needs: [effect]
outputs:
  text: \"${{ two.text }}\"
";

/// How many assets a completed run has: the picture, the file, the output.
pub(crate) const ASSETS: usize = 3;
/// How many values a completed run has: two texts, a picture, four ports of `effect`, three of `after`.
pub(crate) const VALUES: u32 = 10;
/// Its nodes.
pub(crate) const NODES: [&str; 5] = ["one", "two", "picture", "effect", "after"];

/// The load of one home.
pub(crate) struct Load {
    effects: PathBuf,
}

impl Load {
    pub(crate) fn new(fanlight: &Fanlight) -> Self {
        fanlight.file("crash.yaml", WORKFLOW);
        Self { effects: fanlight.path("effects") }
    }

    /// Returns the file with all side effects.
    pub(crate) fn effects_file(&self) -> PathBuf {
        self.effects.clone()
    }

    /// Submits sweeps until told to stop. Returns the acknowledged runs.
    pub(crate) fn submit_until(&self, fanlight: &Fanlight, over: &AtomicBool) -> Vec<String> {
        let mut acknowledged = Vec::new();
        for _ in 0..SUBMITS {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let sweep = format!("seed=1..{SWEEP}");
            // A submission during the kill may fail; the runs it printed were acknowledged.
            let said = fanlight.say(&["run", "crash.yaml", "--sweep", &sweep, "--detach"]);
            acknowledged.extend(said.out.lines().map(str::to_owned));
        }
        acknowledged
    }

    /// Returns how often each side effect happened, by its key.
    pub(crate) fn effects(&self) -> HashMap<String, usize> {
        let text = std::fs::read_to_string(&self.effects).unwrap_or_default();
        let mut times = HashMap::new();
        for key in text.lines() {
            *times.entry(key.to_owned()).or_insert(0) += 1;
        }
        times
    }
}
