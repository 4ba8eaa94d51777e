//! Stories about the form.

use fanlight_shared::rpc::runs;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::document::{Purpose, Request};
use crate::ui::message::Entry;
use crate::ui::testing::{self, opened, paint, press, response, run_id, screen, with_runs, write};

/// Returns the form of a workflow with these params.
fn form(params: &str) -> Model {
    let text = format!("name: Test\nparams:\n{params}\nnodes:\n  a: {{ run: \"true\" }}\n");
    let mut model = opened();
    let workflow = testing::workflow(&text);
    if let Some(open) = &mut model.workflow {
        open.document.workflow = Some(workflow);
        open.document.text = text.into();
    }
    model.options.folder = "/home/ada".into();
    press(&mut model, "r");
    paint(&mut model, 120, 40);
    model
}

fn started(effects: Vec<Effect>) -> runs::Start {
    let start =
        effects.into_iter().find_map(|it| if let Effect::Start(it) = it { Some(it.start) } else { None });
    start.expect("a start")
}

fn values(start: &runs::Start, name: &str) -> Vec<Value> {
    start.sets.iter().map(|set| set.params[name].clone()).collect()
}

#[test]
fn a_range_makes_a_run_for_each_value_and_says_how_many() {
    let mut model = form(
        "  seed: { type: int, default: 1, min: 0 }\n  mode: { type: choice, choices: [a, b], default: a }",
    );
    press(&mut model, "backspace");
    write(&mut model, "1..6");
    assert!(screen(&mut model, 120, 40).contains("6 runs"));
    press(&mut model, "tab space right space");
    assert!(screen(&mut model, 120, 40).contains("12 runs"));
    let start = started(press(&mut model, "ctrl-s"));
    assert_eq!(start.sets.len(), 12);
    assert!(model.layers.is_empty());
}

#[test]
fn errors_are_shown_while_typing_and_nothing_starts() {
    let mut model = form("  seed: { type: int, default: 1, min: 0 }");
    write(&mut model, "x");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("something is not right yet"), "{shown}");
    assert!(!press(&mut model, "ctrl-s").iter().any(|it| matches!(it, Effect::Start(_))));
    press(&mut model, "backspace");
    assert!(screen(&mut model, 120, 40).contains("1 run"));
    press(&mut model, "ctrl-u");
    write(&mut model, "-4");
    assert!(!screen(&mut model, 120, 40).contains("ctrl-s starts"), "below the least");
}

#[test]
fn several_lines_are_written_split_and_joined() {
    let mut model = form("  text: { type: text, multiline: true, default: \"\" }");
    write(&mut model, "onetwo");
    press(&mut model, "left left left enter");
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "text"), [Value::from("one\ntwo")]);
}

#[test]
fn backspace_at_the_beginning_of_a_line_joins_it_to_the_one_before() {
    let mut model = form("  text: { type: text, multiline: true, default: \"\" }");
    write(&mut model, "one");
    press(&mut model, "enter");
    write(&mut model, "two");
    press(&mut model, "home backspace");
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "text"), [Value::from("onetwo")]);
}

#[test]
fn a_field_of_one_line_takes_pasted_lines_with_blanks_between_them() {
    let mut model = form("  seed: { type: int, default: 1 }");
    press(&mut model, "tab");
    paste(&mut model, "a\nb");
    assert_eq!(started(press(&mut model, "ctrl-s")).label.as_deref(), Some("a b"));
}

fn folder(model: &mut Model, path: &str, names: &[(&str, bool)]) {
    let entries =
        names.iter().map(|(name, folder)| Entry { name: (*name).to_owned(), folder: *folder }).collect();
    response(model, Response::Folder(path.into(), entries));
}

#[test]
fn a_path_is_completed_by_tab() {
    let mut model = form("  photo: { type: image }\n  seed: { type: int, default: 1 }");
    assert!(
        paint(&mut form("  photo: { type: image }"), 120, 40).is_empty(),
        "the folder was asked for with the first frame"
    );
    folder(&mut model, "/home/ada", &[("photos", true), ("poster.yaml", false)]);
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("photos/") && shown.contains("poster.yaml"), "{shown}");
    write(&mut model, "ph");
    let effects = press(&mut model, "tab");
    assert!(effects.contains(&Effect::ListFolder("/home/ada/photos/".into())), "{effects:?}");
    folder(&mut model, "/home/ada/photos/", &[("sea.png", false), ("sky.png", false)]);
    press(&mut model, "tab");
    assert!(screen(&mut model, 120, 40).contains("photos/s"));
    write(&mut model, "ea");
    assert!(screen(&mut model, 120, 40).contains("there is no `photos/sea`"));
    press(&mut model, "tab");
    let start = started(press(&mut model, "ctrl-s"));
    assert_eq!(values(&start, "photo"), [Value::from("/home/ada/photos/sea.png")]);
}

