//! Runs that wait for a person.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::question::Question;
use fanlight_shared::rpc::{ErrorCode, queue, runs};
use fanlight_shared::run::{AttemptEnd, NodeStatus, RunStatus};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;

use super::world::World;

mod properties;

const ASK: &str = "
nodes:
  before: { uses: text.template, with: { template: fine } }
  ask: { uses: test.ask, needs: before, with: { question: 'This one?' } }
outputs: { answer: '${{ ask.answer }}' }
";
const HANG: &str = "nodes: { a: { run: hang } }";
const QUICK: &str = "nodes: { a: { uses: text.template, with: { template: x } } }";

/// Starts a run and waits until it is parked.
async fn parked(world: &World, document: &str) -> RunId {
    let run = world.start(document).await.id;
    world.until_stored(|store| store.listed(run).unwrap().state == RunStatus::Parked).await;
    run
}

/// Returns an answer to `ask`, with a new key.
fn to(run: RunId, value: &str) -> runs::Answer {
    runs::Answer {
        run_id: run,
        node: "ask".to_owned(),
        item: ItemPath::WHOLE,
        attempt: None,
        value: Value::from(value),
        request_key: RunId::new().to_string(),
    }
}

async fn answer(world: &World, run: RunId, value: &str) {
    world.engine.answer(to(run, value)).await.unwrap();
}

/// Returns the error of an answer that is refused.
async fn refused(world: &World, answer: runs::Answer) -> (ErrorCode, String) {
    let error = world.engine.answer(answer).await.unwrap_err();
    let codes = [ErrorCode::NotFound, ErrorCode::Refused, ErrorCode::BadParams];
    (*codes.iter().find(|code| error.is(**code)).unwrap(), error.message)
}

async fn until_ended(world: &World, run: RunId) -> RunStatus {
    world.until_stored(|store| store.listed(run).unwrap().state.is_ended()).await;
    world.ended(run).run.state
}

#[tokio::test]
async fn a_run_that_waits_for_a_person_holds_no_slot_and_continues_with_the_answer() {
    let world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    let state = world.ended(run).state;
    assert_eq!(state.status, RunStatus::Parked);
    let question = state.nodes["ask"].whole.question.as_deref();
    assert_eq!(question, Some(&Question::value("This one?", Type::Text)));
    world.until(|now| now.running == 0 && now.queued == 0).await;
    let other = world.start(QUICK).await;
    assert_eq!(until_ended(&world, other.id).await, RunStatus::Completed);

    answer(&world, run, "yes").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    let ended = world.ended(run);
    assert_eq!(ended.output("answer"), Some(&Value::from("yes")));
    let ends: Vec<_> = ended.state.nodes["ask"].whole.attempts.iter().map(|it| it.end.unwrap()).collect();
    assert_eq!(ends, [AttemptEnd::Parked, AttemptEnd::Completed]);
    assert_eq!(
        (&ended.state.nodes["ask"].whole.question, &ended.state.nodes["ask"].whole.answer),
        (&None, &None)
    );
    let asked = &ended.state.nodes["ask"].whole.attempts[0];
    let said = asked.answer.as_ref().and_then(|answer| answer.value.clone());
    assert_eq!((asked.question.as_deref(), said), (Some("This one?"), Some(Value::from("yes"))));
}

#[tokio::test]
async fn an_answered_run_is_the_next_to_get_a_slot() {
    let world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    let first = world.start(HANG).await;
    world.fake.until("start a").await;
    let second = world.start(HANG).await;
    answer(&world, run, "yes").await;
    world.until(|now| now.running == 1 && now.queued == 2).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Parked, "the only slot is taken");
    world.fake.finish("a");
    assert_eq!(until_ended(&world, first.id).await, RunStatus::Completed);
    // The second one never ends by itself.
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    world.cancel(&[second.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_parked_run_and_an_unused_answer_survive_a_restart() {
    let mut world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    world.restart().await;
    world.until(|now| now.running == 0 && now.queued == 0).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Parked);
    let paused = |paused| queue::Set { paused: Some(paused), ..queue::Set::default() };
    world.engine.set_queue(paused(true)).await.unwrap();
    answer(&world, run, "later").await;
    world.restart().await;
    world.until(|now| now.running == 0 && now.queued == 1).await;
    world.engine.set_queue(paused(false)).await.unwrap();
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    let ended = world.ended(run);
    assert_eq!(ended.output("answer"), Some(&Value::from("later")));
    assert_eq!(ended.state.nodes["before"].whole.attempts.len(), 1, "what finished is not done again");
}

#[tokio::test]
async fn a_parked_run_can_be_cancelled_but_is_not_a_queued_one() {
    let world = World::with_cap(1).await;
    let (run, other) = (parked(&world, ASK).await, parked(&world, ASK).await);
    world.cancel(&[run]).await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Cancelled);
    let busy = world.start(HANG).await;
    world.fake.until("start a").await;
    answer(&world, other, "yes").await;
    let queued = runs::Cancel { queued: true, ..runs::Cancel::default() };
    assert!(world.engine.cancel(queued).await.unwrap().cancelled.is_empty(), "it was started long ago");
    world.cancel(&[busy.id]).await;
    assert_eq!(until_ended(&world, other).await, RunStatus::Completed);
}

