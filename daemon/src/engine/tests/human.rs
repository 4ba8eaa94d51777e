//! The types that ask people.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::rpc::runs;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;

use super::world::{Ended, World};

/// Starts a run and waits until its node `ask` asks.
async fn asked(world: &World, document: &str) -> (RunId, Question) {
    let run = world.start(document).await.id;
    world.until_stored(|store| store.listed(run).unwrap().state == RunStatus::Parked).await;
    let question = world.ended(run).state.nodes["ask"].whole.question.as_deref().unwrap().clone();
    (run, question)
}

async fn answered(world: &World, run: RunId, value: Value) -> Ended {
    let answer = runs::Answer {
        run_id: run,
        node: "ask".to_owned(),
        item: ItemPath::WHOLE,
        attempt: Some(1),
        value,
        request_key: "key".into(),
    };
    world.engine.answer(answer).await.unwrap();
    world.until_stored(|store| store.listed(run).unwrap().state.is_ended()).await;
    world.ended(run)
}

async fn error(world: &World, document: &str) -> String {
    let run = world.start(document).await.id;
    world.until_stored(|store| store.listed(run).unwrap().state.is_ended()).await;
    world.ended(run).error().to_owned()
}

const APPROVE: &str = "
nodes:
  sheet: { uses: text.template, with: { template: 'a sheet' } }
  ask: { uses: human.approve, with: { question: 'Send it?', value: '${{ sheet.text }}' ON_REJECT } }
  send: { uses: text.template, with: { template: 'sent {{ it }}', it: '${{ ask.value }}' } }
  after: { uses: text.template, needs: ask, with: { template: 'went on' } }
outputs: { sent: '${{ send.text }}', approved: '${{ ask.approved }}' }
";

#[tokio::test]
async fn an_approved_value_is_shown_and_passed_on_after_a_yes() {
    let world = World::new().await;
    let (run, question) = asked(&world, &APPROVE.replace("ON_REJECT", "")).await;
    let expected = Question { show: vec![Value::from("a sheet")], ..Question::yes_no("Send it?") };
    assert_eq!(question, expected);
    let ended = answered(&world, run, Value::Bool(true)).await;
    assert_eq!(ended.run.state, RunStatus::Completed);
    assert_eq!(ended.output("sent"), Some(&Value::from("sent a sheet")));
}

#[tokio::test]
async fn after_a_no_its_readers_do_not_run() {
    let world = World::new().await;
    let (run, _) = asked(&world, &APPROVE.replace("ON_REJECT", "")).await;
    let ended = answered(&world, run, Value::Bool(false)).await;
    assert_eq!((ended.run.state, ended.error()), (RunStatus::Failed, "node `ask` failed: the answer was no"));
    for node in ["send", "after"] {
        assert_eq!(ended.state.nodes[node].whole.status, NodeStatus::Skipped, "{node}");
    }
    let (run, _) = asked(&world, &APPROVE.replace("ON_REJECT", ", on_reject: continue")).await;
    let ended = answered(&world, run, Value::Bool(false)).await;
    assert_eq!(ended.run.state, RunStatus::Completed);
    assert_eq!(ended.output("approved"), Some(&Value::Bool(false)));
    assert_eq!(
        ended.state.nodes["send"].whole.status,
        NodeStatus::Skipped,
        "it reads what was not handed on"
    );
    assert_eq!(ended.state.nodes["after"].whole.status, NodeStatus::Completed);
}

