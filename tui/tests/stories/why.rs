//! What runs wait for.

use crate::support::Fanlight;

const HANG: &str = "nodes:
  hold: { run: 'until [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.1; done', lock: bench }
  after: { run: 'true', needs: hold }
";

#[test]
fn why_names_who_holds_what_a_run_waits_for() {
    let fanlight = Fanlight::new();
    fanlight.file("hang.yaml", HANG);
    fanlight.say(&["queue", "--max", "2"]).exits(0);
    fanlight.say(&["run", "hang.yaml", "--repeat", "3", "--detach"]).exits(0);
    crate::support::wait_for("a run that waits for the lock", || {
        fanlight
            .say(&["why", "hang#2"])
            .exits(0)
            .out
            .contains("waits for the lock `bench`; hang#1 hold has it")
    });
    let slots = fanlight.say(&["why", "hang#3"]).exits(0);
    assert!(
        slots.out.contains("hang#3: waits for a slot: 2 at once; hang#1, hang#2 have them"),
        "{}",
        slots.out
    );
    slots.complains("`fanlight queue --max N`");
    let after = fanlight.say(&["why", "hang#2", "after"]).exits(0).out;
    assert!(after.contains("hang#2 after: waits for `hold`"), "{after}");
    fanlight.say(&["why", "hang#2", "hole"]).exits(1).complains("did you mean `hold`?");
    let json = fanlight.say(&["why", "hang#3", "--json"]).exits(0).json().remove(0);
    assert_eq!(json["reasons"][0]["kind"], "slots");
    fanlight.file("go", "");
    crate::support::wait_for("all runs", || {
        let ended = fanlight.say(&["why", "hang#3"]).exits(0).out;
        ended.contains("hang#3: has completed")
    });
}
