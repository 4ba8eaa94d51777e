//! Acknowledged writes are durable.

use super::*;

#[test]
fn everything_survives_reopening() {
    let mut at = Fixture::new();
    let run = at.submit(2).remove(1);
    let (published, media) = at.picture(&large(1));
    let picture = Value::from(media.clone());
    at.commit(vec![
        row(run.id, RunStatus::Running),
        event(run.id, 1),
        Op::Blob(published),
        values(run.id, "sky", "image", picture.clone()),
        values(run.id, "text", "text", Value::from("x".repeat(200_000))),
        Op::Setting { name: "paused", value: Some("true".into()) },
    ]);
    at.reopen();
    let open = at.store.open_runs().unwrap();
    let open: Vec<_> = open.into_iter().map(Result::unwrap).collect();
    assert_eq!(open.iter().map(|open| open.run.number).collect::<Vec<_>>(), [2, 1], "running first");
    let kept = &open[0];
    assert_eq!(kept.document, submission(1).version.document);
    assert_eq!(kept.path.as_deref(), Some("/home/ada/poster.yaml"));
    assert_eq!(kept.events.len(), 1);
    assert_eq!(kept.run.params["seed"], Value::Int(1));
    let value = |node: &str| kept.values.iter().find(|it| it.0 == node).unwrap().3.clone();
    assert_eq!(value("sky"), Some(picture));
    assert_eq!(value("text"), Some(Value::from("x".repeat(200_000))));
    assert_eq!(at.store.blobs().read(media.hash).unwrap(), large(1));
    assert_eq!(at.store.setting("paused").unwrap().as_deref(), Some("true"));
}

#[test]
fn a_failed_batch_does_not_affect_others() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    // Sent together, so that they wait together.
    let answers: Vec<_> = [
        vec![event(run.id, 1)],
        vec![row(run.id, RunStatus::Running), event(run.id, 1)],
        vec![row(RunId::new(), RunStatus::Running)],
        vec![event(run.id, 2)],
    ]
    .into_iter()
    .map(|ops| write(&at.store, ops, false))
    .collect();
    let answers: Vec<bool> = answers.into_iter().map(|answer| answer.recv().unwrap().is_ok()).collect();
    assert_eq!(answers, [true, false, false, true]);
    let open = at.store.run(run.id).unwrap();
    assert_eq!(open.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(open.run.state, RunStatus::Queued, "the failed batch left nothing");
}

/// Decisions of the engine build on earlier ones.
#[test]
fn a_decision_that_cannot_be_stored_ends_the_daemon_before_later_ones_are_stored() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    let failure = at.store.failure();
    let answers: Vec<_> =
        [vec![event(run.id, 1)], vec![event(run.id, 2), event(run.id, 1)], vec![event(run.id, 3)]]
            .into_iter()
            .map(|ops| write(&at.store, ops, true))
            .collect();
    let answers: Vec<bool> = answers.into_iter().map(|answer| answer.recv().unwrap().is_ok()).collect();
    assert_eq!(answers, [true, false, false]);
    wait_for("the daemon is asked to end", || failure.borrow().is_some());
    assert!(at.try_commit(vec![event(run.id, 2)]).is_err(), "nothing more is written");
    at.reopen();
    let open = at.store.run(run.id).unwrap();
    assert_eq!(open.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1], "no gap");
    assert_eq!(at.store.interruptions().unwrap()[&run.id], 1, "the run counts as interrupted");
}

#[test]
fn nothing_is_stored_once_another_part_of_the_daemon_has_failed() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.store.fail("the home is gone");
    assert!(at.try_commit(vec![event(run.id, 1)]).is_err());
    at.reopen();
    assert!(at.store.run(run.id).unwrap().events.is_empty());
}

