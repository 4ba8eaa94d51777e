//! Submissions: all runs or none, numbers, the queue, resuming.

use fanlight_shared::sweep::Limits;

use super::*;
use crate::store::{NewSweep, SweepOf};

#[test]
fn the_same_key_gives_the_same_runs() {
    let mut at = Fixture::new();
    let again = || {
        let mut submit = submission(3);
        submit.request_key = "twice".into();
        submit
    };
    let first = at.submit_with(again());
    at.reopen();
    let second = at.submit_with(again());
    assert!(!first.repeated && second.repeated);
    let ids = |it: &Submitted| it.runs.iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(at.store.counts().unwrap().queued, 3);
}

#[test]
fn numbers_are_contiguous_and_never_reused() {
    let at = Fixture::new();
    let runs = at.submit(3);
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [1, 2, 3]);
    at.end(&runs[2]);
    at.commit(vec![Op::DeleteRun { run: runs[2].id, assets: true }]);
    assert_eq!(at.submit(1)[0].number, 4);
    let gone = at.store.find_run("poster#3").unwrap_err().to_string();
    assert_eq!(gone, "the run poster#3 was deleted, or is missing from what was imported");
}

#[test]
fn a_submission_that_fails_leaves_nothing() {
    let at = Fixture::new();
    let mut submit = submission(2);
    submit.runs[1].id = submit.runs[0].id;
    assert!(at.try_commit(vec![Op::Submit(submit.into())]).is_err());
    assert_eq!(at.store.counts().unwrap(), fanlight_shared::run::Counts::default());
    assert_eq!(at.submit(1)[0].number, 1);
}

#[test]
fn workflows_are_found_by_id_else_by_path() {
    let at = Fixture::new();
    let here = at.submit(1).remove(0);
    let moved = at.submit_with(Submit { path: Some("/tmp/poster.yaml".into()), ..submission(1) });
    assert_ne!(moved.runs[0].workflow_id, here.workflow_id);
    assert_eq!(moved.runs[0].workflow, "poster-2", "the slug is unique");
    assert_eq!(moved.moved_from.as_deref(), Some("/home/ada/poster.yaml"));
    let id = fanlight_shared::id::WorkflowId::new();
    let with_id =
        |path: Option<&str>| Submit { workflow_id: Some(id), path: path.map(str::to_owned), ..submission(1) };
    let named = at.submit_with(with_id(Some("/a.yaml"))).runs.remove(0);
    let again = at.submit_with(with_id(None)).runs.remove(0);
    assert_eq!((named.workflow_id, again.workflow_id, again.number), (id, id, 2));
    assert_eq!(at.store.workflow("poster-3").unwrap().workflow.path.as_deref(), Some("/a.yaml"));
    let nameless = Submit { path: None, ..submission(1) };
    assert!(at.try_commit(vec![Op::Submit(nameless.into())]).unwrap_err().to_string().contains("`id:`"));
}

#[test]
fn a_deleted_workflow_frees_its_slug_and_keeps_its_numbers() {
    let at = Fixture::new();
    let run = at.ended();
    let other = || Submit { path: Some("/elsewhere/poster.yaml".into()), ..submission(1) };
    at.commit(vec![Op::DeleteRun { run: run.id, assets: true }]);
    let taken = at.submit_with(other()).runs.remove(0);
    assert_eq!(taken.name(), "poster#1");
    assert_eq!(at.store.workflows(None).unwrap().rows.len(), 1);
    assert!(at.store.workflow("/home/ada/poster.yaml").is_err(), "it was deleted");
    let back = at.submit(1).remove(0);
    assert_eq!(back.name(), "poster-2#2", "its numbers go on");
    assert_eq!(at.submit_with(other()).runs[0].name(), "poster#2");
}

#[test]
fn the_newest_started_run_is_found_among_any_number_of_waiting_ones() {
    let at = Fixture::new();
    let runs = at.submit(1500);
    let workflow = runs[0].workflow_id;
    assert_eq!(at.store.newest_started(workflow).unwrap(), None);
    at.commit(vec![row(runs[3].id, RunStatus::Running)]);
    assert_eq!(at.store.newest_started(workflow).unwrap(), Some(runs[3].id));
}

#[test]
fn the_queue_is_first_in_first_out_except_for_next() {
    let at = Fixture::new();
    at.submit(2);
    let mut next = submission(2);
    next.next = true;
    at.submit_with(next);
    let mut newest = submission(1);
    newest.next = true;
    at.submit_with(newest);
    at.submit(1);
    let order: Vec<(u32, bool)> = at
        .store
        .open_runs()
        .unwrap()
        .into_iter()
        .map(|open| open.unwrap())
        .map(|open| (open.run.number, open.next))
        .collect();
    assert_eq!(order, [(5, true), (3, true), (4, true), (1, false), (2, false), (6, false)]);
}

#[test]
fn a_resumed_run_takes_over_values_by_reference() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let (published, media) = at.picture(&large(4));
    let picture = Value::from(media.clone());
    at.commit(vec![
        Op::Blob(published),
        values(run.id, "sky", "image", picture.clone()),
        values(run.id, "late", "text", Value::from("not taken over")),
    ]);
    at.end(&run);
    let resume = Some(ResumeFrom { run: run.id, finished: vec![finished(&run, "sky")] });
    let new = at.submit_with(Submit { resume, ..submission(1) }).runs.remove(0);
    assert_eq!(new.resumed_from, Some(run.id));
    at.commit(vec![Op::DeleteRun { run: run.id, assets: true }]);
    let taken = at.store.run(new.id).unwrap();
    let place = ("sky".to_owned(), ItemPath::WHOLE);
    assert_eq!(taken.origins[&place], finished(&run, "sky").origin, "although that run is gone");
    let taken = taken.values;
    assert_eq!(taken, [("sky".to_owned(), ItemPath::WHOLE, "image".to_owned(), Some(picture))]);
    assert_eq!(at.store.blobs().read(media.hash).unwrap(), large(4));
}

#[test]
fn the_state_of_a_run_is_the_fold_of_its_events() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![event(run.id, 1)]);
    let state = at.store.run_state(run.id).unwrap();
    assert_eq!(state.seq, 1);
    assert_eq!(state.nodes["sky"].whole.status, NodeStatus::Running);
}

#[test]
fn runs_with_an_old_version_do_not_make_it_the_newest_again() {
    let at = Fixture::new();
    let newest = || at.store.workflow("poster").unwrap().document;
    let sweep = NewSweep { name: None, swept: Vec::new(), limits: Limits::default(), search: None };
    let old = at.submit_with(Submit { sweep: Some(SweepOf::New(sweep)), ..submission(2) }).runs.remove(0);
    let document = "nodes: { sea: { uses: image.generate } }";
    let new = || Submit { version: version_of(document, "sea"), ..submission(1) };
    at.submit_with(new());
    assert_eq!(newest(), document);
    let sweep = SweepOf::Extended { name: "poster/1".into(), swept: Vec::new() };
    at.submit_with(Submit { sweep: Some(sweep), ..submission(1) });
    assert_eq!(newest(), document, "a sweep was extended");
    let resume = || Some(ResumeFrom { run: old.id, finished: Vec::new() });
    at.submit_with(Submit { resume: resume(), ..submission(1) });
    assert_eq!(newest(), document, "a run was resumed");
    at.submit_with(submission(1));
    assert_ne!(newest(), document, "the file was changed back");
    let newer = "nodes: { air: { uses: image.generate } }";
    at.submit_with(Submit { resume: resume(), version: version_of(newer, "air"), ..submission(1) });
    assert_eq!(newest(), newer, "a run was resumed with a newer file");
}
