//! Results that are computed while the daemon is killed.

use fanlight_shared::testing::wait_for;

use crate::support::Fanlight;

/// A command that counts its starts and then waits for a file, and whose result is reused.
const SLOW: &str = "nodes:
  a:
    run: |
      echo started >> \"$FANLIGHT_PROJECT/starts\"
      until [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done
      cat \"$FANLIGHT_PROJECT/notes.txt\"
    remember: { files: notes.txt }
outputs: { said: \"${{ a.stdout }}\" }
";

/// Starts three runs that need the same result, one of which computes it.
fn start_together(fanlight: &Fanlight) {
    fanlight.file("slow.yaml", SLOW).file("notes.txt", "hello\n");
    fanlight.say(&["run", "slow.yaml", "--repeat", "3", "--detach"]).exits(0);
    wait_for_followers(fanlight, 2);
}

/// Waits until this many runs wait for the result of another one.
fn wait_for_followers(fanlight: &Fanlight, count: usize) {
    wait_for("the followers", || {
        let waits = |number: usize| {
            fanlight
                .say(&["why", &format!("slow#{number}")])
                .out
                .contains("waits for the same result of slow#")
        };
        (1..=3).filter(|number| waits(*number)).count() == count
    });
}

fn starts(fanlight: &Fanlight) -> usize {
    std::fs::read_to_string(fanlight.path("starts")).unwrap_or_default().lines().count()
}

/// Returns how many of these runs took the result of another one, and asserts that all have it.
fn reused(fanlight: &Fanlight, runs: usize) -> usize {
    let reused = |number: &usize| {
        let run = format!("slow#{number}");
        let shown = fanlight.say(&["show", &run]).exits(0).out;
        let ended = fanlight.say(&["show", &run, "--json"]).exits(0).json().remove(0);
        assert_eq!((&ended["state"], &ended["outputs"]["said"]), (&"completed".into(), &"hello".into()));
        shown.contains("≡ slow#")
    };
    (1..=runs).filter(reused).count()
}

#[test]
fn a_command_that_outlives_its_daemon_is_shared_by_those_that_waited_for_it() {
    let fanlight = Fanlight::new();
    start_together(&fanlight);
    fanlight.kill_daemon();
    fanlight.say(&["daemon", "start"]).exits(0);
    wait_for_followers(&fanlight, 2);
    fanlight.file("go", "");
    fanlight.await_states(&["completed"; 3]);
    assert_eq!((reused(&fanlight, 3), starts(&fanlight)), (2, 1));
    fanlight.say(&["run", "slow.yaml"]).exits(0);
    assert_eq!((reused(&fanlight, 4), starts(&fanlight)), (3, 1), "a later run reuses it too");
}

#[test]
fn it_is_not_shared_if_a_file_changes_while_no_daemon_runs() {
    let fanlight = Fanlight::new();
    start_together(&fanlight);
    fanlight.kill_daemon();
    // With the same content: the command may have read it in between.
    fanlight.file("notes.txt", "bye\n").file("notes.txt", "hello\n").file("go", "");
    fanlight.say(&["daemon", "start"]).exits(0);
    fanlight.await_states(&["completed"; 3]);
    assert_eq!((reused(&fanlight, 3), starts(&fanlight)), (1, 2), "another one computes it again");
}
