//! Somebody is asked, and answers.

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::question::Question;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::types::Type;

use super::*;
use crate::ui::message::{Link, Message};
use crate::ui::testing::{
    NOW, fail, paint, press, response, run, run_id, screen, with_runs, workflow_id, write,
};
use crate::ui::update::update;

/// Returns a run that asks this many questions, the first of which is this one.
fn asking(number: u32, count: u32, text: &str) -> Run {
    let asks = Asks { count, node: "framed".into(), item: ItemPath::WHOLE, text: text.into() };
    Run { asks: Some(Box::new(asks)), ..run(number, RunStatus::Parked) }
}

fn open(number: u32, node: &str, question: Question) -> OpenQuestion {
    OpenQuestion {
        workflow_id: workflow_id(),
        run_id: run_id(number),
        run: format!("poster#{number}"),
        label: format!("seed={number}"),
        node: node.to_owned(),
        item: ItemPath::WHOLE,
        attempt: 1,
        asked_at: NOW,
        question,
    }
}

fn picture(name: &str) -> Value {
    Value::from(Media {
        kind: MediaKind::Image,
        hash: BlobHash::of(name.as_bytes()),
        mime: "image/png".into(),
        bytes: 120_000,
        name: name.to_owned(),
        width: Some(640),
        height: Some(480),
        executable: false,
        source: None,
    })
}

/// Returns a model with a run that asks these, and the layer open.
fn asked(questions: Vec<OpenQuestion>) -> Model {
    let mut model = with_runs(&[asking(1, 1, "Print it?"), run(2, RunStatus::Completed)]);
    assert!(press(&mut model, "a").contains(&Effect::ListQuestions));
    response(&mut model, Response::Questions(questions));
    model
}

/// Returns a model that shows the first of three questions of this kind, each of another run.
fn three(question: &Question) -> (Model, Vec<OpenQuestion>) {
    let questions: Vec<OpenQuestion> =
        (1..=3).map(|number| open(number, "framed", question.clone())).collect();
    let mut model = with_runs(&[asking(1, 1, "?"), asking(2, 1, "?"), asking(3, 1, "?")]);
    model.shown = None;
    press(&mut model, "a");
    response(&mut model, Response::Questions(questions.clone()));
    assert!(screen(&mut model, 80, 20).contains("poster#1 seed=1 · framed asks  1 of 3"));
    (model, questions)
}

fn tell(model: &mut Model, run: Run) -> Vec<Effect> {
    let event = DaemonEvent::RunUpdate { run: Box::new(run) };
    update(model, Message::Notification(Box::new(Notification::Daemon { seq: 9, event })))
}

fn away(model: &mut Model, answer: runs::Answer) -> Vec<Effect> {
    let (request, error) = (Box::new(Effect::Answer(Box::new(answer))), "the daemon is away".to_owned());
    response(model, Response::Failed { request, error, why: Why::Away })
}

/// Returns the answer that is sent.
fn sent(effects: &[Effect]) -> Option<runs::Answer> {
    effects.iter().find_map(|effect| match effect {
        Effect::Answer(answer) => Some((**answer).clone()),
        _ => None,
    })
}

#[test]
fn yes_is_one_key_and_the_layer_closes_when_it_is_stored() {
    let question = Question { show: vec![Value::from("Dear Ada")], ..Question::yes_no("Print it?") };
    let mut model = asked(vec![open(1, "framed", question)]);
    insta::assert_snapshot!(screen(&mut model, 80, 20));
    let answer = sent(&press(&mut model, "y")).unwrap();
    assert_eq!((answer.value.clone(), answer.attempt), (Value::Bool(true), Some(1)));
    assert_eq!(sent(&press(&mut model, "n")), None, "it is on its way");
    response(&mut model, Response::Answered(Box::new(answer)));
    assert!(model.layers.is_empty());
    assert!(screen(&mut model, 120, 40).contains("answered framed of poster#1"));
}

#[test]
fn the_key_that_answers_opens_one_layer() {
    let question = Question::choice("Which?", vec![Value::from("a"), Value::from("b")], false);
    let mut model = asked(vec![open(1, "framed", question)]);
    press(&mut model, "a");
    assert_eq!(model.layers.len(), 1);
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
}

