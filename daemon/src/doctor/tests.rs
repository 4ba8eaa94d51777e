use std::os::unix::fs::PermissionsExt;

use fanlight_shared::event::{Numbered, RunUpdate, StateEvent};
use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;

use super::{Report, check, examine};
use crate::store::Op;
use crate::store::tests::{Fixture, event, large, wait_for};

#[test]
fn a_sound_store_has_no_problems() {
    let at = Fixture::new();
    let run = at.ended();
    at.product(&run, "sky", &large(1));
    at.product(&run, "small", b"small");
    let answer = check(&at.store, true);
    assert_eq!(answer.problems, Vec::<String>::new());
    assert_eq!(answer.checked.len(), 6, "{:?}", answer.checked);
}

#[test]
fn a_run_without_some_of_its_events_is_named_and_shown_as_damaged() {
    let at = Fixture::new();
    let (fine, gap) = (at.ended(), at.ended());
    for run in [&fine, &gap] {
        let end = StateEvent::RunUpdate(RunUpdate::new(RunStatus::Completed, Time(4)));
        let end = Op::Event { run: run.id, event: Numbered { seq: 4, event: end }.into() };
        at.commit((1..=3).map(|seq| event(run.id, seq)).chain([end]).collect());
    }
    let (name, id) = (gap.name(), gap.id);
    at.tamper("DELETE FROM event WHERE seq = 2 AND run = (SELECT max(key) FROM run)");
    assert_eq!(check(&at.store, false).problems, Vec::<String>::new(), "events are only read by `--deep`");
    let problems = check(&at.store, true).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with(&format!("{name} is damaged: event 2 of {name} is missing")),
        "{problems:?}"
    );
    assert!(problems[0].contains(&format!("`fanlight delete '{name}'`")), "{problems:?}");
    let state = at.store.readable_state(id).unwrap();
    assert_eq!(state.status, RunStatus::Completed);
    assert!(state.error.unwrap().starts_with("this run is damaged: event 2 of"));
    assert_eq!(at.store.readable_state(fine.id).unwrap(), at.store.run_state(fine.id).unwrap());
}

#[test]
fn a_missing_file_is_named() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    std::fs::remove_file(at.store.blobs().path(asset.value.as_media().unwrap().hash)).unwrap();
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("is missing"), "{problems:?}");
}

#[test]
fn changed_bytes_are_found_by_their_size_or_by_reading_them() {
    let at = Fixture::new();
    let run = at.ended();
    let hash = |asset: fanlight_shared::asset::Asset| asset.value.as_media().unwrap().hash;
    let longer = hash(at.product(&run, "longer", &large(1)));
    let other = hash(at.product(&run, "other", &large(2)));
    std::fs::write(at.store.blobs().path(longer), vec![1; 100_001]).unwrap();
    std::fs::write(at.store.blobs().path(other), large(3)).unwrap();
    assert_eq!(check(&at.store, false).problems.len(), 1);
    assert_eq!(check(&at.store, true).problems.len(), 2);
}

/// Simulates a lost database: creates a new one next to the files that the old one knew.
fn without_its_database(products: &[&[u8]]) -> Fixture {
    let mut at = Fixture::new();
    let run = at.ended();
    for (number, bytes) in products.iter().enumerate() {
        at.product(&run, &format!("node{number}"), bytes);
    }
    at.store.close();
    std::fs::remove_file(at.home.database()).unwrap();
    at.reopen();
    at
}

#[test]
fn files_next_to_a_fresh_database_stay_and_are_imported_when_asked() {
    let mut at = without_its_database(&[&large(1), &large(2)]);
    let unknown = |at: &Fixture| at.store.count_unknown().unwrap();
    wait_for("the files are counted", || at.store.unknown().borrow().files == 2);
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("2 files (200000 bytes)"), "{problems:?}");
    assert!(problems[0].contains("`fanlight doctor --repair`"), "{problems:?}");
    at.reopen();
    wait_for("the files are counted again", || at.store.unknown().borrow().files == 2);
    assert_eq!(unknown(&at).files, 2, "another start removes nothing either");

    let (answer, repaired) = examine(&at.store, true, true);
    assert_eq!(answer.problems, Vec::<String>::new());
    assert!(answer.checked.iter().any(|line| line.contains("imported 2 files")), "{:?}", answer.checked);
    assert_eq!(repaired.run.unwrap().name(), "recovered#1");
    assert_eq!(at.store.unknown().borrow().files, 0, "no banner speaks of them any more");
    at.reopen();
    let assets = at.store.assets(&fanlight_shared::rpc::assets::List::default()).unwrap().rows;
    let mut bytes: Vec<Vec<u8>> =
        assets.iter().map(|it| at.store.blobs().read(it.value.as_media().unwrap().hash).unwrap()).collect();
    bytes.sort();
    assert_eq!(bytes, [large(1), large(2)]);
    assert_eq!(unknown(&at).files, 0);
    assert!(examine(&at.store, false, true).1.assets.is_empty(), "nothing is imported twice");
}

