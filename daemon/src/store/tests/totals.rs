//! The cost and the tokens of runs, of their submissions and of their workflows.

use fanlight_shared::event::{Activity, Prediction};
use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::runs::{Total, TotalsResponse};
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::spent::{MAX_TOKENS, Spent};

use rusqlite::params;

use super::*;

/// The end of an attempt that cost a quarter dollar and used 100 input tokens of each of two models, one of which has no
/// price.
fn ended(run: RunId, seq: u64) -> Op {
    let one = |model: &str, cost_usd| Prediction {
        model: model.into(),
        input_tokens: 100,
        output_tokens: 10,
        cost_usd,
        ..Prediction::default()
    };
    let mut update =
        NodeUpdate::new("sky", ItemPath::item(seq as u32), NodeStatus::Completed, Time(seq as i64));
    update.attempt = Some(1);
    update.ended = Some(AttemptEnd::Completed);
    update.cost_usd = Some(0.25);
    update.activity = Some(Box::new(Activity {
        predictions: vec![one("a", Some(0.25)), one("b", None)],
        ..Activity::default()
    }));
    Op::Event { run, event: Numbered { seq, event: StateEvent::NodeUpdate(update) }.into() }
}

fn spent(attempts: u32) -> Spent {
    let tokens = u64::from(attempts);
    Spent {
        cost_usd: (attempts > 0).then(|| f64::from(attempts) * 0.25),
        input_tokens: 200 * tokens,
        output_tokens: 20 * tokens,
        unpriced: attempts > 0,
    }
}

/// Returns the sum of runs of before there was `unpriced`.
fn of_before(attempts: u32) -> Spent {
    Spent { unpriced: false, ..spent(attempts) }
}

fn total(runs: u32, attempts: u32) -> Total {
    Total { runs, spent: spent(attempts) }
}

#[test]
fn the_attempts_of_a_sweep_and_of_a_workflow_are_added_up() {
    let at = Fixture::new();
    let (first, second) = (at.submit(2), at.submit(3));
    let other = Submit { path: Some("/other.yaml".into()), slug: "other".into(), ..submission(1) };
    let other = at.submit_with(other).runs.remove(0);
    at.commit(vec![ended(first[0].id, 1), ended(first[0].id, 2), ended(second[2].id, 1), ended(other.id, 1)]);
    assert_eq!(at.store.listed(first[0].id).unwrap().spent, spent(2));
    assert_eq!(
        at.store.run_state(first[0].id).unwrap().spent,
        spent(2),
        "the fold of its events is the same"
    );
    let totals = |run: &Run| at.store.totals(run.id).unwrap();
    assert_eq!(totals(&first[1]), TotalsResponse { submission: total(2, 2), workflow: total(5, 3) });
    assert_eq!(totals(&second[0]), TotalsResponse { submission: total(3, 1), workflow: total(5, 3) });
    assert_eq!(totals(&other), TotalsResponse { submission: total(1, 1), workflow: total(1, 1) });
}

#[test]
fn a_deleted_run_of_a_sweep_does_not_count_whether_its_row_stays_or_not() {
    let at = Fixture::new();
    let (runs, next) = (at.submit(4), at.submit(1));
    at.commit(runs.iter().chain(&next).map(|run| ended(run.id, 1)).collect());
    at.product(&runs[1], "sky", b"a picture");
    for (deleted, left) in [(0, 3), (1, 2), (3, 1)] {
        at.end(&runs[deleted]);
        // The row of the second one stays, because it has an asset.
        at.commit(vec![Op::DeleteRun { run: runs[deleted].id, assets: false }]);
        let totals = at.store.totals(runs[2].id).unwrap();
        assert_eq!((totals.submission, totals.workflow), (total(left, left), total(left + 1, left + 1)));
        assert!(at.store.totals(runs[deleted].id).is_err());
    }
}

#[test]
fn an_event_counts_once_after_a_failed_batch_and_a_restart() {
    let mut at = Fixture::new();
    let id = at.submit(1)[0].id;
    at.commit(vec![ended(id, 1)]);
    let nobody = Op::Label { run: RunId::new(), label: "x".to_owned() };
    assert!(at.try_commit(vec![ended(id, 2), nobody]).is_err());
    assert_eq!(at.store.listed(id).unwrap().spent, spent(1));
    at.reopen();
    at.commit(vec![ended(id, 2)]);
    at.reopen();
    assert_eq!(at.store.listed(id).unwrap().spent, spent(2));
    assert_eq!(at.store.run_state(id).unwrap().spent, spent(2));
}