#[test]
fn enter_takes_the_proposed_default() {
    let mut model = asked(vec![open(1, "framed", Question::yes_no("Print it?"))]);
    assert_eq!(sent(&press(&mut model, "enter")), None);
    assert!(screen(&mut model, 80, 20).contains("press y or n"));
    let proposed = Question { default: Some(Value::Bool(false)), ..Question::yes_no("Print it?") };
    let mut model = asked(vec![open(1, "framed", proposed)]);
    assert_eq!(sent(&press(&mut model, "enter")).unwrap().value, Value::Bool(false));
}

#[test]
fn a_text_of_several_lines_is_kept_when_it_is_refused() {
    let mut model = asked(vec![open(1, "title", Question::value("Which title?", Type::Text))]);
    write(&mut model, "yes, a");
    press(&mut model, "alt-enter");
    update(&mut model, Message::Paste("quiet\nsea".to_owned()));
    insta::assert_snapshot!(screen(&mut model, 80, 20));
    let answer = sent(&press(&mut model, "enter")).unwrap();
    assert_eq!(answer.value, Value::from("yes, a\nquiet\nsea"));
    let effects =
        fail(&mut model, Effect::Answer(Box::new(answer)), "`title` of poster#1 was answered already");
    assert!(effects.contains(&Effect::ListQuestions));
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("quiet") && shown.contains("was answered already"), "{shown}");
    press(&mut model, "esc");
    assert_eq!(model.layers.len(), 1, "it would be lost");
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
}

#[test]
fn a_number_that_cannot_be_parsed_is_an_error() {
    let mut model = asked(vec![open(1, "size", Question::value("How large?", Type::Int))]);
    write(&mut model, "big");
    assert_eq!(sent(&press(&mut model, "enter")), None);
    assert!(screen(&mut model, 80, 20).contains("`big` is not an int"));
    press(&mut model, "ctrl-u");
    write(&mut model, "12");
    assert_eq!(sent(&press(&mut model, "enter")).unwrap().value, Value::Int(12));
}

#[test]
fn one_of_several_pictures_is_picked_and_all_in_view_are_requested() {
    let pictures: Vec<Value> = (1..=4).map(|number| picture(&format!("sky-{number}.png"))).collect();
    let mut model = asked(vec![open(1, "pick", Question::choice("Which one?", pictures, false))]);
    let wanted = paint(&mut model, 120, 40);
    let wanted: Vec<&PictureRequest> =
        wanted.iter().filter_map(|it| if let Effect::Paint(it) = it { Some(it) } else { None }).collect();
    assert_eq!(wanted.len(), 4);
    assert!(wanted.iter().any(|it| it.of == BlobHash::of(b"sky-3.png").into()));
    press(&mut model, "l down");
    insta::assert_snapshot!(screen(&mut model, 100, 30));
    assert_eq!(sent(&press(&mut model, "enter")).unwrap().value, Value::Int(3));
}

#[test]
fn any_number_of_texts_can_be_marked() {
    let colours = ["red", "green", "blue"].map(Value::from).to_vec();
    let mut model = asked(vec![open(1, "pick", Question::choice("Which ones?", colours, true))]);
    model.options.ascii = true;
    press(&mut model, "space 3 space");
    insta::assert_snapshot!(screen(&mut model, 80, 20));
    let picked = sent(&press(&mut model, "enter")).unwrap().value;
    assert_eq!(picked, Value::List(vec![Value::Int(0), Value::Int(2)]));
}

#[test]
fn the_question_of_the_run_that_is_looked_at_comes_first_and_tab_shows_the_next() {
    let mut model = with_runs(&[asking(1, 1, "One?"), asking(2, 1, "Two?")]);
    let focused = model.lens().unwrap().run.number;
    press(&mut model, "a");
    let questions = [1, 2].map(|number| open(number, "framed", Question::yes_no(&format!("No. {number}?"))));
    response(&mut model, Response::Questions(questions.to_vec()));
    assert!(screen(&mut model, 80, 20).contains(&format!("No. {focused}?")));
    press(&mut model, "tab");
    let other = sent(&press(&mut model, "n")).unwrap();
    assert_eq!(other.run_id, run_id(3 - focused));
    response(&mut model, Response::Answered(Box::new(other)));
    assert!(screen(&mut model, 80, 20).contains(&format!("No. {focused}?")), "one is left");
}