#[test]
fn a_file_whose_hash_is_not_its_name_is_left_and_not_imported() {
    let at = without_its_database(&[&large(1)]);
    let mut path = None;
    at.store.for_each_unknown(|hash| path = Some(at.store.blobs().path(hash))).unwrap();
    let path = path.unwrap();
    std::fs::write(&path, large(2)).unwrap();
    let (answer, repaired) = examine(&at.store, false, true);
    assert!(repaired.assets.is_empty() && path.exists());
    assert!(answer.problems.iter().any(|line| line.contains("was not imported")), "{:?}", answer.problems);
}

#[test]
fn making_the_same_bytes_again_removes_nothing() {
    let at = without_its_database(&[&large(1)]);
    let (published, media) = at.picture(&large(1));
    let path = at.store.blobs().path(media.hash);
    drop(published);
    at.commit(vec![]);
    at.commit(vec![]);
    assert!(path.exists(), "its attempt failed, and the file was there before");
    let run = at.ended();
    at.product(&run, "sky", &large(1));
    assert_eq!(check(&at.store, true).problems, Vec::<String>::new());
}

#[test]
fn folders_of_attempts_that_the_database_does_not_know_are_reported() {
    let at = Fixture::new();
    let attempt = fanlight_shared::id::AttemptId::new();
    let folder = at.home.attempts().join(attempt.to_string());
    std::fs::create_dir_all(&folder).unwrap();
    for folder in [&at.home.state, &at.home.attempts(), &folder] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(&attempt.to_string()), "{problems:?}");
    at.tamper(&format!("INSERT INTO going VALUES ('{attempt}')"));
    let problems = check(&at.store, false).problems;
    assert!(problems.len() == 1 && problems[0].contains("belongs to a deleted run"), "{problems:?}");
}

#[test]
fn files_that_others_can_read_are_reported() {
    let at = Fixture::new();
    std::fs::set_permissions(at.home.database(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("chmod 600"), "{problems:?}");
}

#[test]
fn a_home_that_was_open_to_others_is_reported_even_if_it_is_closed_again() {
    let mut at = Fixture::new();
    at.store.close();
    for folder in [&at.home.data, &at.home.blobs()] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    at.reopen();
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|line| line.contains("mode 777")), "{problems:?}");
    at.reopen();
    assert_eq!(check(&at.store, false).problems, Vec::<String>::new());
}

#[test]
fn a_damaged_file_is_named_with_its_asset() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    std::fs::write(at.store.blobs().path(asset.value.as_media().unwrap().hash), b"short").unwrap();
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    for part in [asset.id.to_string(), run.name(), "has 5 bytes instead of 100000".to_owned()] {
        assert!(problems[0].contains(&part), "{part}: {problems:?}");
    }
}

#[test]
fn a_reference_without_bytes_is_reported() {
    let at = Fixture::new();
    let run = at.ended();
    at.product(&run, "sky", b"small");
    at.tamper("DELETE FROM blob");
    let problems = check(&at.store, false).problems;
    assert!(problems.iter().any(|line| line.contains("which are not stored")), "{problems:?}");
}

#[test]
fn the_report_fits_into_a_message_whatever_is_found() {
    let mut report = Report::default();
    for kind in 0..1000 {
        let found = (0..100).map(|at| format!("{kind} {at} {}", "x".repeat(10_000))).collect();
        report.problems(found, "damaged blobs");
    }
    let answer = report.finish();
    assert!(fanlight_shared::preview::fits(&answer, fanlight_shared::rpc::frame::MESSAGE_LIMIT));
    assert!(answer.problems.last().unwrap().starts_with("and "), "{:?}", answer.problems.last());
}