#[test]
fn a_sum_stops_at_the_largest_number_that_clients_can_read() {
    let at = Fixture::new();
    let runs = at.submit(2);
    at.tamper(&format!("UPDATE run SET input_tokens = {MAX_TOKENS}, cost_usd = 1.7e308"));
    let totals = at.store.totals(runs[0].id).unwrap();
    assert_eq!(totals.workflow, totals.submission);
    assert_eq!(totals.workflow.spent.input_tokens, MAX_TOKENS);
    let json = serde_json::to_string(&totals).unwrap();
    assert_eq!(serde_json::from_str::<TotalsResponse>(&json).unwrap(), totals);
}

#[test]
fn every_older_schema_gets_the_sums_of_its_events() {
    for schema in 1..=4 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("old.db");
        let frozen = frozen::data().join(format!("schema-{schema}.db"));
        std::fs::write(&path, std::fs::read(frozen).unwrap()).unwrap();
        let old = rusqlite::Connection::open(&path).unwrap();
        for seq in 2..=3 {
            let Op::Event { event, .. } = ended(RunId::new(), seq) else { unreachable!() };
            let body = serde_json::to_string(&event.event).unwrap();
            old.execute("INSERT INTO event (run, seq, body) VALUES (1, ?1, ?2)", params![seq as i64, body])
                .unwrap();
        }
        drop(old);
        assert_eq!(sums(&database::open(&path).unwrap()), [of_before(2), Spent::default()], "{schema}");
    }
}

/// Returns the sums in the rows of all runs.
fn sums(db: &rusqlite::Connection) -> Vec<Spent> {
    let mut rows =
        db.prepare("SELECT cost_usd, input_tokens, output_tokens, unpriced FROM run ORDER BY key").unwrap();
    rows.query_map([], |row| code::spent(row, 0, 3)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_migration_adds_up_events_as_the_fold_does() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("old.db");
    let db = database::open_up_to(&path, 4).unwrap();
    for key in 1..=4 {
        let row = "INSERT INTO run (key, id, workflow, version, number, label, params, submission, place, status, \
                   submitted_at, nodes, queue_position) VALUES (?1, zeroblob(?1), 1, 1, ?1, '', '{}', '', 0, 3, 0, 1, 0)";
        db.execute(row, [key]).unwrap();
    }
    let Op::Event { event, .. } = ended(RunId::new(), 1) else { unreachable!() };
    let body = serde_json::to_string(&event.event).unwrap();
    let free = r#"{"type":"node_update","node":"a","status":"failed","at":1,"ended":"failed","cost_usd":0}"#;
    let running = r#"{"type":"node_update","node":"a \"ended\" \"cost_usd\"","status":"running","at":1}"#;
    let most = r#"{"type":"node_update","node":"a","status":"failed","at":1,"ended":"failed","cost_usd":1.7e308,
        "activity":{"predictions":[{"provider":"p","model":"m","input_tokens":18446744073709551615,"output_tokens":1}]}}"#;
    for (run, seq, body) in [
        (1, 1, running),
        (1, 2, &body),
        (1, 3, &body),
        (2, 1, r#""ended" "cost_usd" {"#),
        (3, 1, free),
        (4, 1, most),
        (4, 2, most),
    ] {
        db.execute("INSERT INTO event (run, seq, body) VALUES (?1, ?2, ?3)", params![run, seq, body])
            .unwrap();
    }
    drop(db);
    let free = Spent { cost_usd: Some(0.0), ..Spent::default() };
    let most =
        Spent { cost_usd: Some(f64::MAX), input_tokens: MAX_TOKENS, output_tokens: 2, unpriced: false };
    assert_eq!(sums(&database::open(&path).unwrap()), [of_before(2), Spent::default(), free, most]);
}

#[test]
fn the_migration_keeps_what_running_attempts_have_spent() {
    let folder = TempDir::new().unwrap();
    let home = home(folder.path());
    folder::prepare(&home.data).unwrap();
    let [known, damaged] = [AttemptId::new(), AttemptId::new()];
    let db = database::open_up_to(&home.database(), 18).unwrap();
    for (attempt, value) in [(known, r#"{"cost_usd":0.5,"predictions":[]}"#), (damaged, "{")] {
        db.execute("INSERT INTO setting VALUES (?1, ?2)", params![format!("spending {attempt}"), value])
            .unwrap();
    }
    drop(db);
    let store = Store::open(&home).unwrap();
    let spending = store.spending().unwrap();
    assert_eq!((spending.len(), spending[&known].cost_usd), (2, Some(0.5)));
    assert!(spending[&damaged].unpriced && !spending[&known].unpriced);
    assert_eq!(store.setting(&format!("spending {known}")).unwrap(), None);
}