#[test]
fn tab_moves_on_if_there_is_nothing_to_complete() {
    let mut model = form("  photo: { type: image }\n  seed: { type: int, default: 1 }");
    folder(&mut model, "/home/ada", &[("sea.png", false)]);
    write(&mut model, "sea.png");
    press(&mut model, "tab");
    write(&mut model, "2");
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "seed"), [Value::Int(12)]);
}

#[test]
fn many_runs_ask_first() {
    let mut model = form("  seed: { type: int, default: 1 }");
    press(&mut model, "ctrl-u");
    write(&mut model, "1..500");
    assert!(!press(&mut model, "ctrl-s").iter().any(|it| matches!(it, Effect::Start(_))));
    assert!(screen(&mut model, 120, 40).contains("Start 500 runs?"));
    assert_eq!(started(press(&mut model, "y")).sets.len(), 500);
}

#[test]
fn leaving_asks_only_if_something_was_typed() {
    let mut model = form("  seed: { type: int, default: 1 }");
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
    press(&mut model, "r");
    write(&mut model, "2");
    press(&mut model, "esc");
    assert!(screen(&mut model, 120, 40).contains("Throw away what you typed?"));
    press(&mut model, "n");
    assert_eq!(model.layers.len(), 1);
    press(&mut model, "esc y");
    assert!(model.layers.is_empty());
}

#[test]
fn a_label_applies_to_all_runs_of_a_submission() {
    let mut model = form("  seed: { type: int, default: 1 }");
    press(&mut model, "tab");
    write(&mut model, "trial");
    assert_eq!(started(press(&mut model, "ctrl-s")).label.as_deref(), Some("trial"));
}

#[test]
fn a_form_shows_the_file_as_it_is_now_and_keeps_what_was_typed() {
    let mut model = form("  seed: { type: int, default: 1 }\n  size: { type: int, default: 2 }");
    press(&mut model, "tab ctrl-u");
    write(&mut model, "7");
    let mut now = model.workflow.as_ref().unwrap().document.clone();
    let text = now
        .text
        .replace("default: 1", "default: 5")
        .replace("  seed", "  place: { type: text, default: Hove }\n  seed");
    now.workflow = Some(testing::workflow(&text));
    now.text = text.into();
    let request = Request { source: now.source.clone(), purpose: Purpose::Refresh };
    response(&mut model, Response::Document { request, document: Box::new(now.clone()) });
    let start = started(press(&mut model, "ctrl-s"));
    assert_eq!(start.document, &*now.text);
    assert_eq!(values(&start, "place"), [Value::from("Hove")]);
    assert_eq!(values(&start, "seed"), [Value::Int(5)]);
    assert_eq!(values(&start, "size"), [Value::Int(7)]);
}

#[test]
fn each_marked_choice_starts_its_own_run() {
    let mut model = form("  mode: { type: choice, choices: [fast, good, best], default: good }");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("[ ] fast  [ ] good  [ ] best"), "{shown}");
    press(&mut model, "space right space");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("[ ] fast  [x] good  [x] best") && shown.contains("2 runs"), "{shown}");
    press(&mut model, "*");
    assert!(screen(&mut model, 120, 40).contains("3 runs"));
    let start = started(press(&mut model, "ctrl-s"));
    assert_eq!(values(&start, "mode"), ["fast", "good", "best"].map(Value::from));
}

fn paste(model: &mut Model, text: &str) {
    crate::ui::update::update(model, crate::ui::message::Message::Paste(text.to_owned()));
}

#[test]
fn a_text_keeps_the_lines_and_tabs_that_are_pasted_however_the_terminal_sends_them() {
    let mut model = form("  text: { type: text, default: \"\" }");
    paste(&mut model, "all:\r\n\tmake\rdone\n");
    assert!(screen(&mut model, 120, 40).contains("done"));
    let start = started(press(&mut model, "enter"));
    assert_eq!(values(&start, "text"), [Value::from("all:\n\tmake\ndone\n")]);
}

