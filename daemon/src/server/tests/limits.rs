//! The memory of one client is bounded, whatever it requests and however little it reads.

use fanlight_shared::client::ClientError;
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::frame::{MESSAGE_LIMIT, NOTIFICATIONS_LIMIT, RESPONSES_LIMIT};
use fanlight_shared::rpc::runs::{CANCEL_LIMIT, Cancel, Get, List, Missing, ParamSet, Places, Start};
use fanlight_shared::rpc::watch::{Notification, Watch};
use fanlight_shared::rpc::{self, values, workflows};
use fanlight_shared::run_state::{Edges, RunState};
use fanlight_shared::value::{Value, Values};
use serde_json::json;

use super::frames::{Raw, request};
use super::views::Viewer;
use super::*;
use crate::store::tests::{commit, submission};
use crate::store::{Bodies, NewRun, Op};

const LARGE: usize = 100_000;

/// Submits runs with these params directly to the store.
fn submitted(served: &Served, count: usize, params: &Values) -> Vec<Run> {
    let mut submit = submission(1);
    let run = |_| NewRun { id: RunId::new(), label: "long".into(), params: params.clone() };
    submit.runs = (0..count).map(run).collect();
    commit(&served.context.store, vec![Op::Submit(submit.into())]).unwrap().submitted.unwrap().runs
}

/// Returns runs whose node `a` has a large value.
fn with_large_values(served: &Served, count: usize) -> Vec<Run> {
    let runs = submitted(served, count, &Values::new());
    for run in &runs {
        let values = Values::from([("out".to_owned(), Value::from("x".repeat(LARGE)))]);
        let (node, item) = ("a".to_owned(), ItemPath::WHOLE);
        commit(
            &served.context.store,
            vec![Op::Values { run: run.id, node, item, values, bodies: Bodies::new(), cache_key: None }],
        )
        .unwrap();
    }
    runs
}

fn of_port(run: &Run) -> values::List {
    values::List {
        workflow_id: run.workflow_id,
        node: "a".into(),
        port: "out".into(),
        run_id: None,
        cursor: None,
        limit: None,
    }
}

#[tokio::test]
async fn long_values_are_listed_shortened_and_read_in_full() {
    let served = Served::new().await;
    let runs = with_large_values(&served, 60);
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    raw.send(request(1, "values.list", serde_json::to_value(of_port(&runs[0])).unwrap())).await;
    // `next` fails on a frame that is longer than a message.
    let page = raw.next().await.unwrap()["result"].take();
    assert_eq!(page["rows"].as_array().unwrap().len(), 60);

    let client = served.client().await;
    let page = client.call(of_port(&runs[0])).await.unwrap();
    let row = &page.rows[0];
    assert_eq!(row.bytes, Some(LARGE as u64 + 2));
    assert!(row.value.as_ref().unwrap().as_text().unwrap().len() < 5000, "it is a preview");
    let port = values::Port { node: "a".into(), item: ItemPath::WHOLE, port: "out".into() };
    let whole = client.port_value(row.run_id, port).await.unwrap();
    assert_eq!(whole.as_text().map(str::len), Some(LARGE));
}

#[tokio::test]
async fn the_responses_for_a_client_that_does_not_read_are_bounded() {
    let served = Served::new().await;
    // Enough to fill a page, so that every response is long.
    let runs = submitted(&served, 200, &Values::from([("text".to_owned(), Value::from("x".repeat(3000)))]));
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    for id in 0..40 {
        raw.send(request(id, "runs.list", json!({ "limit": 1000 }))).await;
    }
    let queued = || served.context.queued.load(std::sync::atomic::Ordering::Relaxed);
    let mut look = tokio::time::interval(std::time::Duration::from_millis(1));
    let mut most = 0;
    // Another client gets a response meanwhile.
    let other = served.client().await;
    let looks = async {
        for look_number in 1.. {
            look.tick().await;
            other.call(Get { run: runs[0].id.to_string() }).await.unwrap();
            most = most.max(queued());
            if look_number >= 50 && most > MESSAGE_LIMIT {
                break;
            }
        }
    };
    in_time("more than a message waits", looks).await;
    assert!(most <= 2 * RESPONSES_LIMIT, "{most} bytes wait");
    for _ in 0..40 {
        assert!(raw.next().await.unwrap()["result"]["rows"].is_array(), "every request is answered");
    }
    assert_eq!(queued(), 0);
}

