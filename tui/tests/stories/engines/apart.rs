//! A cluster that shares no folder with this computer: rsync carries the files.

use std::fs;
use std::process::Command;

use super::Cluster;
use fanlight_shared::testing::skip;

use crate::support::wait_for;

/// A cluster, if there is an rsync.
fn cluster() -> Option<Cluster> {
    if Command::new("rsync").arg("--version").output().is_err() {
        skip("rsync");
        return None;
    }
    Some(Cluster::apart())
}

impl Cluster {
    /// Waits until nothing of any attempt is left, neither here nor there.
    fn await_nothing_left(&self) {
        let count = |path: &str| fs::read_dir(self.fanlight.path(path)).into_iter().flatten().count();
        // What was sent for all attempts stays.
        let is_there = || usize::from(self.fanlight.path("../login/files/inputs").exists());
        let left =
            || count("../login/files") - is_there() + walk(&self.fanlight.path("../h/state/engines")).len();
        wait_for("its files to be removed here and there", || left() == 0);
    }
}

#[test]
fn inputs_and_outputs_travel_and_no_path_of_this_computer_does() {
    let Some(cluster) = cluster() else { return };
    let fanlight = &cluster.fanlight;
    fs::write(fanlight.path("a b'$(id).txt"), "of a file").unwrap();
    let file = "params:\n  one: { type: file }\n  many: { type: 'list<file>' }\nengine: cluster\nnodes:\n  work:\n    \
                with: { one: '${{ params.one }}', many: '${{ params.many }}' }\n    run: |\n      env; pwd; echo \
                \"$0\"\n      cat \"$one\" \"$many_dir\"/* > made.txt\n      echo oops >/dev/stderr\n      echo \
                '{\"type\":\"metric\",\"name\":\"loss\",\"value\":0.5}' >> \"$FANLIGHT_EVENTS\"\n    outputs:\n      \
                text: { path: made.txt, type: text }\noutputs:\n  text: ${{ work.text }}\n";
    fanlight.file("w.yaml", file);
    let given = ["-p", "one=a b'$(id).txt", "-p", "many=[\"a b'$(id).txt\"]"];
    let said = fanlight.say(&[&["run", "w.yaml"], &given[..]].concat()).exits(0);
    assert!(said.out.contains("text\tof a fileof a file"), "{}", said.out);
    let log = fanlight.say(&["logs", "last", "work"]).exits(0).out;
    assert!(log.contains("oops") && log.contains("/login/files/"), "{log}");
    assert!(!log.contains("/engines/"), "{log}");
    assert!(fanlight.say(&["metrics", "last"]).exits(0).out.contains("loss"));
    cluster.await_nothing_left();
}

#[test]
fn its_log_comes_while_it_runs_also_after_the_daemon_was_killed_and_it_can_be_cancelled() {
    let Some(cluster) = cluster() else { return };
    cluster.submit(
        "echo first\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done\necho second\nsleep 1000",
    );
    cluster.await_log("first");
    cluster.fanlight.kill_daemon();
    cluster.fanlight.file("go", "");
    cluster.await_log("second");
    assert_eq!(cluster.log(), "first\nsecond\n");
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
    assert_eq!(cluster.calls("sbatch"), 1);
    cluster.await_nothing_left();
}

#[test]
fn what_ended_while_the_login_node_was_away_is_fetched_when_it_is_back() {
    let Some(cluster) = cluster() else { return };
    cluster.submit("echo begun\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done\necho done >&2\ntouch \"$FANLIGHT_PROJECT/went\"\nexit 3");
    cluster.await_log("begun");
    cluster.ssh_says("ssh: connect to host login port 22: Connection refused");
    let waits = || cluster.fanlight.say(&["why", "last"]).out;
    wait_for("the reason", || waits().contains("`ada@login` can't be reached through `ssh`"));
    cluster.fanlight.file("go", "");
    cluster.await_file("went");
    cluster.fanlight.await_states(&["running"]);
    cluster.ssh_works();
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "exit code 3");
    assert_eq!(cluster.log(), "begun\ndone\n");
    cluster.await_nothing_left();
}

/// A sentence of a login node.
const CLOSED: &str = "under maintenance until 18:00";

#[test]
fn nothing_starts_before_its_files_are_there() {
    let Some(cluster) = cluster() else { return };
    cluster.ssh_says("ssh: connect to host login port 22: Connection refused");
    cluster.submit("cat \"$0\" | wc -c");
    let waits = || cluster.fanlight.say(&["why", "last"]).out;
    wait_for("the reason", || waits().contains("waits until its files on `cluster` can be sent"));
    for code in [1, 127] {
        cluster.login_answers(code, CLOSED);
        wait_for("the words of the login node", || waits().contains(CLOSED));
        cluster.ssh_says("");
        wait_for("a login node that is away", || !waits().contains(CLOSED));
    }
    assert_eq!(cluster.calls("sbatch"), 0);
    cluster.ssh_works();
    cluster.fanlight.await_states(&["completed"]);
    cluster.await_nothing_left();
}

