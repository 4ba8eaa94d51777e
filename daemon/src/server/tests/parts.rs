//! Runs with more items than fit into one message.

use fanlight_shared::rpc::runs::{Get, Items, ParamSet, Start};
use fanlight_shared::run_state::{Edges, Folded, RunState};
use serde_json::json;

use super::frames::request;
use super::views::Viewer;
use super::*;

const MANY: &str = "
nodes:
  numbers: { uses: list.range, with: { from: 1, to: 20000 } }
  each: { uses: text.template, each: '${{ numbers.items }}', with: { template: 'number {{ n }}', n: '${{ item }}' } }
";

/// Folds the stored events of a run up to one of them.
fn folded(served: &Served, run: RunId, seq: u64) -> RunState {
    let mut state = RunState::new(["numbers", "each"]).with_edges(&Edges::new(["numbers.items>each.each"]));
    for event in served.context.store.events(run, 0, seq).unwrap() {
        assert_eq!(state.fold(&event), Folded::Next);
    }
    state
}

#[tokio::test]
async fn a_run_of_20_000_items_is_sent_in_parts_and_read_in_pages() {
    let served = Served::new().await;
    let client = served.client().await;
    let start = Start {
        document: format!("id: 0199aaaa-0000-7000-8000-00000000000a{MANY}"),
        sets: vec![ParamSet::default()],
        request_key: "many".into(),
        ..Start::default()
    };
    let run = client.call(start).await.unwrap().runs.remove(0).id;
    let done = |state: &RunState| state.nodes["each"].items_done;

    // A client that connects while it runs gets a snapshot in parts, then the events since.
    let mut viewer = Viewer::new(&served.home).await;
    for enough in [1, 6000, 12_000] {
        // The hub has it from its start to its end.
        let ended = || served.context.store.listed(run).unwrap().state.is_ended();
        let is_enough = || served.hub.run_state(run).map_or_else(ended, |state| done(&state) >= enough);
        until("enough items", is_enough).await;
        viewer = Viewer::new(&served.home).await;
        viewer.watch(vec![run]).await;
        while !viewer.runs.get(&run).is_some_and(RunState::is_whole) {
            viewer.read().await;
        }
        let told = &viewer.runs[&run];
        let then = folded(&served, run, told.seq);
        assert!(told.nodes["each"] == then.nodes["each"], "another state at {}", told.seq);
    }
    while !viewer.runs.get(&run).is_some_and(|state| state.status.is_ended() && state.is_whole()) {
        viewer.read().await;
    }
    let ended = folded(&served, run, u64::MAX);
    assert_eq!(done(&ended), 20_000);
    assert!(viewer.runs[&run].nodes == ended.nodes, "it is told what is stored");

    // It has ended, and is read from the store.
    let mut after = Viewer::new(&served.home).await;
    after.watch(vec![run]).await;
    while !after.runs.get(&run).is_some_and(RunState::is_whole) {
        after.read().await;
        if let Some(state) = after.runs.get(&run) {
            assert_eq!(done(state), 20_000, "what is counted is right before all is told");
        }
    }
    assert!(after.parts > 5, "20,000 items came in {} parts", after.parts);
    assert!(after.runs[&run] == ended, "it is told what is stored");

    let mut state = client.call(Get { run: run.to_string() }).await.unwrap().state;
    assert!(!state.is_whole() && !state.nodes["each"].items.is_empty());
    let (mut pages, mut list) = (0, Items { run_id: run, node: "each".into(), cursor: None });
    loop {
        let page = client.call(list.clone()).await.unwrap();
        assert_eq!(page.seq, ended.seq);
        state.take_items("each", page.rows.into_iter().map(|row| (row.item.0.unwrap(), row.instance)));
        pages += 1;
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert!(pages > 5, "{pages} pages");
    assert!(state == ended, "its pages are what is stored");
}

/// Returns an active run with this many items.
fn active(hub: &Hub, items: u32) -> RunId {
    let run = run_of(WorkflowId::new(), 1, RunStatus::Running);
    let mut state = RunState::new(["a"]);
    for index in 0..items {
        state.fold(&super::node(state.seq + 1, "a", ItemPath::item(index), NodeStatus::Running));
    }
    hub.begin(&run, state);
    run.id
}

/// Returns a viewer that has received only a part of a run.
async fn in_the_middle(served: &Served, many: RunId) -> Viewer {
    let mut viewer = Viewer::new(&served.home).await;
    viewer.watch(vec![many]).await;
    while viewer.parts < 1 {
        viewer.read().await;
    }
    viewer
}

#[tokio::test]
async fn a_lens_that_moves_away_gets_no_more_parts_and_all_of_them_when_it_returns() {
    let served = Served::new().await;
    let (many, few) = (active(&served.hub, 20_000), active(&served.hub, 2));
    let mut viewer = in_the_middle(&served, many).await;
    viewer.watch(vec![few]).await;
    viewer.settle(&served.hub).await;
    viewer.raw.send(request(2, "daemon.status", json!({}))).await;
    loop {
        let frame = viewer.raw.next().await.unwrap();
        assert_ne!(frame["params"]["run_id"], json!(many), "nobody looks at it any more");
        if frame["id"] == 2 {
            break;
        }
    }
    viewer.watch(vec![many]).await;
    viewer.settle(&served.hub).await;
    assert_eq!(viewer.runs[&many].nodes["a"].items.len(), 20_000);
}

#[tokio::test]
async fn a_client_that_changes_its_subscription_gets_no_part_twice() {
    let served = Served::new().await;
    let (many, few) = (active(&served.hub, 20_000), active(&served.hub, 2));
    let mut viewer = in_the_middle(&served, many).await;
    // It sends the `seq` of what it has so far.
    viewer.watch(vec![many, few]).await;
    viewer.settle(&served.hub).await;
    let once = viewer.parts;
    let mut other = Viewer::new(&served.home).await;
    other.watch(vec![many]).await;
    other.settle(&served.hub).await;
    assert_eq!(once, other.parts);
}

#[tokio::test]
async fn pages_show_one_moment_while_the_run_continues() {
    let served = Served::new().await;
    let run = active(&served.hub, 20_000);
    let first = served.hub.run_state(run).unwrap();
    let client = served.client().await;
    let mut read = first.without_items();
    let mut list = Items { run_id: run, node: "a".into(), cursor: None };
    loop {
        let page = client.call(list.clone()).await.unwrap();
        assert_eq!(page.seq, first.seq);
        read.take_items("a", page.rows.into_iter().map(|row| (row.item.0.unwrap(), row.instance)));
        let seq = served.hub.run_state(run).unwrap().seq + 1;
        served.hub.state(
            WorkflowId::new(),
            run,
            super::node(seq, "a", ItemPath::item(19_999), NodeStatus::Failed).into(),
        );
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert!(read == *first, "what happened meanwhile is not in it");
    // A new read returns it.
    let page = client.call(list).await.unwrap();
    assert_ne!(page.seq, first.seq);
}

#[tokio::test]
async fn bad_requests_for_pages_of_items_are_refused_with_a_reason() {
    let served = Served::new().await;
    let run = active(&served.hub, 2);
    let client = served.client().await;
    let list = |node: &str, cursor: Option<&str>| Items {
        run_id: run,
        node: node.into(),
        cursor: cursor.map(str::to_owned),
    };
    let error = client.call(list("b", None)).await.unwrap_err();
    assert!(error.to_string().contains("no node `b`"), "{error}");
    let error = client.call(list("a", Some("x"))).await.unwrap_err();
    assert!(error.to_string().contains("`cursor`: `x` is not a cursor of runs.items"), "{error}");
    // A cursor of another snapshot continues after its item.
    let page = client.call(list("a", Some("items:1.0"))).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.item).collect::<Vec<_>>(), [ItemPath::item(1)]);
}