#[tokio::test]
async fn the_registry_shortens_the_params_of_waiting_runs() {
    let served = Served::new().await;
    let params = Values::from([
        ("prompt".to_owned(), Value::from("x".repeat(20_000))),
        ("seed".to_owned(), Value::Int(7)),
    ]);
    let workflow = WorkflowId::new();
    for number in 1..=208 {
        let run = Run { params: params.clone(), ..run_of(workflow, number, RunStatus::Queued) };
        served.hub.queued(vec![Arc::new(run)]);
    }
    let mut watchers = Vec::new();
    for _ in 0..20 {
        let mut raw = Raw::connect(&served.home).await;
        raw.hello().await;
        raw.send(request(1, "watch", json!({ "registry": true }))).await;
        watchers.push(raw);
    }
    assert!(served.hub.queued_bytes() < 20 * MESSAGE_LIMIT);
    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    client.call(Watch { registry: true, ..Watch::default() }).await.unwrap();
    let Some(Notification::Registry { runs, runs_left: 0, .. }) = recv(&mut notifications).await else {
        panic!()
    };
    assert_eq!(runs.len(), 200, "the first that wait");
    assert!(runs.iter().all(|run| run.params_short && run.params["seed"] == Value::Int(7)));
    let prompt = runs[0].params["prompt"].as_text().unwrap();
    assert!(prompt.len() < 500 && prompt.contains("(20000 bytes"), "{prompt}");
}

#[tokio::test]
async fn a_registry_of_a_thousand_running_runs_comes_in_parts() {
    let served = Served::new().await;
    let workflow = WorkflowId::new();
    let params = Values::from([("text".to_owned(), Value::from("x".repeat(3000)))]);
    for number in 1..=1000 {
        let run = Run { params: params.clone(), ..run_of(workflow, number, RunStatus::Running) };
        served.hub.daemon(DaemonEvent::RunUpdate { run: Box::new(run) });
    }
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    raw.send(request(1, "watch", json!({ "registry": true }))).await;
    let (mut left, mut runs) = (None, 0);
    while left != Some(0) {
        let frame = raw.next().await.unwrap()["params"].take();
        let part = frame["runs"].as_array().map_or(0, Vec::len) as u64;
        match frame["channel"].as_str() {
            Some("registry") => left = frame["runs_left"].as_u64(),
            Some("registry_runs") => left = left.map(|left| left - part),
            _ => continue,
        }
        runs += part;
    }
    assert_eq!(runs, 1000);

    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    client.call(Watch { registry: true, ..Watch::default() }).await.unwrap();
    let Some(Notification::Registry { runs, .. }) = recv(&mut notifications).await else { panic!() };
    assert_eq!(runs.len(), 1000, "our client puts them together");
}

#[tokio::test]
async fn a_run_of_ten_thousand_nodes_is_sent_in_parts_and_read_in_pages() {
    let served = Served::new().await;
    let run = run_of(WorkflowId::new(), 1, RunStatus::Running);
    let names: Vec<String> = (0..10_000).map(|at| format!("node_{at}")).collect();
    let edges = names.windows(2).map(|pair| format!("{}.out>{}.in", pair[0], pair[1]));
    let mut state = RunState::new(names.clone()).with_edges(&Edges::new(edges));
    for name in &names {
        state.fold(&node(state.seq + 1, name, ItemPath::WHOLE, NodeStatus::Completed));
    }
    served.hub.begin(&run, state);
    let mut viewer = Viewer::new(&served.home).await;
    viewer.watch(vec![run.id]).await;
    viewer.settle(&served.hub).await;
    assert!(viewer.parts > 3, "{} parts", viewer.parts);
    assert_eq!(viewer.runs[&run.id].nodes.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());

    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    let of = fanlight_shared::rpc::watch::TelemetryOf { run_id: run.id, seq: None };
    client.call(Watch { telemetry: vec![of], ..Watch::default() }).await.unwrap();
    let Some(Notification::Snapshot { state, .. }) = recv(&mut notifications).await else { panic!() };
    assert!(state.is_whole() && *state == *served.hub.run_state(run.id).unwrap());
}