#[test]
fn a_new_question_is_announced_in_every_pane() {
    let mut model = with_runs(&[run(1, RunStatus::Running), run(2, RunStatus::Completed)]);
    assert!(!screen(&mut model, 120, 40).contains("answer what is asked"));
    tell(&mut model, asking(1, 2, "Print it?\u{1b}[2J"));
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("poster#1 asks: Print it? (a answers)"), "{shown}");
    assert!(shown.contains("a answer what is asked"), "{shown}");
    assert!(shown.contains("asks: Print it? +1"), "the queue shows it: {shown}");
    // The layer reads the questions again when they change.
    press(&mut model, "a");
    response(&mut model, Response::Questions(vec![open(1, "framed", Question::yes_no("Print it?"))]));
    let effects = tell(&mut model, asking(1, 1, "And this?"));
    assert!(effects.contains(&Effect::ListQuestions), "{effects:?}");
    let effects = tell(&mut model, asking(1, 1, "And this?"));
    assert!(!effects.contains(&Effect::ListQuestions), "{effects:?}");
}

#[test]
fn the_deadline_counts_down_and_says_what_follows() {
    let question = Question {
        default: Some(Value::Bool(true)),
        deadline: Some(Time(NOW.0 + 90_000)),
        ..Question::yes_no("Print it?")
    };
    let mut model = asked(vec![open(1, "framed", question)]);
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("1:30 left, then yes"), "{shown}");
    assert!(model.areas.tick.is_some_and(|tick| tick <= 1_000));
}

#[test]
fn a_draft_is_never_sent_to_the_question_that_follows_one_answered_elsewhere() {
    let (mut model, questions) = three(&Question::value("Which title?", Type::Text));
    write(&mut model, "A quiet sea");
    response(&mut model, Response::Questions(questions[1..].to_vec()));
    insta::assert_snapshot!(screen(&mut model, 80, 20));
    // What is typed, pasted or sent before the user has seen it goes nowhere.
    write(&mut model, "q!");
    update(&mut model, Message::Paste("more".to_owned()));
    assert_eq!(sent(&press(&mut model, "enter")), None);
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("A quiet sea  ") && shown.contains("1 of 3"), "{shown}");
    assert!(shown.contains("poster#1 was answered elsewhere, so this can't be sent; tab goes on"), "{shown}");
    // It stays until the user goes on, whatever else arrives.
    response(&mut model, Response::Questions(questions[2..].to_vec()));
    assert!(screen(&mut model, 80, 20).contains("A quiet sea"));
    press(&mut model, "tab");
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("poster#3 seed=3 · framed asks ─") && !shown.contains("quiet"), "{shown}");
    write(&mut model, "Dawn");
    let answer = sent(&press(&mut model, "enter")).unwrap();
    assert_eq!((answer.run_id, answer.value), (run_id(3), Value::from("Dawn")));
}

#[test]
fn a_choice_a_yes_or_a_click_is_never_taken_by_the_question_that_follows() {
    let pictures = ["sky.png", "sea.png"].map(picture).to_vec();
    let texts = ["red", "blue"].map(Value::from).to_vec();
    for question in [
        Question::yes_no("Print it?"),
        Question::choice("Which?", texts, true),
        Question::choice("Which?", pictures, false),
    ] {
        let (mut model, questions) = three(&question);
        press(&mut model, "2");
        response(&mut model, Response::Questions(questions[1..].to_vec()));
        for key in ["2", "1", "space", "y", "n", "enter", "right", "enter"] {
            assert_eq!(sent(&press(&mut model, key)), None, "{key}");
        }
        let shown = screen(&mut model, 80, 20);
        assert!(shown.contains("can't be sent") && shown.contains("poster#1"), "{shown}");
        press(&mut model, "backtab");
        assert!(screen(&mut model, 80, 20).contains("poster#3 seed=3 · framed asks  2 of 2"));
        // One before it that vanishes changes nothing on screen.
        response(&mut model, Response::Questions(questions[2..].to_vec()));
        assert!(screen(&mut model, 80, 20).contains("poster#3 seed=3 · framed asks ─"));
    }
}

#[test]
fn the_layer_closes_when_the_user_leaves_the_last_question_whose_run_ended() {
    let mut model = asked(vec![open(1, "title", Question::value("Which title?", Type::Text))]);
    write(&mut model, "A quiet sea");
    assert!(tell(&mut model, run(1, RunStatus::Cancelled)).contains(&Effect::ListQuestions));
    response(&mut model, Response::Questions(Vec::new()));
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("poster#1 ended") && shown.contains("A quiet sea"), "{shown}");
    press(&mut model, "tab");
    assert!(model.layers.is_empty());
}