#[tokio::test]
async fn a_run_is_not_parked_while_one_of_its_nodes_runs() {
    let world = World::with_cap(1).await;
    let document = format!("{}  a: {{ run: hang }}\n", ASK.split("outputs").next().unwrap());
    let run = world.start(&document).await.id;
    world.until_state(run, |state| state.nodes["ask"].whole.question.is_some()).await;
    world.until(|now| now.running == 1).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Running);
    world.fake.finish("a");
    world.until_stored(|store| store.listed(run).unwrap().state == RunStatus::Parked).await;
    answer(&world, run, "yes").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
}

#[tokio::test]
async fn each_item_asks_for_itself() {
    let world = World::with_cap(1).await;
    let document =
        "nodes: { ask: { uses: test.ask, each: '${{ [1, 2] }}', with: { question: 'Item ${{ item }}?' } } }";
    let run = parked(&world, document).await;
    let give = |index, value: &str| {
        world.engine.answer(runs::Answer { item: ItemPath::item(index), ..to(run, value) })
    };
    give(1, "second").await.unwrap();
    world
        .until_state(run, |state| {
            state.status == RunStatus::Parked && state.nodes["ask"].items[&1].status == NodeStatus::Completed
        })
        .await;
    give(0, "first").await.unwrap();
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.values(run, "ask", "answer"), [Some(Value::from("first")), Some(Value::from("second"))]);
}

#[tokio::test]
async fn an_answer_counts_once_however_often_it_is_sent() {
    let mut world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    world.engine.set_queue(queue::Set { paused: Some(true), ..queue::Set::default() }).await.unwrap();
    let yes = to(run, "yes");
    world.engine.answer(yes.clone()).await.unwrap();
    world.engine.answer(yes.clone()).await.unwrap();
    world.restart().await;
    world.engine.answer(yes.clone()).await.unwrap();
    let (code, why) = refused(&world, to(run, "no")).await;
    assert_eq!((code, why.as_str()), (ErrorCode::Refused, "`ask` of story#1 has already been answered"));
    world.engine.set_queue(queue::Set { paused: Some(false), ..queue::Set::default() }).await.unwrap();
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    world.engine.answer(yes).await.unwrap();
    let (code, why) = refused(&world, to(run, "no")).await;
    assert_eq!((code, why.as_str()), (ErrorCode::Refused, "`ask` of story#1 has already been answered"));
}

#[tokio::test]
async fn a_wrong_answer_is_refused_by_name_and_changes_nothing() {
    let world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    let other = world.run(QUICK).await.run.id;
    let with = |node: &str| runs::Answer { node: node.to_owned(), ..to(run, "yes") };
    for (answer, code, part) in [
        (to(RunId::new(), "yes"), ErrorCode::NotFound, "no run"),
        (with("asks"), ErrorCode::NotFound, "story#1 has no node `asks`; did you mean `ask`?"),
        (with("before"), ErrorCode::Refused, "`before` of story#1 asks nothing"),
        (
            runs::Answer { item: ItemPath::item(3), ..to(run, "yes") },
            ErrorCode::NotFound,
            "there is no `ask[3]` of story#1",
        ),
        (
            runs::Answer { attempt: Some(2), ..to(run, "yes") },
            ErrorCode::Refused,
            "now asks a different question",
        ),
        (
            runs::Answer { value: Value::None, ..to(run, "") },
            ErrorCode::BadParams,
            "expected text, got nothing",
        ),
        (
            runs::Answer { request_key: String::new(), ..to(run, "yes") },
            ErrorCode::BadParams,
            "`request_key` must have",
        ),
        (
            runs::Answer { node: "a".to_owned(), ..to(other, "yes") },
            ErrorCode::Refused,
            "`a` of story#2 asks nothing: the run is completed",
        ),
        (
            runs::Answer { node: "b".to_owned(), ..to(other, "yes") },
            ErrorCode::NotFound,
            "story#2 has no node `b`",
        ),
    ] {
        let (is, why) = refused(&world, answer).await;
        assert_eq!(is, code, "{why}");
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(world.ended(run).run.state, RunStatus::Parked);
    answer(&world, run, "yes").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
}

/// Returns a workflow that waits for an answer for this many milliseconds.
fn within(millis: u32, default: &str) -> String {
    format!(
        "nodes: {{ ask: {{ uses: test.ask, with: {{ question: 'Now?', within: {millis}, {default} }} }} }}\n\
         outputs: {{ answer: '${{{{ ask.answer }}}}' }}"
    )
}

#[tokio::test]
async fn at_its_deadline_a_question_is_answered_by_its_default_or_by_nobody() {
    let world = World::with_cap(1).await;
    let run = world.start(&within(20, "default: later")).await.id;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    let ended = world.ended(run);
    assert_eq!(ended.output("answer"), Some(&Value::from("later")));
    let answer = ended.state.nodes["ask"].whole.attempts[0].answer.clone().unwrap();
    assert_eq!((answer.value, answer.request), (Some(Value::from("later")), None));
    let run = world.start(&within(20, "")).await.id;
    assert_eq!(until_ended(&world, run).await, RunStatus::Failed);
    assert!(world.ended(run).error().contains("nobody answered"), "{}", world.ended(run).error());
}

#[tokio::test]
async fn a_deadline_that_passed_while_no_daemon_ran_counts_at_the_next_start() {
    let mut world = World::with_cap(1).await;
    let run = parked(&world, &within(3_600_000, "default: later")).await;
    world.until(|now| now.due == 1).await;
    world
        .restart_after(|world| {
            world.tamper(
                "UPDATE event SET body = json_set(body, '$.question.deadline', 1) \
                 WHERE json_extract(body, '$.question.deadline') > 1",
            );
        })
        .await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.ended(run).output("answer"), Some(&Value::from("later")));
    world.idle().await;
}

