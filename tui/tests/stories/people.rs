//! Runs that ask people.

use super::support::{Fanlight, wait_for};

const LETTER: &str = "nodes:
  letter: { uses: text.template, with: { template: 'Dear Ada' } }
  approve: { uses: human.approve, with: { question: 'Send it?', value: '${{ letter.text }}' } }
outputs:
  sent: '${{ approve.value }}'
";

const MANY: &str = "nodes:
  pick: { uses: human.pick, with: { items: [red, green, blue], question: 'Which one?' } }
  size: { uses: human.ask, with: { question: 'How large?', type: int } }
  keep: { uses: human.approve, each: [a, b], with: { question: 'Keep ${{ item }}?', on_reject: continue } }
  note: { uses: human.ask, needs: [pick], with: { question: 'A note?', default: none } }
outputs:
  picked: '${{ pick.item }}'
  size: '${{ size.answer }}'
  kept: '${{ keep.approved }}'
  note: '${{ note.answer }}'
";

/// Returns a run that waits for its answers.
fn parked(document: &str) -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("letter.yaml", document);
    fanlight.say(&["run", "letter.yaml", "--detach"]).exits(0);
    fanlight.await_states(&["parked"]);
    fanlight
}

#[test]
fn a_question_survives_a_killed_daemon_and_so_does_its_answer() {
    let fanlight = parked(LETTER);
    fanlight.kill_daemon();
    let listed = fanlight.say(&["answer", "--json"]).exits(0).json();
    assert_eq!((listed[0]["run"].as_str(), listed[0]["text"].as_str()), (Some("letter#1"), Some("Send it?")));
    assert_eq!((&listed[0]["kind"], &listed[0]["show"][0]), (&"yes_no".into(), &"Dear Ada".into()));
    fanlight.kill_daemon();
    // With the queue paused, the answer waits for its slot, across another death.
    fanlight.say(&["queue", "--pause"]).exits(0);
    fanlight.say(&["answer", "letter", "yes"]).exits(0).complains("letter#1 approve: yes");
    fanlight.kill_daemon();
    assert_eq!(fanlight.runs()[0]["state"], "parked");
    assert_eq!(fanlight.runs()[0]["asks"], serde_json::Value::Null);
    fanlight.say(&["queue", "--continue"]).exits(0);
    fanlight.await_states(&["completed"]);
    let shown = fanlight.say(&["show", "letter", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"]["sent"], "Dear Ada");
    let asked = &shown["questions"][0];
    assert_eq!(
        (&asked["node"], &asked["said"], &asked["by"]),
        (&"approve".into(), &"yes".into(), &"person".into())
    );
    assert!(fanlight.say(&["show", "letter"]).exits(0).out.contains("Send it?"), "what was asked is shown");
    for again in [&["answer", "letter", "approve", "no"][..], &["answer", "letter", "no"]] {
        fanlight.say(again).exits(1).complains("`approve` of letter#1 has already been answered");
    }
}

#[test]
fn without_a_terminal_a_run_prints_the_command_that_answers_and_waits() {
    let fanlight = Fanlight::new();
    fanlight.file("letter.yaml", LETTER);
    let waiting = fanlight.start(&["run", "letter.yaml"]);
    fanlight.await_states(&["parked"]);
    let watching = fanlight.start(&["watch", "letter"]);
    fanlight.say(&["answer", "letter", "yes"]).exits(0);
    let said = waiting.ends().exits(0);
    assert_eq!(said.out, "letter#1\tsent\tDear Ada\n");
    let said = said.complains("letter#1 approve asks: Send it? (yes or no)");
    let said = said.complains("answer with `fanlight answer 'letter#1' approve yes`");
    assert_eq!(said.err.matches("asks:").count(), 1, "it is said once: {}", said.err);
    watching.ends().exits(0);
}

#[test]
fn no_wait_has_its_own_exit_code() {
    let fanlight = Fanlight::new();
    fanlight.file("letter.yaml", LETTER);
    fanlight.say(&["run", "letter.yaml", "--no-wait"]).exits(4).complains("approve yes`");
    fanlight.say(&["watch", "letter", "--no-wait"]).exits(4).complains("approve yes`");
    let end = fanlight.say(&["watch", "letter", "--no-wait", "--json"]).exits(4).json().pop().unwrap();
    assert_eq!((&end["state"], &end["asks"]["text"]), (&"parked".into(), &"Send it?".into()));
    fanlight.say(&["answer", "letter", "no"]).exits(0);
    fanlight.say(&["watch", "letter", "--no-wait"]).exits(1).complains("the answer was no");
}

#[test]
fn several_questions_are_answered_by_their_names_and_in_words() {
    let fanlight = parked(MANY);
    let listed = fanlight.say(&["answer"]).exits(0).out;
    assert_eq!(listed.lines().count(), 5, "a heading and four questions: {listed}");
    let ps = fanlight.say(&["ps"]).exits(0).complains("1 run waits for an answer");
    assert!(ps.out.contains("parked"), "{}", ps.out);
    let shown = fanlight.say(&["answer", "letter", "pick"]).exits(0).out;
    for part in ["Which one?", "2  green", "one of the numbers 1 to 3", "fanlight answer 'letter#1' pick 1"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    for (words, code, part) in [
        (&["yes"][..], 2, "letter#1 asks 4 things: pick, size, keep[0], keep[1]"),
        (&["note", "x"], 1, "`note` of letter#1 asks nothing"),
        (&["sise", "x"], 2, "did you mean `size`?"),
        (&["size", "large"], 2, "size asks for int: `large` is not an int"),
        (&["pick", "4"], 2, "there is no choice 4"),
        (&["pick", "grene"], 2, "did you mean `green`?"),
        (&["keep[0]", "perhaps"], 2, "neither `yes` nor `no`"),
        (&["keep[7]", "yes"], 1, "`keep[7]` of letter#1 asks nothing"),
    ] {
        let line: Vec<&str> = ["answer", "letter"].into_iter().chain(words.iter().copied()).collect();
        fanlight.say(&line).exits(code).complains(part);
    }
    fanlight.say(&["answer", "nothing#1", "yes"]).exits(1);
    fanlight.say(&["answer", "letter", "size", "-3"]).exits(0);
    fanlight.say(&["answer", "letter", "pick", "2"]).exits(0).complains("letter#1 pick: green");
    fanlight.say(&["answer", "letter", "keep[1]", "n"]).exits(0);
    let again = fanlight.say(&["answer", "letter", "keep[1]", "y"]).exits(1);
    again.complains("`keep[1]` of letter#1 has already been answered");
    fanlight.say(&["answer", "letter", "keep[0]", "y"]).exits(0);
    wait_for("the question that follows", || fanlight.say(&["answer", "letter", "note"]).code == 0);
    fanlight.file("note.txt", "two\nlines\n");
    fanlight.say(&["answer", "letter", "@note.txt"]).exits(0);
    fanlight.await_states(&["completed"]);
    let outputs = fanlight.say(&["show", "letter", "--json"]).exits(0).json()[0]["outputs"].clone();
    let expected =
        serde_json::json!({ "picked": "green", "size": -3, "kept": [true, false], "note": "two\nlines\n" });
    assert_eq!(outputs, expected);
    fanlight.say(&["answer"]).exits(0).complains("nobody is asked anything");
}

#[test]
fn a_parked_run_can_be_cancelled_and_deleted() {
    let fanlight = parked(LETTER);
    fanlight.say(&["delete", "letter", "--yes"]).exits(1).complains("letter#1");
    fanlight.say(&["cancel", "letter", "--wait"]).exits(0);
    fanlight.await_states(&["cancelled"]);
    fanlight.say(&["answer", "letter", "yes"]).exits(1).complains("asks nothing: it is cancelled");
    let shown = fanlight.say(&["show", "letter"]).exits(0).out;
    assert!(shown.contains("was not answered"), "{shown}");
    fanlight.say(&["delete", "letter", "--yes"]).exits(0);
    assert!(fanlight.runs().is_empty());
}

#[test]
fn a_run_that_is_deleted_while_it_is_followed_has_not_succeeded() {
    let fanlight = parked(LETTER);
    let mut watching = fanlight.start(&["watch", "letter"]);
    let mut as_json = fanlight.start(&["watch", "letter", "--json"]);
    watching.complains_once();
    as_json.writes_a_line();
    // They don't see the cancel before the deletion.
    watching.signal(rustix::process::Signal::STOP);
    as_json.signal(rustix::process::Signal::STOP);
    fanlight.say(&["cancel", "letter", "--wait"]).exits(0);
    fanlight.say(&["delete", "letter", "--yes"]).exits(0);
    watching.signal(rustix::process::Signal::CONT);
    as_json.signal(rustix::process::Signal::CONT);
    watching.ends().exits(1).complains("letter#1 was deleted");
    as_json.ends().exits(1).complains("letter#1 was deleted while it was followed");
}

#[test]
fn the_product_sheet_is_a_draft_where_nobody_answers_and_published_after_a_yes() {
    let fanlight = Fanlight::new();
    let unattended = ["run", "product_sheet", "-p", "patience=100ms", "-p", "pictures=2", "--out", "a"];
    let said = fanlight.say(&unattended).exits(0);
    assert!(
        said.out.contains("approved\ta/product_sheet-1/approved.json") && said.out.contains("draft"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("published"), "{}", said.out);
    let attended = fanlight.start(&["run", "product_sheet", "-p", "pictures=2", "--out", "b"]);
    for (node, answer) in [("pick", "2"), ("line", "A lamp for tides"), ("approve", "yes")] {
        wait_for(node, || fanlight.say(&["answer", "product_sheet#2", node, answer]).code == 0);
    }
    let said = attended.ends().exits(0);
    assert!(said.out.contains("published"), "{}", said.out);
    super::png_size(&fanlight.path("b/product_sheet-2/published.png"));
}
