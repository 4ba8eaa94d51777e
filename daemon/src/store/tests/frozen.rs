//! Databases of released schemas can always be opened. `FANLIGHT_FREEZE=1` writes the database of the current schema.

use std::path::PathBuf;

use fanlight_shared::rpc::{assets, runs};

use super::*;

pub(super) fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Fills a frozen database.
fn fill(at: &Fixture) {
    let runs = at.submit(2);
    at.commit(vec![row(runs[0].id, RunStatus::Running), event(runs[0].id, 1)]);
    let picture = at.product(&runs[0], "sky", b"a small picture");
    at.end(&runs[0]);
    at.commit(vec![
        Op::Star { assets: vec![picture.id], starred: true },
        Op::Preview { asset: picture.id, preview: Some(("image/png".into(), b"tiny".to_vec())) },
        Op::Setting { name: "max_concurrent_runs", value: Some("3".into()) },
    ]);
}

fn check(store: &Store) {
    let runs = store.runs(&runs::List::default()).unwrap().rows;
    let states: Vec<_> = runs.iter().map(|run| (run.number, run.state)).collect();
    assert_eq!(states, [(2, RunStatus::Queued), (1, RunStatus::Completed)]);
    assert_eq!(runs[1].params["seed"], Value::Int(0));
    assert_eq!(store.run_state(runs[1].id).unwrap().seq, 1);
    let assets = store.assets(&assets::List { starred: true, ..assets::List::default() }).unwrap().rows;
    let hash = assets[0].value.as_media().unwrap().hash;
    assert_eq!(store.blobs().read(hash).unwrap(), b"a small picture");
    assert_eq!(store.preview(assets[0].id).unwrap().unwrap().1, b"tiny");
    assert_eq!(store.run(runs[1].id).unwrap().values[0].3, Some(assets[0].value.clone()));
    assert_eq!(store.setting("max_concurrent_runs").unwrap().as_deref(), Some("3"));
    assert_eq!(crate::doctor::check(store, true).problems, Vec::<String>::new());
}

#[test]
fn the_current_schema_passes_the_checks_of_frozen_databases() {
    let at = Fixture::new();
    fill(&at);
    check(&at.store);
    if std::env::var_os("FANLIGHT_FREEZE").is_some() {
        let file = data().join(format!("schema-{}.db", database::known_schema()));
        assert!(!file.exists(), "{} is frozen", file.display());
        std::fs::create_dir_all(data()).unwrap();
        at.tamper(&format!("VACUUM INTO '{}'", file.display()));
    }
}

#[test]
fn every_frozen_database_opens() {
    let mut count = 0;
    for entry in std::fs::read_dir(data()).unwrap() {
        let frozen = entry.unwrap().path();
        if frozen.extension().is_none_or(|ending| ending != "db") {
            continue;
        }
        count += 1;
        let folder = TempDir::new().unwrap();
        let home = home(folder.path());
        folder::prepare(&home.data).unwrap();
        std::io::copy(
            &mut std::fs::File::open(&frozen).unwrap(),
            &mut folder::create_file(&home.database()).unwrap(),
        )
        .unwrap();
        let store = Store::open(&home).unwrap();
        check(&store);
        let mut submit = submission(1);
        submit.request_key = "after".into();
        let made = commit(&store, vec![Op::Submit(submit.into())]).unwrap().submitted.unwrap();
        assert_eq!(made.runs[0].number, 3, "{}", frozen.display());
    }
    assert_eq!(count, database::known_schema(), "one frozen database for each schema");
}
