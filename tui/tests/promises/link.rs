//! Runs and products survive lost connections and daemons.

use fanlight::ui::message::Link;
use fanlight_shared::asset::Asset;
use fanlight_shared::id::AssetId;
use fanlight_shared::rpc::{assets, runs};
use fanlight_shared::run::{NodeStatus, RunStatus};

use crate::house::House;
use crate::line::Line;
use crate::person::{Person, progress};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_connection_a_client_with_three_active_runs_has_all_three_and_an_unbroken_gallery() {
    let house = House::new().await;
    let line = Line::to(&house.home, house.path("line.sock"));
    let mut person = Person::open(&line.home, &house.file()).await;
    house.let_go(9);
    house.start(9).await;
    person
        .until("a picture is in the gallery", |model, screen| {
            model.gallery.assets.len() == 1 && screen.contains("Done 1")
        })
        .await;
    for seed in 1..=3 {
        house.start(seed).await;
    }
    person
        .until("three run", |model, screen| {
            model.projection.active().count() == 3 && screen.contains("step of 3")
        })
        .await;

    let kept: Vec<AssetId> = person.model().gallery.assets.iter().map(|asset| asset.id).collect();
    person.watch(move |model| {
        let there = |id: &AssetId| model.gallery.assets.iter().any(|asset| asset.id == *id);
        assert!(kept.iter().all(there), "a product went from the gallery");
        assert!(model.lens().is_some(), "the grid is blank");
    });
    line.cut();
    person
        .until("the UI says that the daemon is away", |model, screen| {
            matches!(model.link, Link::Down(_)) && screen.contains("the daemon is away")
        })
        .await;
    // Meanwhile one ends and paints its picture, and another starts.
    house.let_go(1);
    house.start(4).await;
    house.is("promise#2", RunStatus::Completed).await;
    house.is("promise#5", RunStatus::Running).await;
    line.mend();
    person
        .until("all that runs is there again, and what was made meanwhile", |model, screen| {
            let mut active: Vec<u32> = model.projection.active().map(|run| run.number).collect();
            active.sort_unstable();
            model.is_up()
                && active == [3, 4, 5]
                && model.gallery.assets.len() == 2
                && screen.contains("Done 2")
        })
        .await;
    person
        .until("the newest is under the lens", |model, _| progress(model).as_deref() == Some("step of 4"))
        .await;
    for _ in 0..2 {
        person.press("[");
    }
    person
        .until("and the others can be looked at", |model, _| progress(model).as_deref() == Some("step of 2"))
        .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_while_the_daemon_was_away_leaves_the_screen() {
    let mut house = House::new().await;
    let line = Line::to(&house.home, house.path("line.sock"));
    for seed in 1..=2 {
        house.let_go(seed);
        house.start(seed).await;
    }
    let mut person = Person::open(&line.home, &house.file()).await;
    person.until("both pictures are there", |model, _| model.gallery.assets.len() == 2).await;
    person.press("3 g g enter");
    let [newest, other] = [0, 1].map(|at| person.model().gallery.assets[at].clone());
    let title = |of: &Asset| format!("╭ {} ", of.run);
    person.until("the newest is in the viewer", |_, screen| screen.contains(&title(&newest))).await;
    line.cut();
    person.until("the daemon is away", |model, _| !model.is_up()).await;
    house.client().await.call(assets::Delete { assets: vec![newest.id] }).await.unwrap();
    // The next daemon can't send what the last one did.
    house.restart().await;
    line.mend();
    person
        .until("the viewer shows the other one", |model, screen| {
            model.is_up() && screen.contains(&title(&other))
        })
        .await;
    person.until("and so does the gallery", |model, _| model.gallery.assets.len() == 1).await;
    assert!(person.model().toasts.shown.is_empty(), "{:?}", person.model().toasts.shown);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_does_not_respond_is_shown_until_it_does() {
    let house = House::new().await;
    let line = Line::to(&house.home, house.path("line.sock"));
    let mut person = Person::open(&line.home, &house.file()).await;
    house.let_go(1);
    house.start(1).await;
    person.until("it is done", |_, screen| screen.contains("Done 1")).await;
    let hangs = |screen: &str| screen.contains("the daemon doesn't respond (since ");
    line.hold();
    person.press("T");
    person
        .until("a request that gets no response is noticed", |model, screen| {
            model.is_up() && hangs(screen) && screen.contains("the runs are being read")
        })
        .await;
    line.release();
    person.until("the response comes", |_, screen| !hangs(screen) && screen.contains("1 of 1 runs")).await;
    person.press("esc");
    // Nothing is asked for now, but a run is expected to do something.
    house.start(2).await;
    person.until("it runs", |_, screen| screen.contains("Running 1")).await;
    line.hold();
    person.until("silence is noticed", |_, screen| hangs(screen)).await;
    house.let_go(2);
    line.release();
    person.until("it is done", |_, screen| !hangs(screen) && screen.contains("Done 2")).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_runs_follows_them() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    house.let_go(1);
    house.start(1).await;
    person.until("it is done", |_, screen| screen.contains("Done 1")).await;
    person.press("T");
    person.until("the run is in the table", |_, screen| screen.contains("1 of 1 runs")).await;
    house.start(2).await;
    let row = |screen: &str, name: &str, words: &str| {
        screen.lines().any(|line| line.contains(name) && line.contains(words))
    };
    person.until("a new run is in it", |_, screen| row(screen, "promise#2", "running")).await;
    house.let_go(2);
    person
        .until("its result is", |_, screen| {
            row(screen, "promise#2", "completed") && row(screen, "promise#2", "made by 2")
        })
        .await;
    let run = person.model().projection.runs().find(|run| run.number == 1).map(|run| run.id);
    let delete = runs::Delete { runs: run.into_iter().collect(), assets: true };
    house.client().await.call(delete).await.unwrap();
    person.until("a deleted run goes", |_, screen| screen.contains("1 of 1 runs")).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_runs_telemetry_can_be_looked_at_again_after_a_restart_of_the_daemon() {
    let mut house = House::new().await;
    for seed in 1..=2 {
        house.let_go(seed);
        house.start(seed).await;
    }
    let mut person = Person::open(&house.home, &house.file()).await;
    person.until("both are done", |_, screen| screen.contains("Done 2")).await;
    house.restart().await;
    // Another client, which has never seen these runs.
    let mut fresh = Person::open(&house.home, &house.file()).await;
    for person in [&mut person, &mut fresh] {
        person
            .until("both runs are there, and their pictures", |model, screen| {
                let away = screen.contains("the daemon is away");
                model.is_up() && model.projection.runs().count() == 2 && screen.contains("#1 seed=1") && !away
            })
            .await;
        person.press("[");
        person
            .until("the first run's telemetry is shown", |model, screen| {
                model.lens().is_some_and(|lens| {
                    let count = &lens.state.nodes["count"].whole;
                    lens.run.number == 1
                        && lens.state.status == RunStatus::Completed
                        && count.status == NodeStatus::Completed
                        && count.attempts.len() == 1
                }) && screen.contains("made by 1")
            })
            .await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_checked_against_the_node_types_of_the_daemon() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    assert!(person.model().workflow.as_ref().unwrap().document.problems.is_empty());
    house.node_types.remove(&["text.template".to_owned()]);
    let text = std::fs::read_to_string(house.file()).unwrap();
    std::fs::write(house.file(), format!("# Another version.\n{text}")).unwrap();
    person
        .until("the type that the daemon doesn't know is a problem", |model, _| {
            let problems = &model.workflow.as_ref().unwrap().document.problems;
            problems.iter().any(|problem| problem.to_string().contains("text.template"))
        })
        .await;
    house.close().await;
}