#[tokio::test]
async fn a_sweep_too_long_for_one_message_is_started_and_read_in_full() {
    let served = Served::new().await;
    let client = served.client().await;
    let document = "id: 0199aaaa-0000-7000-8000-000000000001\nparams: { n: { type: int }, text: { type: text } }\n\
                    nodes: { a: { uses: text.template, with: { template: hi } } }\n";
    let set = |n: i64| ParamSet {
        params: [("n".to_owned(), Value::Int(n)), ("text".to_owned(), Value::from("x".repeat(900)))].into(),
        ..ParamSet::default()
    };
    let start = Start {
        document: document.into(),
        sets: (0..1500).map(set).collect(),
        request_key: "sweep".into(),
        ..Start::default()
    };
    let started = client.call(start.clone()).await.unwrap();
    assert!(started.more > 0 && !started.runs.is_empty());
    let all = client.start(start).await.unwrap().runs;
    let numbers: Vec<u32> = all.iter().map(|run| run.number).collect();
    assert_eq!(numbers, (1..=1500).collect::<Vec<u32>>());
}

#[tokio::test]
async fn a_run_is_started_again_with_params_that_lists_shorten() {
    let served = Served::new().await;
    let client = served.client().await;
    let document = "id: 0199aaaa-0000-7000-8000-000000000002\nparams: { text: { type: text } }\n\
                    nodes: { a: { uses: text.template, with: { template: hi } } }\n";
    let long = "y".repeat(200_000);
    let set =
        ParamSet { params: [("text".to_owned(), Value::from(long.clone()))].into(), ..ParamSet::default() };
    let start = |set: ParamSet, key: &str| Start {
        document: document.into(),
        sets: vec![set],
        request_key: key.into(),
        ..Start::default()
    };
    let first = client.start(start(set, "one")).await.unwrap().runs.remove(0);
    assert!(first.params_short);
    let like = ParamSet { like: Some(first.id), ..ParamSet::default() };
    let second = client.start(start(like, "two")).await.unwrap().runs.remove(0);
    assert_eq!(client.params(second.id).await.unwrap()["text"], Value::from(long));
    until("its end", || served.context.store.listed(second.id).unwrap().state.is_ended()).await;
    let missing = |sets, path: Option<&str>| Missing {
        document: document.into(),
        path: path.map(str::to_owned),
        sets,
        ..Missing::default()
    };
    let like = ParamSet { like: Some(first.id), ..ParamSet::default() };
    let found = client.call(missing(vec![ParamSet::default(), like], None)).await;
    assert!(
        matches!(found, Err(ClientError::Rpc(error)) if error.is(rpc::ErrorCode::BadParams)),
        "the other set has no `text`"
    );
    let like = ParamSet { like: Some(first.id), ..ParamSet::default() };
    let found = client.call(missing(vec![like], None)).await.unwrap().found;
    assert_eq!(found, [Places { from: 0, to: 1 }]);
    let error = client.call(missing(Vec::new(), Some("w.yaml"))).await.unwrap_err();
    assert!(error.to_string().contains("is not absolute"), "{error}");
}

#[tokio::test]
async fn a_long_file_is_read_in_full() {
    let served = Served::new().await;
    let client = served.client().await;
    let document = format!(
        "id: 0199aaaa-0000-7000-8000-000000000003\nnodes: {{ a: {{ uses: text.template, with: {{ template: hi }} }} }}\n{}",
        "# \"quoted\"\n".repeat(60_000)
    );
    let start = Start {
        document: document.clone(),
        sets: vec![ParamSet::default()],
        request_key: "long".into(),
        ..Start::default()
    };
    let run = client.start(start).await.unwrap().runs.remove(0);
    let short = client.call(workflows::Get { workflow: run.workflow.clone() }).await.unwrap();
    assert_eq!(short.document_bytes, Some(document.len() as u64));
    assert_eq!(client.workflow(&run.workflow).await.unwrap().document, document);
    assert_eq!(client.run(&run.id.to_string()).await.unwrap().document, document);
}

