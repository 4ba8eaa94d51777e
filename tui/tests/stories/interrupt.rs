//! Ctrl-C.

use crate::support::wait_for;
use crate::{GATED, gated};

#[test]
fn the_first_ctrl_c_cancels_what_was_started() {
    let fanlight = gated();
    let running = fanlight.start(&["run", "gated.yaml", "--sweep", "seed=1..2"]);
    fanlight.await_states(&["running", "running"]);
    running.interrupt();
    running.ends().exits(130);
    fanlight.await_states(&["cancelled", "cancelled"]);
}

#[test]
fn the_second_ctrl_c_exits_at_once_and_the_cancelling_continues() {
    let fanlight = gated();
    let config = fanlight.path("../h/config");
    std::fs::create_dir_all(&config).unwrap();
    // A command that ignores signals has all the time it needs.
    std::fs::write(config.join("config.toml"), "grace = \"1h\"\n").unwrap();
    let deaf = GATED.replace("echo begun $seed", "trap '' TERM; echo begun $seed");
    let running = fanlight.file("gated.yaml", &deaf).start(&["run", "gated.yaml"]);
    wait_for("the command's first line", || fanlight.say(&["logs", "last"]).out == "begun 1\n");
    running.interrupt();
    fanlight.await_states(&["cancelling"]);
    running.interrupt();
    running.ends().exits(130).complains("Ctrl-C again leaves at once");
    fanlight.await_states(&["cancelling"]);
    fanlight.file("go", "");
    fanlight.await_states(&["cancelled"]);
}

#[test]
fn leaving_a_watch_cancels_nothing() {
    let fanlight = gated();
    fanlight.say(&["run", "gated.yaml", "--detach"]).exits(0);
    let mut watching = fanlight.start(&["watch", "last", "--json"]);
    // The first line says that it is watching.
    watching.writes_a_line();
    watching.interrupt();
    watching.ends().exits(130);
    fanlight.await_states(&["running"]);
}