#[tokio::test]
async fn a_value_is_asked_for_by_its_type_or_from_choices() {
    let world = World::new().await;
    let ask = |with: &str| {
        format!(
            "nodes: {{ ask: {{ uses: human.ask, with: {{ question: 'What?', {with} }} }} }}\noutputs: {{ it: '${{{{ ask.answer }}}}' }}"
        )
    };
    for (with, kind, answer, made) in [
        ("default: a", QuestionKind::Value { ty: Type::Text }, Value::from("b"), Value::from("b")),
        ("type: int", QuestionKind::Value { ty: Type::Int }, Value::Int(3), Value::Int(3)),
        ("type: bool", QuestionKind::YesNo, Value::Bool(false), Value::Bool(false)),
        (
            "choices: [red, green], default: green",
            QuestionKind::Choice { choices: vec!["red".into(), "green".into()], several: false },
            Value::from("red"),
            Value::from("red"),
        ),
    ] {
        let (run, question) = asked(&world, &ask(with)).await;
        assert_eq!(question.kind, kind);
        assert_eq!(answered(&world, run, answer).await.output("it"), Some(&made));
    }
    let (_, question) = asked(&world, &ask("choices: [red, green], default: green")).await;
    assert_eq!(question.default, Some(Value::Int(1)));
    for (with, part) in [
        ("type: int, default: soon", "input `default`: expected int"),
        ("choices: []", "nothing to pick from"),
        ("within: soon", "input `within`: `soon` is not a duration; write `30s`"),
    ] {
        let error = error(&world, &ask(with)).await;
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn one_or_several_are_picked_from_a_list() {
    let world = World::new().await;
    let pick = |with: &str| {
        format!(
            "nodes: {{ ask: {{ uses: human.pick, with: {{ {with} }} }} }}\n\
             outputs: {{ item: '${{{{ ask.item }}}}', index: '${{{{ ask.index }}}}', items: '${{{{ ask.items }}}}' }}"
        )
    };
    let (run, question) = asked(&world, &pick("items: [a, b, c]")).await;
    assert_eq!(question.text, "Which one?");
    let ended = answered(&world, run, Value::Int(2)).await;
    assert_eq!((ended.output("item"), ended.output("index")), (Some(&"c".into()), Some(&Value::Int(2))));
    let (run, _) = asked(&world, &pick("items: [a, b, c], several: true")).await;
    let ended = answered(&world, run, Value::List(vec!["c".into(), Value::Int(0)])).await;
    assert_eq!(ended.output("items"), Some(&Value::List(vec!["a".into(), "c".into()])));
    let (run, _) = asked(&world, &pick("items: [a, b, c], several: true")).await;
    let ended = answered(&world, run, Value::List(Vec::new())).await;
    assert_eq!((ended.run.state, ended.output("item")), (RunStatus::Completed, None));
    assert_eq!(ended.output("items"), Some(&Value::List(Vec::new())));
    // A list that is held as a file, of which the question has previews.
    let (run, question) =
        asked(&world, &pick("items: \"${{ ['x' * 50000, 'y' * 50000, 'z' * 50000] }}\"")).await;
    let QuestionKind::Choice { choices, .. } = question.kind else { panic!() };
    assert!(choices[1].as_text().is_some_and(|text| text.starts_with("yyy") && text.len() < 300));
    let ended = answered(&world, run, Value::Int(1)).await;
    assert_eq!((ended.run.state, ended.output("index")), (RunStatus::Completed, Some(&Value::Int(1))));
    assert!(error(&world, &pick("items: []")).await.contains("nothing to pick from"));
    let many = error(&world, &pick("items: '${{ range(101) | list }}'")).await;
    assert!(many.contains("there are 101 items to pick from, more than 100"), "{many}");
}

#[tokio::test]
async fn an_unanswered_question_fails_or_takes_its_default() {
    let world = World::new().await;
    let ask = |with: &str| {
        format!(
            "nodes: {{ ask: {{ uses: human.approve, with: {{ within: 20ms{with} }} }} }}\noutputs: {{ it: '${{{{ ask.approved }}}}' }}"
        )
    };
    let failed = error(&world, &ask("")).await;
    assert_eq!(failed, "node `ask` failed: nobody answered within 20ms");
    let run = world.start(&ask(", default: true")).await.id;
    world.until_stored(|store| store.listed(run).unwrap().state.is_ended()).await;
    assert_eq!(world.ended(run).output("it"), Some(&Value::Bool(true)));
}
