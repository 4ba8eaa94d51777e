//! What is exported is what was imported.

use proptest::prelude::*;

use super::*;

/// Returns the files of an archive but the manifest, whose time differs.
fn content(files: &[File]) -> &[File] {
    assert_eq!(files[0].name, "manifest.json");
    &files[1..]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Runs have products of any size, some of them the same, and are exported in any order.
    #[test]
    fn an_export_after_an_import_has_the_same_content(
        runs in prop::collection::vec((0_u8..3, prop_oneof![Just(10_usize), Just(70_000)]), 1..5),
        in_sweep in any::<bool>(),
        reversed in any::<bool>(),
    ) {
        let (one, other) = (Fixture::new(), Fixture::new());
        let submitted = if in_sweep { one.sweep(runs.len()) } else { one.submit(runs.len()) };
        for (run, (fill, bytes)) in submitted.iter().zip(&runs) {
            one.completes(run, &vec![*fill; *bytes]);
        }
        let mut all = ids(&submitted);
        if reversed {
            all.reverse();
        }
        let files = one.exported(&all);
        let outcome = other.imports(&files).unwrap();
        prop_assert_eq!(outcome.imported.runs.len(), runs.len());
        prop_assert_eq!(outcome.assets, runs.len() as u64);
        let again = other.exported(&all);
        prop_assert_eq!(content(&again), content(&files));
        // A second import changes nothing.
        let outcome = other.imports(&again).unwrap();
        prop_assert_eq!((outcome.imported.runs.len(), outcome.known.len()), (0, runs.len()));
        let third = other.exported(&all);
        prop_assert_eq!(content(&third), content(&files));
    }
}

#[test]
fn only_the_files_of_a_log_are_exported() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let attempt = at.completes(&run, b"picture");
    let files = at.exported(&[run.id]);
    let logs: Vec<&str> =
        files.iter().map(|file| file.name.as_str()).filter(|name| name.starts_with("logs/")).collect();
    assert_eq!(logs, [format!("logs/{attempt}/log")]);
}

#[test]
fn bytes_that_are_here_already_are_stored_once_and_stay_when_an_imported_run_is_deleted() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let run = one.submit(1).remove(0);
    one.completes(&run, &large(7));
    let own = other.submit(1).remove(0);
    other.product(&own, "sky", &large(7));
    let outcome = other.imports(&one.exported(&[run.id])).unwrap();
    // The other home has run the same file: its numbers go on.
    assert_eq!(outcome.imported.runs[0].was, "poster#1");
    assert_eq!(outcome.imported.runs[0].name, "poster#2");
    other.commit(vec![Op::DeleteRun { run: run.id, assets: true }]);
    let assets = other.store.assets(&Default::default()).unwrap().rows;
    let media = assets[0].value.as_media().unwrap();
    assert_eq!((assets.len(), other.store.blobs().read(media.hash).unwrap()), (1, large(7)));
}

#[test]
fn a_sweep_whose_name_is_taken_gets_the_next_number() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let runs = one.sweep(2);
    for run in &runs {
        one.completes(run, b"picture");
    }
    other.sweep(1);
    let first = other.imports(&one.exported(&[runs[0].id])).unwrap();
    assert_eq!(first.imported.renamed_sweeps, [("poster/1".to_owned(), "poster/2".to_owned())]);
    // Its other run joins it.
    let second = other.imports(&one.exported(&ids(&runs))).unwrap();
    assert_eq!((second.known, second.imported.runs.len()), (vec!["poster#2".to_owned()], 1));
    let sweeps = runs.iter().map(|run| other.store.listed(run.id).unwrap().sweep.unwrap());
    assert_eq!(sweeps.collect::<Vec<_>>(), ["poster/2", "poster/2"]);
}

#[test]
fn a_run_that_has_not_ended_or_is_damaged_is_not_exported() {
    let at = Fixture::new();
    let runs = at.submit(2);
    at.completes(&runs[0], b"picture");
    let says =
        |runs: &[RunId], ended| export(&at.store, &at.home, runs, ended).map(drop).unwrap_err().to_string();
    assert!(says(&ids(&runs), false).contains("poster#2 is queued"));
    assert_eq!(export(&at.store, &at.home, &ids(&runs), true).unwrap().left_out, 1);
    assert!(says(&[runs[1].id], true).contains("there are no ended runs to export"));
    at.tamper("UPDATE run SET nodes_done = 7 WHERE number = 1");
    assert!(says(&[runs[0].id], false).contains("poster#1 is damaged: its events lead to another state"));
}