#[test]
fn a_result_waits_for_a_login_node_that_answers_with_a_sentence_while_it_is_fetched() {
    let Some(cluster) = cluster() else { return };
    for code in [0, 1, 24, 127] {
        // The maintenance begins when the end is known, and the result is about to be fetched.
        let begins = format!(
            "case $* in *--checksum*) mv {0}/begins {0}/says 2>/dev/null;; esac",
            cluster.fanlight.programs().display()
        );
        cluster.wrap_rsync(&begins, "");
        fs::write(cluster.fanlight.programs().join("begins"), format!("answers {code}\n{CLOSED}\n")).unwrap();
        cluster.submit("echo computed; echo kept > file");
        let waits = || cluster.fanlight.say(&["why", "last"]).out;
        wait_for("the reason", || waits().contains(CLOSED));
        assert!(waits().contains("waits for its files on `cluster`"), "{}", waits());
        cluster.fanlight.await_states(&["running"]);
        cluster.ssh_works();
        cluster.fanlight.await_states(&["completed"]);
        assert_eq!(cluster.log(), "computed\n");
        cluster.await_nothing_left();
    }
}

#[test]
fn a_command_that_is_cancelled_before_it_was_sent_leaves_no_secret_here() {
    let Some(cluster) = cluster() else { return };
    let fanlight = &cluster.fanlight;
    fanlight.file("token.txt", "hunter2hunter2");
    let token = fs::File::open(fanlight.path("token.txt")).unwrap();
    assert!(fanlight.command(&["secrets", "set", "token"]).stdin(token).status().unwrap().success());
    cluster.ssh_says("ssh: connect to host login port 22: Connection refused");
    let file = "engine: cluster\nnodes:\n  work:\n    with: { token: '${{ secrets.token }}' }\n    run: test -n \"$token\"\n";
    fanlight.file("w.yaml", file).say(&["run", "w.yaml", "--detach"]).exits(0);
    wait_for("the reason", || fanlight.say(&["why", "last"]).out.contains("can be sent"));
    fanlight.say(&["cancel", "last"]).exits(0);
    fanlight.await_states(&["cancelled"]);
    let starts = || walk(&fanlight.path("../h/state/engines")).iter().any(|path| path.ends_with("start"));
    wait_for("the copy to be removed", || !starts());
}

#[test]
fn a_job_whose_folder_is_gone_can_be_cancelled() {
    let Some(cluster) = cluster() else { return };
    cluster.submit("echo begun\nsleep 1000");
    cluster.await_log("begun");
    fs::rename(cluster.file("files"), cluster.file("gone")).unwrap();
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.await_call("scancel");
    cluster.fanlight.await_states(&["cancelled"]);
}

#[test]
fn a_change_that_keeps_size_and_time_is_seen() {
    let Some(cluster) = cluster() else { return };
    let fanlight = &cluster.fanlight;
    fs::create_dir(fanlight.path("project")).unwrap();
    let file = "engine: cluster\nnodes:\n  work:\n    dir: { copy: project }\n    run: cp -p kept before; printf 2 > kept; \
                touch -r before kept\n    outputs:\n      text: { path: kept, type: text }\noutputs:\n  text: ${{ work.text }}\n";
    fanlight.file("project/kept", "1").file("w.yaml", file);
    let said = fanlight.say(&["run", "w.yaml"]).exits(0).out;
    assert!(said.contains("text\t2"), "{said}");
}

#[test]
fn a_copy_of_a_folder_travels_and_one_of_this_computer_is_refused() {
    let Some(cluster) = cluster() else { return };
    let fanlight = &cluster.fanlight;
    fs::create_dir(fanlight.path("project")).unwrap();
    for (name, text) in [("project/kept", "1\n"), ("project/gone", "1\n")] {
        fanlight.file(name, text);
    }
    let file = |dir: &str, port: &str| {
        format!(
            "engine: cluster\nnodes:\n  work:\n    dir: {dir}\n    run: |\n      rm gone\n      echo 2 >> kept\n      \
             echo 3 > new\noutputs:\n  made: ${{{{ work.{port} }}}}\n"
        )
    };
    fanlight.file("w.yaml", &file("project", "stdout"));
    fanlight.say(&["run", "w.yaml"]).exits(2).complains("write `dir: { copy: … }`");
    fanlight.file("w.yaml", &file("{ copy: project, collect: patch }", "patch"));
    fanlight.say(&["run", "w.yaml", "--out", "made"]).exits(0);
    let made = walk(&fanlight.path("made"));
    let patch = fs::read_to_string(made.first().unwrap()).unwrap();
    for line in ["--- a/gone", "+++ /dev/null", "+2", "+++ b/new", "+3"] {
        assert!(patch.contains(line), "`{line}` in {patch}");
    }
    cluster.await_nothing_left();
}