#[test]
fn a_long_paste_is_complete() {
    let mut model = form("  text: { type: text, default: \"\" }");
    let long = "0123456789".repeat(5_000);
    paste(&mut model, &long);
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "text"), [Value::from(long.as_str())]);
}

#[test]
fn alt_enter_begins_a_line_in_a_text_and_enter_starts() {
    let mut model = form("  text: { type: text, default: \"\" }");
    write(&mut model, "one");
    press(&mut model, "alt-enter");
    write(&mut model, "two");
    let start = started(press(&mut model, "enter"));
    assert_eq!(values(&start, "text"), [Value::from("one\ntwo")]);
}

#[test]
fn the_cursor_of_the_terminal_is_in_the_text_input() {
    let mut model = form("  place: { type: text, default: \"日本\" }\n  seed: { type: int, default: 1 }");
    screen(&mut model, 120, 40);
    let first = model.areas.caret.expect("a caret");
    write(&mut model, "x");
    screen(&mut model, 120, 40);
    assert_eq!(model.areas.caret.map(|it| (it.x, it.y)), Some((first.x + 1, first.y)));
    press(&mut model, "left left");
    screen(&mut model, 120, 40);
    assert_eq!(model.areas.caret.map(|it| it.x), Some(first.x - 2), "two columns a letter");
    press(&mut model, "tab");
    screen(&mut model, 120, 40);
    assert_eq!(model.areas.caret.map(|it| it.y), Some(first.y + 1));
    press(&mut model, "esc y");
    screen(&mut model, 120, 40);
    assert_eq!(model.areas.caret, None, "nothing is written in panes");
}

/// Returns the open form after a run with params that are too long for lists.
fn after_long_params() -> Model {
    let mut last = testing::run(1, RunStatus::Completed);
    last.params = Values::from([("place".to_owned(), Value::from("xxx… (5004 bytes, 12345678)"))]);
    last.params_short = true;
    let mut model = with_runs(&[last]);
    assert!(press(&mut model, "r").contains(&Effect::GetParams(run_id(1))));
    model
}

#[test]
fn long_values_of_the_last_run_are_read_before_they_can_be_submitted() {
    let mut model = after_long_params();
    assert!(!screen(&mut model, 120, 40).contains("5004 bytes"));
    assert!(screen(&mut model, 120, 40).contains("are being read"));
    assert!(!press(&mut model, "ctrl-s").iter().any(|it| matches!(it, Effect::Start(_))));
    let whole = Value::from("x".repeat(5000) + "\tend");
    let params = Values::from([("place".to_owned(), whole.clone()), ("seed".to_owned(), Value::Int(7))]);
    response(&mut model, Response::Params(run_id(1), params));
    let start = started(press(&mut model, "ctrl-s"));
    assert_eq!(
        (&values(&start, "place")[..], &values(&start, "seed")[..]),
        (&[whole][..], &[Value::Int(7)][..])
    );
}

#[test]
fn typed_text_is_kept_when_the_values_of_the_last_run_arrive() {
    let mut model = after_long_params();
    press(&mut model, "ctrl-u");
    write(&mut model, "Hove");
    let params = Values::from([("place".to_owned(), Value::from("y".repeat(5000)))]);
    response(&mut model, Response::Params(run_id(1), params));
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "place"), [Value::from("Hove")]);
}

#[test]
fn a_form_says_that_the_last_values_can_not_be_read() {
    let mut model = after_long_params();
    let request = Box::new(Effect::GetParams(run_id(1)));
    response(&mut model, Response::Failed { request, error: "no such run".to_owned(), why: Why::Gone });
    assert!(screen(&mut model, 120, 40).contains("the last values can't be read: no such run"));
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "place"), [Value::from("Brighton")]);
}

#[test]
fn a_value_that_was_not_edited_is_submitted_as_it_was() {
    for text in ["[\"a\", \"b\"]", "a\tb", "one\ntwo"] {
        let mut last = testing::run(1, RunStatus::Completed);
        last.params = Values::from([("place".to_owned(), Value::from(text))]);
        last.params_short = true;
        let mut model = with_runs(&[last.clone()]);
        press(&mut model, "r");
        response(&mut model, Response::Params(run_id(1), last.params));
        assert_eq!(values(&started(press(&mut model, "ctrl-s")), "place"), [Value::from(text)]);
    }
}

