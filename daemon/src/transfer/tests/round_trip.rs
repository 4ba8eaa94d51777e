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
fn sweeps_that_began_at_the_same_time_stay_apart() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let sweep = |name: &str, at: Time| {
        let new = NewSweep {
            name: Some(name.into()),
            swept: vec!["seed".into()],
            limits: Limits::default(),
            search: None,
        };
        let submit = Submit { sweep: Some(SweepOf::New(new)), at, ..submission(2) };
        let runs = one.submit_with(submit).runs;
        for run in &runs {
            one.completes(run, b"picture");
        }
        ids(&runs)
    };
    let [low, high, late] = [("low", 5), ("high", 5), ("late", 5)].map(|(name, at)| sweep(name, Time(at)));
    let sweeps = |runs: &[RunId]| -> Vec<String> {
        runs.iter().map(|run| other.store.listed(*run).unwrap().sweep.unwrap()).collect()
    };
    other.imports(&one.exported(&[&low[..], &high[..1]].concat())).unwrap();
    other.imports(&one.exported(&[&high[..], &late[..]].concat())).unwrap();
    assert_eq!(sweeps(&low), ["low", "low"]);
    assert_eq!(sweeps(&high), ["high", "high"]);
    assert_eq!(sweeps(&late), ["late", "late"]);
}

#[test]
fn a_run_with_any_number_or_a_long_text_is_known_again() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let mut submit = submission(1);
    submit.runs[0].params.insert("text".into(), Value::from("x".repeat(5000)));
    submit.runs[0].params.insert("rate".into(), Value::Float(f64::NAN));
    let run = one.submit_with(submit).runs.remove(0);
    let ends = RunUpdate::new(RunStatus::Completed, Time(5));
    let mut node = NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Completed, Time(4));
    node.metrics.insert("loss".into(), f64::NAN);
    let start = RunUpdate::new(RunStatus::Running, Time(1));
    let events = [StateEvent::RunUpdate(start), StateEvent::NodeUpdate(node), StateEvent::RunUpdate(ends)];
    one.events(&run, events, 1);
    let files = one.exported(&[run.id]);
    assert_eq!(other.imports(&files).unwrap().imported.runs.len(), 1);
    assert_eq!(other.imports(&files).unwrap().known, ["poster#1"]);
    let (mut changed, name) = (files, format!("runs/{}.ndjson", run.id));
    change(&mut changed, &name, 0, |run| run["run"]["run"]["params"]["text"] = json!("y"));
    assert!(refusal(&other, other.imports(&changed)).contains("but other content"));
}

#[test]
fn runs_keep_numbers_that_are_free_in_any_order() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let runs = one.submit(3);
    for run in &runs {
        one.completes(run, b"picture");
    }
    one.tamper("UPDATE run SET number = 9 WHERE number = 1");
    let outcome = other.imports(&one.exported(&ids(&runs))).unwrap();
    let names: Vec<&str> = outcome.imported.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["poster#9", "poster#2", "poster#3"]);
    let next = other.submit(1).remove(0);
    assert_eq!(next.name(), "poster#10");
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