#[test]
fn unreadable_data_of_one_run_affects_only_that_run() {
    let at = Fixture::new();
    let runs = at.submit(3);
    for run in &runs {
        at.commit(vec![row(run.id, RunStatus::Running), event(run.id, 1)]);
        at.commit(vec![event(run.id, 2)]);
        at.commit(vec![event(run.id, 3), event(run.id, 4)]);
    }
    let deep = format!("{{\"v\":{}{}}}", "[".repeat(200), "]".repeat(200));
    at.tamper(&format!("UPDATE event SET body = '{deep}' WHERE seq = 2 AND run = 1"));
    at.tamper("DELETE FROM event WHERE seq = 2 AND run = 2");
    let open = at.store.open_runs().unwrap();
    let why: Vec<_> =
        open.iter().map(|open| open.as_ref().err().map(|damaged| damaged.why.clone())).collect();
    assert!(why[0].as_ref().unwrap().contains("event 2 of poster#1 can't be read"), "{why:?}");
    assert_eq!(why[1].as_deref(), Some("event 2 of poster#2 is missing"));
    assert_eq!(why[2], None);
    for run in &runs[..2] {
        let error = at.store.run_state(run.id).unwrap_err().to_string();
        assert!(error.contains(&run.name()), "{error}");
    }
    at.commit(vec![row(runs[0].id, RunStatus::Failed), Op::DeleteRun { run: runs[0].id, assets: true }]);
}

#[test]
fn an_unreadable_row_hides_no_others_in_a_list() {
    let at = Fixture::new();
    let run = at.ended();
    at.product(&run, "sky", b"one");
    at.product(&at.ended(), "sky", b"two");
    at.tamper(
        "UPDATE run SET params = 'no JSON' WHERE key = 1; UPDATE asset SET value = 'no JSON' WHERE key = 1",
    );
    let runs = at.store.runs(&Default::default()).unwrap().rows;
    assert_eq!(runs.len(), 2);
    assert!(runs[1].error.as_ref().unwrap().contains("params can't be read"), "{runs:?}");
    assert_eq!(at.store.assets(&Default::default()).unwrap().rows.len(), 2);
}

#[test]
fn callers_are_notified_in_the_order_of_their_batches() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let (send, told) = channel();
    for seq in 1..=500 {
        let send = send.clone();
        let after: After = Box::new(move |answer| {
            answer.unwrap();
            send.send(seq).unwrap();
        });
        at.store.write(Batch {
            ops: vec![event(run.id, seq)],
            must: true,
            after: Some(after),
            ..Batch::default()
        });
    }
    drop(send);
    assert!(told.iter().eq(1..=500));
}

#[test]
fn a_batch_after_the_end_is_refused() {
    let at = Fixture::new();
    at.store.close();
    assert!(at.try_commit(vec![]).is_err());
}

#[test]
fn an_idle_writer_checkpoints_the_log() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    for node in 0..100 {
        at.commit(vec![values(run.id, &node.to_string(), "text", Value::from("x".repeat(60_000)))]);
    }
    let begun = std::time::Instant::now();
    while std::fs::metadata(at.home.database()).unwrap().len() < 100 * 60_000 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "everything stands in the log still");
        std::thread::yield_now();
    }
}

#[test]
fn the_row_of_a_run_is_the_fold_of_its_events_despite_failed_batches() {
    let at = Fixture::new();
    let id = at.submit(1)[0].id;
    let said = |seq, event| Op::Event { run: id, event: Numbered { seq, event }.into() };
    let becomes = |seq, status| {
        let at = Time(seq as i64);
        let order = (status == RunStatus::Running).then_some(7);
        said(seq, StateEvent::RunUpdate(RunUpdate { start_order: order, ..RunUpdate::new(status, at) }))
    };
    let done = |seq| {
        let ended = NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Completed, Time(seq as i64));
        said(seq, StateEvent::NodeUpdate(ended))
    };
    let row = || at.store.listed(id).unwrap().summary();
    at.commit(vec![becomes(1, RunStatus::Running)]);
    assert_eq!((row().status, row().start_order, row().nodes_done), (RunStatus::Running, Some(7), 0));
    let nobody = Op::Label { run: RunId::new(), label: "x".to_owned() };
    assert!(at.try_commit(vec![done(2), nobody]).is_err());
    assert_eq!(row().nodes_done, 0, "what was undone does not count");
    at.commit(vec![done(2)]);
    assert_eq!((row().status, row().nodes_done), (RunStatus::Running, 1), "seen while it runs");
    at.commit(vec![becomes(3, RunStatus::Completed), Op::Label { run: id, label: "x".to_owned() }]);
    let state = at.store.run_state(id).unwrap();
    assert_eq!((row().ended_at, row()), (Some(Time(3)), state.summary()));
}
