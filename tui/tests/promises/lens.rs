//! What the lens shows, and what it doesn't affect.

use fanlight_shared::run::{NodeStatus, RunStatus};

use crate::house::House;
use crate::person::{Person, progress};

fn count_is(model: &fanlight::ui::model::Model, status: NodeStatus) -> bool {
    model.lens().is_some_and(|lens| lens.state.nodes["count"].whole.status == status)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_runs_keep_separate_telemetry() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    house.start(1).await;
    house.start(2).await;
    person
        .until("the second run's progress is shown", |model, screen| {
            progress(model).as_deref() == Some("step of 2") && screen.contains("step of 2")
        })
        .await;
    person.press("[");
    person
        .until("the first run's progress is shown", |model, screen| {
            progress(model).as_deref() == Some("step of 1")
                && screen.contains("step of 1")
                && !screen.contains("step of 2")
        })
        .await;
    // The other run doesn't change this one.
    house.let_go(2);
    person
        .until("the second run is done", |model, _| {
            model.projection.runs().any(|run| run.number == 2 && run.state == RunStatus::Completed)
        })
        .await;
    assert!(count_is(person.model(), NodeStatus::Running), "the first still counts");
    person.press("]");
    person.until("the second run is shown, done", |model, _| count_is(model, NodeStatus::Completed)).await;
    assert_eq!(person.lens(), Some(2));
    person.press("[");
    person
        .until("the first is shown again, as it was", |model, _| {
            count_is(model, NodeStatus::Running) && progress(model).as_deref() == Some("step of 1")
        })
        .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_started_by_another_client_appears_and_takes_an_unpinned_lens() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    house.start(1).await;
    person.until("the first run is under the lens", |_, screen| screen.contains("step of 1")).await;
    house.start(2).await;
    person
        .until("the second is in the queue and under the lens", |_, screen| {
            screen.contains("#2 seed=2") && screen.contains("step of 2")
        })
        .await;
    person.press("p");
    house.start(3).await;
    person.until("the third is in the queue", |_, screen| screen.contains("#3 seed=3")).await;
    assert_eq!(person.lens(), Some(2), "a pinned lens stays");
    person.press("p");
    person.until("without the pin it goes on to the third", |_, screen| screen.contains("step of 3")).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_and_x_cancel_the_right_run() {
    let house = House::new().await;
    house.cap(2).await;
    let mut person = Person::open(&house.home, &house.file()).await;
    for seed in 1..=4 {
        house.start(seed).await;
    }
    let state = |model: &fanlight::ui::model::Model, number| {
        model.projection.runs().find(|run| run.number == number).map(|run| run.state)
    };
    person
        .until("two run and two wait", |model, screen| {
            let waits = |number| state(model, number) == Some(RunStatus::Queued);
            waits(3) && waits(4) && screen.contains("step of 2")
        })
        .await;
    // The last row is the last queued run; queued runs are cancelled without a question.
    person.press("2 G x");
    person.until("the fourth is cancelled", |model, _| state(model, 4) == Some(RunStatus::Cancelled)).await;
    assert_eq!(
        [1, 2, 3].map(|number| state(person.model(), number).unwrap()),
        [RunStatus::Running, RunStatus::Running, RunStatus::Queued]
    );
    person.press("[");
    person.until("the lens is on the first", |_, screen| screen.contains("step of 1")).await;
    person.press("s");
    assert!(person.look().contains("Stop promise#1?"));
    person.press("y");
    person
        .until("the first is cancelled and the third runs", |model, _| {
            state(model, 1) == Some(RunStatus::Cancelled) && state(model, 3) == Some(RunStatus::Running)
        })
        .await;
    assert_eq!(state(person.model(), 2), Some(RunStatus::Running));
    house.close().await;
}