#[tokio::test]
async fn notifications_for_a_client_that_does_not_read_are_bounded_in_bytes() {
    let served = Served::new().await;
    let workflow = WorkflowId::new();
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    raw.send(request(1, "watch", json!({ "products": { "workflow_id": workflow } }))).await;
    raw.next().await.unwrap();
    for at in 0..2000 {
        served.hub.daemon(DaemonEvent::OutputUpdate {
            workflow_id: workflow,
            run_id: RunId::new(),
            node: "a".into(),
            item: ItemPath::WHOLE,
            port: "out".into(),
            value: Value::from("x".repeat(8000 + at)),
        });
        assert!(served.hub.queued_bytes() <= NOTIFICATIONS_LIMIT);
        tokio::task::yield_now().await;
    }
    // It reads again, and learns that it missed something.
    loop {
        if raw.next().await.unwrap()["params"]["channel"] == "lagged" {
            break;
        }
    }
    assert!(served.client().await.call(List::default()).await.is_ok());
}

#[tokio::test]
async fn a_request_above_a_limit_reports_the_lower_number() {
    let served = Served::new().await;
    submitted(&served, 3, &Values::new());
    let client = served.client().await;
    let page = |limit| {
        let client = client.clone();
        async move { client.call(List { limit, ..List::default() }).await.unwrap().limit }
    };
    assert_eq!(page(Some(5_000_000)).await, Some(1000));
    assert_eq!(page(Some(2)).await, Some(2));
    assert_eq!(page(Some(0)).await, Some(1));
    assert_eq!(page(None).await, Some(100));
    let mut raw = Raw::connect(&served.home).await;
    raw.send(request(1, "hello", json!({ "protocol": 1, "client": "test" }))).await;
    assert_eq!(raw.next().await.unwrap()["result"]["limits"]["rows"], 1000);
}

#[tokio::test]
async fn the_response_to_a_file_with_ten_thousand_mistakes_fits_into_a_message() {
    let served = Served::new().await;
    let client = served.client().await;
    let mut document = String::from("id: 0199aaaa-0000-7000-8000-000000000004\nnodes:\n");
    for at in 0..9_000 {
        document
            .push_str(&format!("  n{at}: {{ uses: no.type{at}, with: {{ \"{}\": 1 }} }}\n", "x".repeat(40)));
    }
    let checked = client.call(workflows::Check { document: document.clone() }).await.unwrap();
    let last = checked.problems.last().unwrap();
    assert!(last.code == "more_problems" && last.message.ends_with("more problems follow"), "{last:?}");
    let sets = vec![ParamSet::default()];
    let start = Start { document, sets, request_key: "wrong".into(), ..Start::default() };
    let Err(ClientError::Rpc(error)) = client.call(start).await else { panic!("it was started") };
    assert_eq!(error.problems, checked.problems);
}

#[tokio::test]
async fn cancelling_very_many_runs_names_the_first_and_counts_the_others() {
    let served = Served::new().await;
    let client = served.client().await;
    client.call(rpc::queue::Set { paused: Some(true), ..rpc::queue::Set::default() }).await.unwrap();
    let document = "id: 0199aaaa-0000-7000-8000-000000000005\n\
                    nodes: { a: { uses: text.template, with: { template: hi } } }\n";
    let start = Start {
        document: document.into(),
        sets: vec![ParamSet::default(); CANCEL_LIMIT + 7],
        request_key: "many".into(),
        ..Start::default()
    };
    client.call(start).await.unwrap();
    let answer = client.call(Cancel { queued: true, ..Cancel::default() }).await.unwrap();
    assert_eq!((answer.cancelled.len(), answer.cancelled_left), (CANCEL_LIMIT, 7));
}
