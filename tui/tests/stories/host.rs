//! A home on another computer.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::support::{Fanlight, Said, wait_for};

const SHIPPING: &str = "params:
  word: { type: text, default: hello }
nodes:
  say: { run: 'printf \"%s from %s\" \"$word\" \"$HOME\"', with: { word: '${{ params.word }}' } }
outputs:
  said: '${{ say.stdout }}'
";
const SLOW: &str = "nodes:
  wait: { run: 'until test -e \"$go\"; do sleep 0.01; done; echo gone', with: { go: '${{ params.go }}' } }
params:
  go: { type: text }
outputs:
  said: '${{ wait.stdout }}'
";

/// Two homes, of which commands here ask the other one through a program called `ssh`.
struct Two {
    here: Fanlight,
    there: Fanlight,
}

impl Two {
    fn new() -> Self {
        let two = Self { here: Fanlight::new(), there: Fanlight::new() };
        std::fs::create_dir(two.ssh("")).unwrap();
        std::fs::write(two.ssh("ssh"), include_str!("fake_ssh.py")).unwrap();
        std::fs::set_permissions(two.ssh("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
        two.programs_there(&[PathBuf::from(env!("CARGO_BIN_EXE_fanlight")).parent().unwrap().to_owned()]);
        two
    }

    /// Sets the environment of commands there, whose programs are in these folders and the usual ones.
    fn programs_there(&self, folders: &[PathBuf]) {
        let mut environment = serde_json::Map::new();
        for (name, value) in self.there.environment() {
            environment.insert(name.to_owned(), value.to_str().unwrap().into());
        }
        let folders = folders.iter().cloned().chain(["/usr/bin".into(), "/bin".into()]);
        let path = std::env::join_paths(folders).unwrap();
        environment.insert("PATH".to_owned(), path.to_str().unwrap().into());
        let text = serde_json::to_string(&environment).unwrap();
        std::fs::write(self.ssh("environment"), text).unwrap();
    }

    /// Returns a path beside the program `ssh`.
    fn ssh(&self, name: &str) -> PathBuf {
        self.here.path("bin").join(name)
    }

    /// Makes `ssh` fail.
    fn ssh_says(&self, code: &str, message: &str) {
        std::fs::write(self.ssh("says"), format!("{code}\n{message}\n")).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.here.command(arguments);
        let path = std::env::var_os("PATH").unwrap();
        let folders = std::iter::once(self.ssh("")).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
        command
    }

    fn say(&self, arguments: &[&str]) -> Said {
        let output = crate::support::output(&mut self.command(arguments));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Cuts the connections that are forwarded.
    fn cut(&self) {
        for pid in self.forwarders() {
            kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
            std::fs::remove_file(self.ssh(&format!("{pid}.pid"))).unwrap();
        }
    }

    fn forwarders(&self) -> Vec<i32> {
        let names = std::fs::read_dir(self.ssh("")).unwrap().flatten().map(|it| it.path());
        let pids = names.filter(|it| it.extension().is_some_and(|it| it == "pid"));
        pids.map(|it| it.file_stem().unwrap().to_str().unwrap().parse().unwrap()).collect()
    }
}

#[test]
fn a_file_here_runs_on_another_computer_and_its_outputs_are_saved_here() {
    let two = Two::new();
    two.here.file("shipping.yaml", SHIPPING);
    let run = ["run", "shipping.yaml", "-p", "word=it's a `b`", "--host", "ada@box", "--out", "made"];
    two.say(&run).exits(0);
    let said = std::fs::read_to_string(two.here.path("made/shipping-1/said.txt")).unwrap();
    let home = two.there.environment()[1].1.to_str().unwrap().to_owned();
    assert_eq!(said, format!("it's a `b` from {home}"));
    assert!(!two.here.path("../h/data/fanlight.db").exists(), "nothing is kept here");
    let runs = two.there.runs();
    assert_eq!(runs.len(), 1);
    let listed = two.say(&["--host", "ada@box", "ps", "--all", "--json"]).exits(0).json();
    assert_eq!(listed[0]["id"], runs[0]["id"]);
    // The file is recognised again, also by its name.
    two.say(&["--host", "ada@box", "run", "shipping"]).exits(0).complains("shipping#2");
    // A path on the other computer is never one here.
    two.there.file("own.yaml", SHIPPING).say(&["run", "own.yaml"]).exits(0);
    two.here.file("own.yaml", "nodes: {}");
    two.say(&["--host", "ada@box", "run", "own"]).exits(0).complains("is on another computer");
    assert_eq!(
        two.there.say(&["show", "own"]).exits(0).out.lines().next().map(|it| it.contains("own#2")),
        Some(true)
    );
}

#[test]
fn nothing_is_left_behind_here() {
    let two = Two::new();
    let sockets = two.here.path("../run/fanlight/ssh");
    two.say(&["--host", "box", "ps"]).exits(0);
    assert_eq!(std::fs::read_dir(&sockets).unwrap().count(), 0);
    wait_for("the end of the forwarded socket", || two.forwarders().is_empty());
}

#[test]
fn a_lost_connection_is_made_again_and_nothing_starts_twice() {
    let two = Two::new();
    two.here.file("slow.yaml", SLOW);
    let go = two.there.path("go");
    let go = format!("go={}", go.display());
    let mut child = two
        .command(&["--host", "box", "run", "slow.yaml", "-p", &go])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    two.there.await_states(&["running"]);
    two.cut();
    wait_for("a new connection", || !two.forwarders().is_empty());
    two.there.kill_daemon();
    std::fs::write(two.there.path("go"), "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(two.there.runs().len(), 1);
}

#[test]
fn what_is_missing_on_the_way_is_said_in_one_sentence() {
    let two = Two::new();
    let fails = || two.say(&["--host", "ada@box", "ps"]).exits(3);
    two.ssh_says("255", "Banner\nada@box: Permission denied (publickey).");
    fails().complains("the login at `ada@box` was refused").complains("`ssh ada@box` must work first");
    two.ssh_says("255", "ssh: Could not resolve hostname box: Name or service not known");
    fails().complains("`ada@box` can't be reached through `ssh`: ssh: Could not resolve hostname");
    two.ssh_says("2", "error: unexpected argument '--json' found\n\nUsage: fanlight daemon start");
    fails().complains("is of another version than this one");
    two.ssh_says("forward", "administratively prohibited");
    fails().complains("did not forward the socket of `ada@box`").complains("AllowStreamLocalForwarding");
    std::fs::remove_file(two.ssh("says")).unwrap();
    two.programs_there(&[]);
    fails().complains("there is no `fanlight` on `ada@box`").complains("`program`");
    two.say(&["--host=-oProxyCommand=id", "ps"]).exits(2).complains("is not a destination of `ssh`");
}

#[test]
fn a_named_host_has_its_own_destination_program_and_home() {
    let two = Two::new();
    let program = two.there.path("a b's/fanlight");
    std::fs::create_dir(program.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fanlight"), &program).unwrap();
    two.programs_there(&[]);
    let config = "[host.box]\nssh = \"ada@10.0.0.5\"\nprogram = \"~/work/a b's/fanlight\"\nhome = \"~/h\"\n";
    two.here.config(config);
    two.say(&["--host", "box", "ps"]).exits(0);
    let calls = std::fs::read_to_string(two.ssh("calls")).unwrap();
    assert!(calls.contains("\"ada@10.0.0.5\"") && calls.contains("BatchMode=yes"), "{calls}");
    // Commands about the daemon itself run there.
    let status =
        crate::support::output(two.command(&["daemon", "status", "--json"]).env("FANLIGHT_HOST", "box"));
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains(two.there.environment()[2].1.to_str().unwrap()), "{status}");
    two.say(&["--host", "box", "daemon", "stop"]).exits(0);
    two.there.say(&["daemon", "status"]).exits(3);
}

#[test]
fn the_files_that_a_workflow_runs_are_sent_along() {
    let two = Two::new();
    std::fs::create_dir(two.here.path("parts")).unwrap();
    two.here.file("parts/shipping.yaml", SHIPPING);
    let parent = "nodes:
  one: { uses: workflow.run, with: { workflow: parts/shipping.yaml, word: good }, outputs: { said: text } }
outputs: { said: '${{ one.said }}' }
";
    two.here.file("parent.yaml", parent);
    let said = two.say(&["--host", "box", "run", "parent.yaml"]).exits(0).out;
    assert!(said.contains("good from"), "{said}");
    std::fs::remove_file(two.here.path("parts/shipping.yaml")).unwrap();
    two.say(&["--host", "box", "run", "parent.yaml"])
        .exits(2)
        .complains("parts/shipping.yaml` does not exist");
}

#[test]
fn a_folder_of_this_computer_is_no_work_folder_there() {
    let two = Two::new();
    two.here.file("here.yaml", "nodes:\n  a: { run: 'ls', dir: . }\n");
    two.say(&["--host", "box", "run", "here.yaml"]).exits(2).complains("node `a` has `dir: .`, a folder on");
}

const FILES: &str = "params:
  photo: { type: image, default: sea.png }
  more: { type: 'list<file>', default: [] }
  folder: { type: dir }
nodes:
  look: { run: 'cat \"$a\" | wc -c; find \"$b\" -type f -printf \"%P \" | tr \" \" \"\\n\" | sort; test -x \"$b/tool\" && echo x', with: { a: '${{ params.photo }}', b: '${{ params.folder }}' } }
outputs:
  seen: '${{ look.stdout }}'
";

#[test]
fn files_and_folders_of_params_are_sent_first() {
    let two = Two::new();
    two.here.file("files.yaml", FILES);
    let png = two.here.path("sea.png");
    two.here.file("make.yaml", "nodes:\n  a: { uses: image.generate, with: { width: 400, height: 300 } }\noutputs: { a: '${{ a.image }}' }\n");
    two.here.say(&["run", "make.yaml", "--out", "m"]).exits(0);
    std::fs::copy(two.here.path("m/make-1/a.png"), &png).unwrap();
    std::fs::create_dir_all(two.here.path("f/g")).unwrap();
    two.here.file("f/one", "1").file("f/g/two", &"2".repeat(300_000)).file("f/tool", "#!");
    std::fs::set_permissions(two.here.path("f/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run =
        ["--host", "box", "run", "files.yaml", "-p", "folder=f", "-p", "more=f/one,f/g/two", "--out", "made"];
    two.say(&run).exits(0);
    let seen = std::fs::read_to_string(two.here.path("made/files-1/seen.txt")).unwrap();
    let bytes = std::fs::metadata(&png).unwrap().len();
    assert_eq!(
        seen.split_whitespace().collect::<Vec<_>>(),
        [bytes.to_string().as_str(), "g/two", "one", "tool", "x"]
    );
    // The daemon looks into the bytes itself, and names the param.
    std::fs::write(&png, "no picture").unwrap();
    two.say(&run).exits(2).complains("param `photo`: `sea.png` is text/plain");
    std::fs::remove_file(&png).unwrap();
    two.say(&run).exits(2).complains("param `photo`: there is no");
}

#[test]
fn an_archive_of_this_computer_is_not_imported_there() {
    let two = Two::new();
    two.here.config("[host.box]\nssh = \"ada@10.0.0.5\"\nhome = \"~/h\"\n");
    let import = |host, file| two.say(&["--host", host, "import", file]).exits(2);
    import("ada@box", "train.tar.zst")
        .complains("`train.tar.zst` is on this computer, where the daemon on `ada@box` can't read it")
        .complains("hint: `ssh ada@box fanlight import - < train.tar.zst` imports it there");
    import("ada@box", "-").complains("`ssh ada@box fanlight import - < FILE`");
    import("box", "train.tar.zst").complains("ssh ada@10.0.0.5 '");
    assert!(!two.ssh("calls").exists(), "nothing was asked there");
}