#[test]
fn a_draft_is_there_again_when_its_question_comes_back() {
    let (mut model, questions) = three(&Question::value("Which title?", Type::Text));
    press(&mut model, "tab");
    write(&mut model, "A quiet sea");
    press(&mut model, "tab");
    // The question isn't shown, and vanishes for a moment.
    response(&mut model, Response::Questions(vec![questions[0].clone(), questions[2].clone()]));
    assert!(!screen(&mut model, 80, 20).contains("quiet"));
    response(&mut model, Response::Questions(questions));
    press(&mut model, "backtab");
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("poster#2") && shown.contains("A quiet sea"), "{shown}");
}

#[test]
fn an_own_answer_is_not_taken_for_one_from_elsewhere() {
    let (mut model, questions) = three(&Question::yes_no("Print it?"));
    let answer = sent(&press(&mut model, "y")).unwrap();
    // The daemon's list may overtake its response.
    response(&mut model, Response::Questions(questions[1..].to_vec()));
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("poster#1") && shown.contains("sending…") && !shown.contains("closed"), "{shown}");
    // The user has moved on when the response comes: the question under the cursor stays.
    press(&mut model, "tab");
    assert!(screen(&mut model, 80, 20).contains("poster#2 seed=2 · framed asks  2 of 3"));
    response(&mut model, Response::Answered(Box::new(answer)));
    assert!(screen(&mut model, 80, 20).contains("poster#2 seed=2 · framed asks  1 of 2"));
}

#[test]
fn the_questions_are_read_again_after_a_reconnection() {
    let (mut model, questions) = three(&Question::yes_no("Print it?"));
    let runs = vec![asking(1, 1, "?"), asking(2, 1, "?"), asking(3, 1, "?")];
    let registry = Notification::Registry {
        seq: 1,
        runs,
        runs_left: 0,
        queue: model.projection.queue(),
        paused: indexmap::IndexMap::new(),
        banners: Vec::new(),
    };
    let effects = update(&mut model, Message::Notification(Box::new(registry)));
    assert!(effects.contains(&Effect::ListQuestions), "{effects:?}");
    // One request at a time: the next follows the response.
    let effects = response(&mut model, Response::Known(run_id(1), None));
    assert!(!effects.contains(&Effect::ListQuestions), "{effects:?}");
    let effects = response(&mut model, Response::Questions(questions.clone()));
    assert!(effects.contains(&Effect::ListQuestions), "{effects:?}");
    let effects = response(&mut model, Response::Questions(questions));
    assert!(!effects.contains(&Effect::ListQuestions), "{effects:?}");
    let effects = response(&mut model, Response::Known(run_id(2), Some(Box::new(asking(2, 1, "?")))));
    assert!(!effects.contains(&Effect::ListQuestions), "{effects:?}");
}

#[test]
fn that_the_daemon_is_away_is_said_until_it_is_back() {
    let (mut model, questions) = three(&Question::yes_no("Print it?"));
    let foot = |model: &mut Model| screen(model, 80, 20).contains("│ the daemon is away ");
    let Link::Up(hello) = model.link.clone() else { unreachable!() };
    let answer = sent(&press(&mut model, "y")).unwrap();
    assert!(away(&mut model, answer).contains(&Effect::ListQuestions));
    update(&mut model, Message::Link(Link::Down("it ended".to_owned())));
    assert!(foot(&mut model));
    // The request for the questions failed too, and is repeated.
    update(&mut model, Message::Link(Link::Up(hello)));
    response(&mut model, Response::Questions(questions.clone()));
    assert!(!foot(&mut model));
    let answer = sent(&press(&mut model, "y")).unwrap();
    away(&mut model, answer);
    assert!(foot(&mut model) && !model.layers.is_empty());
    // The answer may have been stored nevertheless.
    response(&mut model, Response::Questions(questions[1..].to_vec()));
    assert!(!foot(&mut model));
    let shown = screen(&mut model, 80, 20);
    assert!(shown.contains("│ poster#1 was answered ") && !shown.contains("elsewhere"), "{shown}");
}