#[tokio::test]
async fn an_answer_before_the_deadline_counts() {
    let mut world = World::with_cap(1).await;
    let run = parked(&world, &within(3_600_000, "default: later")).await;
    world.restart().await;
    world.until(|now| now.due == 1).await;
    answer(&world, run, "now").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.ended(run).output("answer"), Some(&Value::from("now")));
    world.idle().await;
}

#[tokio::test]
async fn the_registry_shows_a_question_while_it_is_open() {
    let world = World::with_cap(2).await;
    let document =
        "nodes: { ask: { uses: test.ask, each: '${{ [1, 2] }}', with: { question: 'Item ${{ item }}?' } } }";
    let run = parked(&world, document).await;
    let asks = || world.hub.asking().pop().and_then(|(run, _)| run.asks.clone());
    // The registry follows a commit.
    world.until_stored(|_| asks().is_some_and(|asks| asks.count == 2)).await;
    let shown = asks().unwrap();
    assert_eq!((shown.node.as_str(), shown.text.as_str()), ("ask", "Item 1?"));
    world.engine.answer(runs::Answer { item: ItemPath::item(0), ..to(run, "a") }).await.unwrap();
    world.until_stored(|_| asks().is_some_and(|asks| asks.count == 1 && asks.text == "Item 2?")).await;
    world.cancel(&[run]).await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Cancelled);
    world.until_stored(|_| asks().is_none()).await;
}

#[tokio::test]
async fn a_resumed_run_asks_only_what_was_not_answered() {
    let world = World::with_cap(2).await;
    let document = "nodes:
  ask: { uses: test.ask, each: '${{ [1, 2] }}', with: { question: 'Item ${{ item }}?' } }";
    let run = parked(&world, document).await;
    world.engine.answer(runs::Answer { item: ItemPath::item(0), ..to(run, "a") }).await.unwrap();
    world.until_state(run, |state| state.nodes["ask"].items[&0].status == NodeStatus::Completed).await;
    world.cancel(&[run]).await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Cancelled);
    let resume = runs::Resume {
        run,
        environment: fanlight_shared::environment::Environment::default(),
        request_key: "again".into(),
        document: None,
        at: None,
        params: indexmap::IndexMap::new(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    };
    let again = world.engine.resume(resume).await.unwrap().runs[0].id;
    world.until_stored(|store| store.listed(again).unwrap().state == RunStatus::Parked).await;
    let items = world.ended(again).state.nodes["ask"].items.clone();
    assert_eq!(items[&0].status, NodeStatus::Cached);
    assert_eq!(items[&1].question.as_ref().map(|it| it.text.as_str()), Some("Item 2?"));
    world.engine.answer(runs::Answer { item: ItemPath::item(1), ..to(again, "b") }).await.unwrap();
    assert_eq!(until_ended(&world, again).await, RunStatus::Completed);
    assert_eq!(world.values(again, "ask", "answer"), [Some(Value::from("a")), Some(Value::from("b"))]);
}
