//! Stories about forms whose requests fail while the daemon comes and goes.

use fanlight_shared::run::RunStatus;

use super::*;
use crate::ui::message::{Link, Message, Response, Why};
use crate::ui::testing::{opened, paint, press, response, run, run_id, screen, with_runs, write};
use crate::ui::update::update;

/// Opens the form of the file on screen, types a seed and submits it. Returns the request.
fn submitted(model: &mut Model, seed: &str) -> Effect {
    press(model, "r tab ctrl-u");
    write(model, seed);
    request(press(model, "enter"))
}

fn request(effects: Vec<Effect>) -> Effect {
    let found = effects.into_iter().find(|effect| effect.request_key().is_some());
    found.expect("a request")
}

fn fail_away(model: &mut Model, request: &Effect) {
    let error = "the daemon is away".to_owned();
    response(model, Response::Failed { request: Box::new(request.clone()), error, why: Why::Away });
}

fn succeed(model: &mut Model, request: &Effect, number: u32) {
    let request_key = request.request_key().unwrap().to_owned();
    let started = runs::Started { runs: vec![run(number, RunStatus::Running)], ..runs::Started::default() };
    response(model, Response::Started { request_key, started, others: None });
}

fn seed(request: &Effect) -> String {
    match request {
        Effect::Start(submission) => format!("{:?}", submission.start.sets[0].params["seed"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_submitted_forms_only_the_one_whose_request_failed_comes_back() {
    let mut model = opened();
    let first = submitted(&mut model, "11");
    let second = submitted(&mut model, "22");
    assert_ne!(first.request_key(), second.request_key());
    fail_away(&mut model, &first);
    succeed(&mut model, &second, 1);
    assert_eq!(model.layers.len(), 1);
    let again = request(press(&mut model, "enter"));
    assert_eq!(seed(&again), seed(&first), "the values of the first form");
    assert!(model.layers.is_empty());
}

#[test]
fn two_submitted_forms_that_failed_both_come_back() {
    let mut model = opened();
    let first = submitted(&mut model, "11");
    let second = submitted(&mut model, "22");
    fail_away(&mut model, &first);
    fail_away(&mut model, &second);
    assert_eq!(model.layers.len(), 2);
    assert_eq!(request(press(&mut model, "enter")), first);
    assert_eq!(request(press(&mut model, "enter")), second);
}

#[test]
fn a_form_that_comes_back_takes_no_keys_from_the_one_that_is_being_filled_in() {
    let mut model = opened();
    let first = submitted(&mut model, "11");
    press(&mut model, "r tab ctrl-u");
    write(&mut model, "2");
    fail_away(&mut model, &first);
    write(&mut model, "2");
    let second = request(press(&mut model, "enter"));
    assert!(seed(&second).contains("22"), "{second:?}");
    assert_eq!(request(press(&mut model, "enter")), first);
}

#[test]
fn a_start_whose_response_was_lost_is_repeated_with_its_key_until_a_value_changes() {
    let mut model = opened();
    let first = submitted(&mut model, "7");
    fail_away(&mut model, &first);
    let again = request(press(&mut model, "enter"));
    assert_eq!(again, first, "the daemon returns the run that exists");
    fail_away(&mut model, &again);
    write(&mut model, "8");
    let other = request(press(&mut model, "enter"));
    assert_ne!(other.request_key(), first.request_key());
    fail_away(&mut model, &other);
    assert_eq!(request(press(&mut model, "enter")), other);

    succeed(&mut model, &other, 3);
    let toast = &model.toasts.shown.last().unwrap().text;
    assert!(toast.ends_with("was submitted, only once"), "{toast}");
    assert!(model.layers.is_empty());
    let new = submitted(&mut model, "78");
    assert_ne!(new.request_key(), other.request_key(), "a new form starts a new run");
}

#[test]
fn a_fork_whose_response_was_lost_is_repeated_with_its_keys() {
    let mut model = with_runs(&[run(2, RunStatus::Completed)]);
    crate::ui::testing::focus(&mut model);
    model.grid.selected = Some("framed".into());
    press(&mut model, "F tab ctrl-u");
    write(&mut model, "7,8");
    let first = request(press(&mut model, "ctrl-s"));
    fail_away(&mut model, &first);
    assert_eq!(request(press(&mut model, "ctrl-s")), first);
}

#[test]
fn a_resumption_and_a_repeated_run_keep_their_keys_while_their_responses_are_lost() {
    for key in ["u", "R"] {
        let mut model = with_runs(&[run(2, RunStatus::Failed)]);
        model.pane = crate::ui::pane::Pane::Queue;
        paint(&mut model, 120, 40);
        model.queue.cursor = Some(crate::ui::model::queue::At::Run(run_id(2)));
        let first = request(press(&mut model, key));
        fail_away(&mut model, &first);
        assert_eq!(request(press(&mut model, key)), first, "{key}");
        succeed(&mut model, &first, 3);
        let new = request(press(&mut model, key));
        assert_ne!(new.request_key(), first.request_key(), "{key}");
    }
}

#[test]
fn a_form_says_that_the_daemon_is_away_only_until_it_is_back() {
    let mut model = opened();
    let up = model.link.clone();
    update(&mut model, Message::Link(Link::Down("it went".to_owned())));
    let first = submitted(&mut model, "7");
    fail_away(&mut model, &first);
    model.toasts.dismiss(None);
    assert!(screen(&mut model, 120, 40).contains("the daemon is away"));
    update(&mut model, Message::Link(up));
    let shown = screen(&mut model, 120, 40);
    assert!(!shown.contains("the daemon is away") && shown.contains("starts"), "{shown}");
}