#[test]
fn the_model_of_a_provider_is_completed_by_tab() {
    use fanlight_shared::rpc::models::Provider;
    let text = "name: Test\nparams:\n  model: { type: text, default: \"\" }\n  provider: { type: text, default: openai }\n\
                nodes:\n  a:\n    uses: llm.chat\n    with:\n      provider: \"${{ params.provider }}\"\n      \
                model: \"${{ params.model }}\"\n      prompt: x\n";
    let mut model = opened();
    if let Some(open) = &mut model.workflow {
        let checked = fanlight_shared::document::read(text, &crate::embedded::catalogue()).unwrap();
        open.document.workflow = Some(std::sync::Arc::new(checked.workflow));
        open.document.text = text.into();
    }
    let asked = press(&mut model, "r");
    let asked = [asked, paint(&mut model, 120, 40)].concat();
    assert!(asked.contains(&Effect::ListModels("openai".into())), "{asked:?}");
    let models = ["gpt-5", "gpt-5-mini"].map(str::to_owned).to_vec();
    let provider = Provider { provider: "openai".into(), models, ..Provider::default() };
    response(&mut model, Response::Models(vec![provider]));
    write(&mut model, "mini");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("gpt-5-mini"), "{shown}");
    press(&mut model, "tab");
    assert_eq!(values(&started(press(&mut model, "ctrl-s")), "model"), [Value::from("gpt-5-mini")]);
}

fn forked(effects: Vec<Effect>) -> Vec<runs::Resume> {
    let requests = effects.into_iter().find_map(|it| if let Effect::Fork(it) = it { Some(it) } else { None });
    requests.expect("a fork")
}

#[test]
fn a_fork_begins_at_the_selected_node_with_the_params_of_the_run_in_focus() {
    let mut run = testing::run(2, RunStatus::Completed);
    run.params.insert("place".into(), Value::from("Hove"));
    run.params.insert("seed".into(), Value::Int(5));
    let mut model = with_runs(&[testing::run(1, RunStatus::Completed), run.clone()]);
    testing::focus(&mut model);
    model.grid.selected = Some("framed".into());
    press(&mut model, "F");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("Fork poster#2 at framed") && shown.contains("Hove"), "{shown}");
    assert!(!shown.contains("label"), "it has no label of its own: {shown}");
    let as_it_was = forked(press(&mut model, "ctrl-s"));
    assert_eq!(as_it_was.len(), 1);
    assert_eq!((as_it_was[0].run, as_it_was[0].at.as_deref()), (run.id, Some("framed")));
    assert!(as_it_was[0].params.is_empty(), "only what was changed is sent");

    press(&mut model, "F tab ctrl-u");
    write(&mut model, "7,8");
    press(&mut model, "tab ctrl-u");
    write(&mut model, "2");
    let requests = forked(press(&mut model, "ctrl-s"));
    let seeds: Vec<_> = requests.iter().map(|it| it.params.get("seed").cloned()).collect();
    assert_eq!(seeds, [7, 7, 8, 8].map(|seed| Some(Value::Int(seed))));
    assert!(requests.iter().all(|it| it.params.len() == 1));
    let keys: std::collections::HashSet<_> = requests.iter().map(|it| it.request_key.clone()).collect();
    assert_eq!(keys.len(), 4);

    testing::fail(&mut model, Effect::Fork(requests), "`seed` is refused");
    assert!(
        screen(&mut model, 120, 40).contains("`seed` is refused"),
        "the form is back with what was typed"
    );
}

#[test]
fn the_form_of_a_fork_that_was_refused_halfway_does_not_come_back() {
    let mut model = with_runs(&[testing::run(2, RunStatus::Completed)]);
    testing::focus(&mut model);
    model.grid.selected = Some("framed".into());
    press(&mut model, "F");
    let requests = forked(press(&mut model, "ctrl-s"));
    let started =
        runs::Started { runs: vec![testing::run(3, RunStatus::Queued)], ..runs::Started::default() };
    let request_key = requests[0].request_key.clone();
    let others = Some("1 of 2 started: `seed` is refused".to_owned());
    response(&mut model, Response::Started { request_key, started, others });
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("1 of 2 started") && !shown.contains("Fork poster#2"), "{shown}");
}

#[test]
fn a_run_that_has_not_ended_is_not_forked() {
    let mut model = with_runs(&[testing::run(1, RunStatus::Running)]);
    testing::focus(&mut model);
    model.grid.selected = Some("framed".into());
    press(&mut model, "F");
    assert!(model.layers.is_empty());
}
