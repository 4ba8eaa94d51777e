//! Several events of a run in one row, and rows that a transaction has not written yet.

use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::runs::Table;

use super::*;

fn started(run: RunId, seq: u64, attempt: AttemptId) -> Op {
    let update = NodeUpdate {
        attempt: Some(1),
        attempt_id: Some(attempt),
        ..NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Running, Time(seq as i64))
    };
    Op::Event { run, event: Numbered { seq, event: StateEvent::NodeUpdate(update) }.into() }
}

fn numbers(events: &[Numbered]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

#[test]
fn the_events_of_a_batch_share_rows_and_are_read_by_their_numbers() {
    let mut at = Fixture::new();
    let runs = at.submit(2);
    let both = |seq| runs.iter().map(move |run| event(run.id, seq));
    at.commit((1..=30).flat_map(both).collect());
    at.commit((31..=33).flat_map(both).collect());
    let rows: u32 = at
        .store
        .read(|db| Ok(db.query_row("SELECT count(*) FROM event WHERE run = 1", [], |row| row.get(0))?))
        .unwrap();
    assert!((2..30).contains(&rows), "{rows}");
    at.reopen();
    for run in &runs {
        assert_eq!(numbers(&at.store.run(run.id).unwrap().events), (1..=33).collect::<Vec<_>>());
        for (after, up_to) in
            [(0, 33), (0, 1), (3, 7), (29, 32), (30, 33), (32, 40), (33, 40), (5, 5), (9, 2)]
        {
            let expected: Vec<u64> = (after + 1..=up_to.min(33)).collect();
            assert_eq!(numbers(&at.store.events(run.id, after, up_to).unwrap()), expected);
        }
    }
    assert_eq!(at.store.events(runs[0].id, u64::MAX, u64::MAX).unwrap(), []);
    assert_eq!(at.store.events(runs[0].id, u64::MAX - 1, u64::MAX).unwrap(), []);
    at.commit(both(34).collect());
    let again = write(&at.store, vec![event(runs[0].id, 20)], false).recv().unwrap().unwrap_err().to_string();
    assert!(again.contains("stored already"), "{again}");
    at.tamper(
        "DELETE FROM event WHERE run = 1 AND seq = (SELECT seq FROM event WHERE run = 1 LIMIT 1 OFFSET 1)",
    );
    assert!(at.store.run_state(runs[0].id).unwrap_err().to_string().contains("is missing"));
    assert_eq!(at.store.run_state(runs[1].id).unwrap().seq, 34);
}

#[test]
fn attempts_in_shared_rows_are_known_and_removed_with_their_run() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let attempts = [AttemptId::new(), AttemptId::new(), AttemptId::new()];
    at.commit(vec![event(run.id, 1), started(run.id, 2, attempts[0]), started(run.id, 3, attempts[1])]);
    at.commit(vec![started(run.id, 4, attempts[2])]);
    let mut known = at.store.known_attempts(&attempts).unwrap();
    known.sort_unstable();
    assert_eq!(known, attempts);
    at.commit(vec![row(run.id, RunStatus::Completed), Op::DeleteRun { run: run.id, assets: true }]);
    let mut going = at.store.attempts_to_remove().unwrap();
    going.sort_unstable();
    assert_eq!(going, attempts);
}

#[test]
fn values_that_are_evicted_before_they_are_written_are_not_kept() {
    let at = Fixture::new();
    let runs: Vec<Run> = (0..12).map(|_| at.ended()).collect();
    let (published, media) = at.picture(b"a picture");
    let mut ops = vec![Op::Blob(published)];
    for run in &runs {
        ops.push(values(run.id, "text", "text", Value::from("short")));
        ops.push(values(run.id, "picture", "image", Value::from(media.clone())));
    }
    // The second value of a port replaces the first one.
    ops.push(values(runs[11].id, "picture", "image", Value::from("no picture")));
    ops.push(Op::Evict { run: runs[11].id, keep: 10 });
    at.commit(ops);
    for run in &runs {
        let kept = run.number > 2;
        let value = at.store.port_value(run.id, "text", ItemPath::WHOLE, "text").unwrap();
        assert_eq!(value.is_some(), kept, "{}", run.name());
        assert_eq!(at.store.is_evicted(run.id).unwrap(), !kept);
        assert_eq!(at.store.run(run.id).unwrap().values.len(), 2, "what is not kept is listed");
    }
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
    at.commit(vec![Op::Evict { run: runs[11].id, keep: 0 }]);
    assert!(at.store.blobs().read(media.hash).is_err(), "nothing refers to it");
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
}

#[test]
fn an_event_that_can_not_be_written_counts_for_its_own_run() {
    let mut at = Fixture::new();
    let runs = at.submit(2);
    at.commit(runs.iter().map(|run| event(run.id, 1)).collect());
    at.tamper("INSERT INTO event (run, seq, body) VALUES (1, 2, '{}')");
    let ops = vec![event(runs[0].id, 2), event(runs[1].id, 2), Op::ClearAttemptKeys];
    assert!(write(&at.store, ops, true).recv().unwrap().is_err());
    let failure = at.store.failure();
    wait_for("the daemon is asked to end", || failure.borrow().is_some());
    at.reopen();
    let interruptions = at.store.interruptions().unwrap();
    assert_eq!((interruptions.get(&runs[0].id), interruptions.get(&runs[1].id)), (Some(&1), None));
}

#[test]
fn a_body_that_is_no_text_damages_only_its_run() {
    let at = Fixture::new();
    let runs = at.submit(3);
    at.commit(runs.iter().map(|run| row(run.id, RunStatus::Running)).collect());
    at.commit(runs.iter().map(|run| event(run.id, 1)).collect());
    at.tamper("UPDATE event SET body = x'ff' WHERE run = 1; UPDATE event SET body = CAST(x'ff' AS TEXT) WHERE run = 2");
    let open = at.store.open_runs().unwrap();
    let why: Vec<_> =
        open.iter().map(|open| open.as_ref().err().map(|damaged| damaged.why.clone())).collect();
    assert!(why[..2].iter().flatten().all(|why| why.contains("can't be read: it is no text")), "{why:?}");
    assert_eq!((why[..2].iter().flatten().count(), &why[2]), (2, &None));
    at.try_commit(runs.iter().map(|run| row(run.id, RunStatus::Failed)).collect()).unwrap();
    for run in &runs {
        assert_eq!(at.store.listed(run.id).unwrap().state, RunStatus::Failed);
    }
    let table = Table { run_ids: runs.iter().map(|run| run.id).collect(), ..Table::default() };
    assert_eq!(at.store.table(&table).unwrap().rows.len(), 3, "the others are shown");
}

#[test]
fn damage_of_an_event_does_not_hide_the_attempts_beside_it() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let attempts = [AttemptId::new(), AttemptId::new()];
    at.commit(vec![started(run.id, 1, attempts[0]), event(run.id, 2), started(run.id, 3, attempts[1])]);
    Connection::open(at.home.database())
        .unwrap()
        .execute_batch("UPDATE event SET body = replace(body, '},{', '},{,{')")
        .unwrap();
    let mut known = at.store.known_attempts(&attempts).unwrap();
    known.sort_unstable();
    assert_eq!(known, attempts);
    at.commit(vec![row(run.id, RunStatus::Failed), Op::DeleteRun { run: run.id, assets: true }]);
    assert_eq!(at.store.attempts_to_remove().unwrap().len(), 2);
}
