//! Lists and searches.

use fanlight_shared::rpc::{assets, runs, values as port};

use super::*;

#[test]
fn a_run_is_found_by_every_way_to_name_it() {
    let at = Fixture::new();
    let runs = at.submit(2);
    let other = at
        .submit_with(Submit {
            path: Some("/train.yaml".into()),
            slug: "train".into(),
            title: "Train".into(),
            ..submission(1)
        })
        .runs
        .remove(0);
    let found = |text: &str| at.store.find_run(text).unwrap().id;
    let error = |text: &str| at.store.find_run(text).unwrap_err().to_string();
    assert_eq!(found("poster#1"), runs[0].id);
    assert_eq!(found("poster:2"), runs[1].id);
    assert_eq!(found("Seaside poster#2"), runs[1].id);
    assert_eq!(found("poster"), runs[1].id);
    assert_eq!(found("last"), other.id);
    assert_eq!(found(&runs[0].id.to_string()), runs[0].id);
    assert_eq!(found(&runs[0].id.to_string()[..35]), at_prefix(&runs, &runs[0].id.to_string()[..35]));
    assert!(error("0").contains("may be several runs: "), "{}", error("0"));
    assert!(error("poster#9").contains("its newest is 2"));
    assert!(error("nothing\u{1b}[1m").contains("there is no run"));
}

/// Returns the id with this prefix; ids made in one millisecond may share all but their last digits.
fn at_prefix(runs: &[Run], prefix: &str) -> RunId {
    let mut with = runs.iter().map(|run| run.id).filter(|id| id.to_string().starts_with(prefix));
    let id = with.next().unwrap();
    assert_eq!(with.next(), None, "the prefix is long enough");
    id
}

#[test]
fn runs_are_filtered_and_paged() {
    let at = Fixture::new();
    let all = at.submit(5);
    at.end(&all[1]);
    at.commit(vec![Op::Label { run: all[3].id, label: "100 % mine".into() }]);
    let numbers = |list: runs::List| -> Vec<u32> {
        at.store.runs(&list).unwrap().rows.iter().map(|run| run.number).collect()
    };
    assert_eq!(numbers(runs::List::default()), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(runs::List { states: vec![RunStatus::Completed], ..Default::default() }), [2]);
    assert_eq!(numbers(runs::List { text: Some("% m".into()), ..Default::default() }), [4]);
    assert_eq!(numbers(runs::List { text: Some("POSTER#3".into()), ..Default::default() }), [3]);
    let mut seen = Vec::new();
    let mut list = runs::List { workflow_id: Some(all[0].workflow_id), limit: Some(2), ..Default::default() };
    loop {
        let page = at.store.runs(&list).unwrap();
        seen.extend(page.rows.iter().map(|run| run.number));
        at.submit(1);
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1], "new runs shift no page");
    assert!(at.store.runs(&runs::List { cursor: Some("x".into()), ..Default::default() }).is_err());
}

#[test]
fn values_of_a_port_are_ordered_by_run_and_item() {
    let at = Fixture::new();
    let all = at.submit(2);
    for run in &all {
        for item in 0..3 {
            at.commit(vec![Op::Values {
                run: run.id,
                node: "sky".into(),
                item: ItemPath::item(item),
                values: Values::from([("n".to_owned(), Value::Int(i64::from(run.number * 10 + item)))]),
                bodies: Bodies::new(),
                cache_key: None,
            }]);
        }
    }
    let mut list = port::List {
        workflow_id: all[0].workflow_id,
        node: "sky".into(),
        port: "n".into(),
        run_id: None,
        cursor: None,
        limit: Some(2),
    };
    let mut seen = Vec::new();
    loop {
        let page = at.store.values(&list).unwrap();
        seen.extend(page.rows.into_iter().filter_map(|row| row.value?.as_int()));
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [20, 21, 22, 10, 11, 12]);
    list = port::List { run_id: Some(all[0].id), limit: None, cursor: None, ..list };
    assert_eq!(at.store.values(&list).unwrap().rows.len(), 3);
}

