//! What runs spent.

use fanlight_shared::event::{Activity, Prediction};
use fanlight_shared::rpc::runs::{Total, TotalsResponse};
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::run_state::Spent;

use rusqlite::params;

use super::*;

/// An attempt that ends: it cost a quarter dollar, and took 100 tokens of each of two models.
fn ended(run: RunId, seq: u64) -> Op {
    let one = |model: &str| Prediction {
        model: model.into(),
        input_tokens: 100,
        output_tokens: 10,
        ..Prediction::default()
    };
    let mut update =
        NodeUpdate::new("sky", ItemPath::item(seq as u32), NodeStatus::Completed, Time(seq as i64));
    update.attempt = Some(1);
    update.ended = Some(AttemptEnd::Completed);
    update.cost_usd = Some(0.25);
    update.activity =
        Some(Box::new(Activity { predictions: vec![one("a"), one("b")], ..Activity::default() }));
    Op::Event { run, event: Numbered { seq, event: StateEvent::NodeUpdate(update) } }
}

fn spent(attempts: u32) -> Spent {
    let attempts_u64 = u64::from(attempts);
    Spent {
        cost_usd: (attempts > 0).then(|| f64::from(attempts) * 0.25),
        input_tokens: 200 * attempts_u64,
        output_tokens: 20 * attempts_u64,
    }
}

fn total(runs: u32, attempts: u32) -> Total {
    Total { runs, spent: spent(attempts) }
}

#[test]
fn what_attempts_spent_is_in_the_rows_and_adds_up() {
    let at = Fixture::new();
    let (first, second) = (at.submit(2), at.submit(3));
    let other = Submit { path: Some("/other.yaml".into()), slug: "other".into(), ..submission(1) };
    let other = at.submit_with(other).runs.remove(0);
    at.commit(vec![ended(first[0].id, 1), ended(first[0].id, 2), ended(second[2].id, 1), ended(other.id, 1)]);
    assert_eq!(at.store.listed(first[0].id).unwrap().spent, spent(2));
    assert_eq!(
        at.store.run_state(first[0].id).unwrap().spent,
        spent(2),
        "the fold of its events says the same"
    );
    let totals = |run: &Run| at.store.totals(run.id).unwrap();
    assert_eq!(totals(&first[1]), TotalsResponse { submission: total(2, 2), workflow: total(5, 3) });
    assert_eq!(totals(&second[0]), TotalsResponse { submission: total(3, 1), workflow: total(5, 3) });
    assert_eq!(totals(&other), TotalsResponse { submission: total(1, 1), workflow: total(1, 1) });
    at.end(&first[0]);
    at.commit(vec![Op::DeleteRun { run: first[0].id, assets: true }]);
    assert_eq!(totals(&first[1]), TotalsResponse { submission: total(1, 0), workflow: total(4, 1) });
    assert!(at.store.totals(first[0].id).is_err());
}

#[test]
fn any_number_of_tokens_can_be_added_up() {
    let at = Fixture::new();
    let runs = at.submit(2);
    at.tamper(&format!("UPDATE run SET input_tokens = {}", i64::MAX));
    let totals = at.store.totals(runs[0].id).unwrap();
    assert!(
        totals.workflow.spent.input_tokens > i64::MAX as u64
            && totals.submission.spent.input_tokens > i64::MAX as u64
    );
}

#[test]
fn what_was_spent_under_earlier_versions_is_read_from_the_events() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("old.db");
    let db = database::open_up_to(&path, 4).unwrap();
    for key in 1..=3 {
        let row = "INSERT INTO run (key, id, workflow, version, number, label, params, submission, place, status, \
                   submitted_at, nodes, queue_position) VALUES (?1, zeroblob(?1), 1, 1, ?1, '', '{}', '', 0, 3, 0, 1, 0)";
        db.execute(row, [key]).unwrap();
    }
    let Op::Event { event, .. } = ended(RunId::new(), 1) else { unreachable!() };
    let body = serde_json::to_string(&event.event).unwrap();
    let free = r#"{"type":"node_update","node":"a","status":"failed","at":1,"ended":"failed","cost_usd":0}"#;
    let running = r#"{"type":"node_update","node":"a \"ended\" \"cost_usd\"","status":"running","at":1}"#;
    for (run, seq, body) in
        [(1, 1, running), (1, 2, &body), (1, 3, &body), (2, 1, r#""ended" "cost_usd" {"#), (3, 1, free)]
    {
        db.execute("INSERT INTO event (run, seq, body) VALUES (?1, ?2, ?3)", params![run, seq, body])
            .unwrap();
    }
    drop(db);
    let db = database::open(&path).unwrap();
    let mut rows = db.prepare("SELECT cost_usd, input_tokens, output_tokens FROM run ORDER BY key").unwrap();
    let rows = rows.query_map([], |row| code::spent(row, 0)).unwrap().map(Result::unwrap);
    let free = Spent { cost_usd: Some(0.0), ..Spent::default() };
    assert_eq!(rows.collect::<Vec<_>>(), [spent(2), Spent::default(), free]);
}