impl Cluster {
    /// Notes each file that rsync sends, or fetches, and how many bytes of it.
    fn note_files(&self) {
        let options = format!("--log-file={} --log-file-format='%o %b %f'", self.file("moved").display());
        self.wrap_rsync(":", &options);
    }

    /// Has rsync called with more options, after a line of shell.
    fn wrap_rsync(&self, before: &str, options: &str) {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join("rsync"))
            .find(|path| path.exists());
        let text = format!("#!/bin/sh\n{before}\nexec {} {options} \"$@\"\n", found.unwrap().display());
        let wrapper = self.fanlight.programs().join("rsync");
        fs::write(&wrapper, text).unwrap();
        fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }

    /// Returns how many bytes were sent to the cluster.
    fn sent(&self) -> u64 {
        let moved = fs::read_to_string(self.file("moved")).unwrap_or_default();
        let sent = moved
            .lines()
            .filter_map(|line| line.split_once(" send ")?.1.split(' ').next()?.parse::<u64>().ok());
        sent.sum()
    }

    /// Returns the inputs that are there for all attempts.
    fn inputs(&self) -> Vec<std::path::PathBuf> {
        let mut inputs = walk(&self.file("files/inputs"));
        inputs.retain(|path| path.extension().is_none_or(|it| it != "seal"));
        inputs
    }
}

const READS: &str = "params:\n  file: { type: file }\n  folder: { type: dir }\n  n: { type: int, default: 0 }\nengine: \
                     cluster\nnodes:\n  work:\n    with: { file: '${{ params.file }}', folder: '${{ params.folder }}', n: \
                     '${{ params.n }}' }\n    run: |\n      cat \"$file\" \"$folder\"/*/* | tr -d c | wc -c\n      rm -f \"$file\"; echo \
                     spoiled > \"$file\"\noutputs:\n  said: ${{ work.stdout }}\n";

#[test]
fn an_input_is_sent_once_for_all_attempts_and_again_only_if_it_is_damaged_or_old() {
    let Some(cluster) = cluster() else { return };
    cluster.note_files();
    let fanlight = &cluster.fanlight;
    fs::create_dir_all(fanlight.path("folder/below")).unwrap();
    let text = |letter: &str| letter.repeat(1_000_000);
    fanlight.file("w.yaml", READS).file("file", &text("a")).file("folder/below/b", &text("b"));
    let run = |more: &[&str]| {
        fanlight.say(&[&["run", "w.yaml", "-p", "file=file", "-p", "folder=folder"], more].concat()).exits(0);
        assert_eq!(cluster.log(), "2000000\n");
    };
    run(&["--sweep", "n=1..2"]);
    assert!((2_000_000..2_100_000).contains(&cluster.sent()), "{} bytes", cluster.sent());
    fanlight.kill_daemon();
    run(&[]);
    assert!(cluster.sent() < 2_100_000, "{} bytes", cluster.sent());

    // One of them was cut there.
    let cut = cluster.inputs().into_iter().find(|path| !path.ends_with("below/b")).unwrap();
    fs::set_permissions(&cut, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::File::options().write(true).open(&cut).unwrap().set_len(7).unwrap();
    run(&[]);
    assert!((3_000_000..3_200_000).contains(&cluster.sent()), "{} bytes", cluster.sent());

    // And then changed.
    let changed = cluster.inputs().into_iter().find(|path| !path.ends_with("below/b")).unwrap();
    fs::set_permissions(&changed, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(&changed, text("c")).unwrap();
    run(&[]);
    assert!((4_000_000..4_200_000).contains(&cluster.sent()), "{} bytes", cluster.sent());

    // Nobody has used another one for long.
    fanlight.kill_daemon();
    let old = cluster.file("files/inputs/old");
    fs::write(&old, "").unwrap();
    fs::File::open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    run(&[]);
    wait_for("the removal of what is old", || !old.exists());
    assert_eq!(cluster.inputs().len(), 2);
    assert!(cluster.sent() < 4_300_000, "{} bytes", cluster.sent());
    cluster.await_nothing_left();
}

/// Returns the files in a folder and below it.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_login_node_without_rsync_fails_with_what_to_install() {
    let Some(cluster) = cluster() else { return };
    fs::write(cluster.file("rsync"), "#!/bin/sh\nexit 127\n").unwrap();
    std::os::unix::fs::symlink("/bin/true", cluster.file("true")).unwrap();
    let path = cluster.file("rsync");
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    cluster.submit("true");
    cluster.fanlight.await_states(&["failed"]);
    let error = cluster.error();
    assert!(error.contains("no program `rsync` in the PATH of commands at `ada@login`"), "{error}");
    let checked = cluster.fanlight.say(&["engine", "check", "cluster"]).exits(1).out;
    assert!(checked.contains("✗ programs") && checked.contains("`rsync`"), "{checked}");
}