#[test]
fn assets_are_filtered() {
    let at = Fixture::new();
    let (one, two) = (at.ended(), at.ended());
    let sky = at.product(&one, "sky", b"one");
    let sea = at.product(&two, "sea", b"two");
    let text = asset(&two, "title", Value::from("Greetings from \"Hove\""));
    at.commit(vec![Op::Asset(new_asset(&text).into())]);
    let changed = at.commit(vec![Op::Star { assets: vec![sea.id], starred: true }]).changed_assets;
    assert!(changed[0].starred);
    let ids = |list: assets::List| -> Vec<AssetId> {
        at.store.assets(&list).unwrap().rows.iter().map(|asset| asset.id).collect()
    };
    let all = assets::List::default;
    assert_eq!(ids(all()), [text.id, sea.id, sky.id]);
    let workflow_id = Some(one.workflow_id);
    assert_eq!(ids(assets::List { workflow_id, node: Some("sky".into()), ..all() }), [sky.id]);
    assert_eq!(ids(assets::List { workflow_id, kind: Some(AssetKind::Text), ..all() }), [text.id]);
    assert_eq!(ids(assets::List { run_id: Some(two.id), ..all() }), [text.id, sea.id]);
    assert_eq!(ids(assets::List { node: Some("sea".into()), ..all() }), [sea.id]);
    assert_eq!(ids(assets::List { starred: true, workflow_id, ..all() }), [sea.id]);
    assert_eq!(ids(assets::List { text: Some("\"hove\"".into()), ..all() }), [text.id]);
    assert_eq!(ids(assets::List { text: Some("a.PNG".into()), ..all() }), [sea.id, sky.id]);
}

#[test]
fn the_same_product_is_not_stored_twice() {
    let at = Fixture::new();
    let run = at.ended();
    let mut again = at.product(&run, "sky", b"one");
    again.id = AssetId::new();
    assert!(at.try_commit(vec![Op::Asset(new_asset(&again).into())]).is_err());
}

#[test]
fn previews_are_made_once() {
    let at = Fixture::new();
    let run = at.ended();
    let (sky, sea) = (at.product(&run, "sky", b"one"), at.product(&run, "sea", b"two"));
    let pending =
        |at: &Fixture| at.store.pending_previews().unwrap().iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(pending(&at), [sky.id, sea.id]);
    let preview = Some(("image/png".to_owned(), b"tiny".to_vec()));
    let changed = at.commit(vec![
        Op::Preview { asset: sky.id, preview: preview.clone() },
        Op::Preview { asset: sea.id, preview: None },
        Op::Preview { asset: AssetId::new(), preview: None },
    ]);
    let states: Vec<_> = changed.changed_assets.iter().map(|asset| asset.preview).collect();
    assert_eq!(states, [PreviewState::Ready, PreviewState::None]);
    assert_eq!(at.store.preview(sky.id).unwrap(), preview);
    assert_eq!(at.store.preview(sea.id).unwrap(), None);
    assert!(pending(&at).is_empty());
}

#[test]
fn workflows_are_ordered_by_their_newest_run() {
    let at = Fixture::new();
    let other = |path: &str| Submit { path: Some(path.into()), ..submission(1) };
    at.submit_with(other("/one.yaml"));
    at.submit_with(other("/two.yaml"));
    at.submit_with(other("/one.yaml"));
    let rows = at.store.workflows(None).unwrap().rows;
    let seen: Vec<_> = rows.iter().map(|it| (it.path.as_deref().unwrap(), it.runs)).collect();
    assert_eq!(seen, [("/one.yaml", 2), ("/two.yaml", 1)]);
    assert_eq!(at.store.workflow("/two.yaml").unwrap().document, submission(1).version.document);
    assert!(at.store.workflow("nothing").is_err());
    assert!(at.store.known_version(&submission(1).version.hash).unwrap().is_some());
}
