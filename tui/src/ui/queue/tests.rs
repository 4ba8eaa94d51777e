//! Stories about the queue pane.

mod sweeps;

use fanlight_shared::asset::{AssetKind, PreviewState};
use fanlight_shared::event::{DaemonEvent, Queue};
use fanlight_shared::rpc::sweeps::Stretch;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::rpc::{Page, runs};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::spent::Spent;
use indexmap::IndexMap;

use crate::ui::effect::Effect;
use crate::ui::layer::form::Form;
use crate::ui::message::{Message, Response};
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::testing::{
    self, asset, busy, fail, opened, paint, press, response, run, run_id, screen, with_runs,
};
use crate::ui::update::update;

/// Returns the model with the focus on the queue, painted once.
fn queue(mut model: Model) -> Model {
    model.pane = Pane::Queue;
    paint(&mut model, 120, 40);
    model
}

fn go(model: &mut Model, number: u32) {
    model.queue.cursor = Some(crate::ui::model::queue::At::Run(run_id(number)));
}

fn cancelled(effects: &[Effect]) -> Vec<&runs::Cancel> {
    effects
        .iter()
        .filter_map(|it| if let Effect::Cancel(cancel) = it { Some(cancel) } else { None })
        .collect()
}

#[test]
fn marks_stay_when_the_question_is_answered_no_and_go_with_a_yes() {
    let mut model = queue(busy());
    go(&mut model, 6);
    press(&mut model, "space space x");
    assert!(screen(&mut model, 120, 40).contains("Cancel 2 runs?"));
    assert!(cancelled(&press(&mut model, "n")).is_empty());
    assert_eq!(model.queue.marked().len(), 2);
    let effects = press(&mut model, "x y");
    assert_eq!(cancelled(&effects)[0].runs, [run_id(6), run_id(7)]);
    assert!(model.queue.marked().is_empty());
}

#[test]
fn a_run_of_which_nothing_works_says_what_it_waits_for() {
    let reason = "waits (Priority) as job 41 on `cluster`";
    let waiting = Run { waits_for: Some(reason.to_owned()), ..run(2, RunStatus::Running) };
    let mut model = queue(with_runs(&[run(1, RunStatus::Running), waiting]));
    let shown = screen(&mut model, 120, 40);
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines.iter().rposition(|line| line.contains("#2 seed=2")).unwrap();
    assert!(lines[at + 1].contains("waits (Priority) as job 41"), "{shown}");
    assert_eq!(shown.matches("waits (").count(), 1);
}

#[test]
fn cancelling_asks_for_a_running_run_and_not_for_a_queued_one() {
    let mut model = queue(busy());
    go(&mut model, 6);
    assert_eq!(cancelled(&press(&mut model, "x"))[0].runs, [run_id(6)]);
    go(&mut model, 5);
    assert!(cancelled(&press(&mut model, "x")).is_empty());
    assert!(screen(&mut model, 120, 40).contains("Cancel poster#5?"));
    assert_eq!(cancelled(&press(&mut model, "y"))[0].runs, [run_id(5)]);
}

#[test]
fn emptying_the_queue_asks_with_the_number_of_runs() {
    let mut model = queue(busy());
    press(&mut model, "X");
    assert!(screen(&mut model, 120, 40).contains("all 2 runs that wait"));
    assert!(press(&mut model, "y").iter().any(|it| matches!(it, Effect::Cancel(cancel) if cancel.queued)));
}

#[test]
fn sections_fold_and_the_cursor_goes_to_the_heading() {
    let mut model = queue(busy());
    go(&mut model, 4);
    assert!(screen(&mut model, 120, 40).contains("#4 seed=4"));
    press(&mut model, "h");
    let shown = screen(&mut model, 120, 40);
    assert!(!shown.contains("#4 seed=4") && shown.contains("▸ Done 3 · 1 failed"), "{shown}");
    press(&mut model, "l j");
    assert!(screen(&mut model, 120, 40).contains("#4 seed=4"));
}

#[test]
fn the_cursor_starts_on_a_run_and_headings_are_reachable() {
    let pinned = |model: &Model| model.projection.pinned(testing::workflow_id());
    // The run in focus is in a folded section.
    let mut model = queue(with_runs(&[run(1, RunStatus::Completed), run(2, RunStatus::Cancelled)]));
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("✓ #1 seed=1") && shown.contains("▸ Cancelled 1"), "{shown}");
    press(&mut model, "enter");
    assert_eq!(pinned(&model), Some(run_id(1)));
    press(&mut model, "k enter");
    assert!(screen(&mut model, 120, 40).contains("▸ Done 1"));

    // None has started.
    let mut model = queue(with_runs(&[run(1, RunStatus::Queued), run(2, RunStatus::Queued)]));
    assert!(cancelled(&press(&mut model, "x")).is_empty(), "nobody chose it");
    assert!(screen(&mut model, 120, 40).contains("Cancel poster#1?"));
    press(&mut model, "esc enter");
    assert_eq!(pinned(&model), Some(run_id(1)));
    press(&mut model, "k enter");
    assert!(screen(&mut model, 120, 40).contains("▸ Enqueued 2"));
    press(&mut model, "enter j");
    assert_eq!(cancelled(&press(&mut model, "x"))[0].runs, [run_id(1)]);

    let mut model = queue(with_runs(&[run(1, RunStatus::Cancelled)]));
    press(&mut model, "enter");
    assert!(screen(&mut model, 120, 40).contains("▾ Cancelled 1"), "there is no other row");
}

#[test]
fn enter_pins_the_lens_to_the_run() {
    let mut model = queue(busy());
    go(&mut model, 1);
    press(&mut model, "enter");
    assert_eq!(model.projection.pinned(testing::workflow_id()), Some(run_id(1)));
}

#[test]
fn only_what_failed_or_was_cancelled_is_resumed() {
    let mut model = queue(busy());
    go(&mut model, 1);
    assert!(!press(&mut model, "u").iter().any(|it| matches!(it, Effect::Resume(_))));
    go(&mut model, 2);
    let resumed = press(&mut model, "u").into_iter().find_map(|it| match it {
        Effect::Resume(request) => Some(request.run),
        _ => None,
    });
    assert_eq!(resumed, Some(run_id(2)));
}

#[test]
fn a_page_that_could_not_be_read_is_read_by_a_retry() {
    let mut model = opened();
    model.pane = Pane::Queue;
    let asked = paint(&mut model, 120, 40);
    let page = asked.iter().find(|it| matches!(it, Effect::ListRuns { .. })).expect("a page").clone();
    fail(&mut model, page.clone(), "disk I/O error");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("runs: disk I/O error") && shown.contains("ctrl-r try again"), "{shown}");
    assert!(press(&mut model, "ctrl-r").contains(&page));
    assert!(model.toasts.shown.is_empty());
    let Effect::ListRuns { to, .. } = page else { unreachable!() };
    let page = Page { rows: vec![run(3, RunStatus::Completed)], cursor: None, limit: None };
    response(&mut model, Response::Runs { to, page });
    assert!(screen(&mut model, 120, 40).contains("#3 seed=3"));
}

#[test]
fn failed_requests_are_repeated_when_the_daemon_is_back() {
    use crate::ui::message::{Link, Why};
    let mut model = busy();
    let up = model.link.clone();
    update(&mut model, Message::Link(Link::Down("it went".to_owned())));
    let request = Box::new(Effect::GetRun(run_id(1)));
    response(
        &mut model,
        Response::Failed { request, error: "the daemon is away".to_owned(), why: Why::Away },
    );
    assert!(model.toasts.shown.is_empty(), "the banner says so");
    assert!(update(&mut model, Message::Link(up)).contains(&Effect::GetRun(run_id(1))));
}

#[test]
fn a_form_that_was_refused_comes_back_and_another_failure_brings_none() {
    let mut model = opened();
    let request = press(&mut model, "r enter").into_iter().find(|it| matches!(it, Effect::Start(_)));
    fail(&mut model, Effect::ListWorkflows, "no luck");
    assert!(model.layers.is_empty());
    fail(&mut model, request.expect("a start"), "`seed` is too large");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Form>()));
    assert!(screen(&mut model, 120, 40).contains("is too large"));
}

/// Adds and paints the picture of a run.
fn pictured(model: &mut Model, number: u32) {
    let of = model.projection.run(run_id(number)).expect("a run").clone();
    let mut made = asset(number, &of, "poster", AssetKind::Image);
    made.preview = PreviewState::Ready;
    let event = DaemonEvent::AssetUpdate { asset: Box::new(made.clone()) };
    update(model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event })));
    let asked = paint(model, 120, 40);
    for effect in asked {
        if let Effect::ListAssets { to, list } = effect
            && list.run_id == Some(run_id(number))
        {
            let page = Page { rows: vec![made.clone()], cursor: None, limit: None };
            response(model, Response::Assets { to, page });
        }
    }
}

#[test]
fn ended_runs_have_their_pictures_beside_them() {
    let mut model = queue(busy());
    pictured(&mut model, 4);
    let wanted = paint(&mut model, 120, 40);
    let cells = crate::ui::model::queue::thumbs::CELLS;
    let of_run = |it: &Effect| matches!(it, Effect::Paint(of) if of.cells == cells && of.of == testing::asset_id(4).into());
    assert!(wanted.iter().any(of_run), "{wanted:?}");
    let rows = model.areas.hits.iter().filter(|(place, hit)| {
        matches!(hit, crate::ui::areas::Hit::Run(run) if *run == run_id(4)) && place.height == cells.1
    });
    assert_eq!(rows.count(), 1);
    press(&mut model, "i");
    assert!(!paint(&mut model, 120, 40).iter().any(of_run));
    assert!(
        model
            .areas
            .hits
            .iter()
            .all(|(place, hit)| !matches!(hit, crate::ui::areas::Hit::Run(_)) || place.height < 3)
    );
}

#[test]
fn cards_have_no_pictures_in_a_small_pane() {
    let mut model = queue(busy());
    pictured(&mut model, 4);
    assert!(paint(&mut model, 60, 15).iter().all(|it| !matches!(it, Effect::Paint(_))));
}

#[test]
fn a_workflow_without_pictures_is_not_searched_for_them_for_ever() {
    let runs: Vec<_> = (1..=30).map(|number| run(number, RunStatus::Completed)).collect();
    let mut model = queue(with_runs(&runs));
    let mut asked = 0;
    for _ in 0..10 {
        for effect in paint(&mut model, 120, 40) {
            if let Effect::ListAssets { to, list } = effect
                && list.run_id.is_some()
            {
                asked += 1;
                response(
                    &mut model,
                    Response::Assets { to, page: Page { rows: Vec::new(), cursor: None, limit: None } },
                );
            }
        }
    }
    assert!((1..20).contains(&asked), "{asked}");
}

#[test]
fn ten_thousand_runs_are_scrolled_to_their_end() {
    let runs: Vec<_> = (1..=10_000).map(|number| run(number, RunStatus::Completed)).collect();
    let mut model = queue(with_runs(&runs));
    press(&mut model, "G");
    assert!(screen(&mut model, 120, 40).contains("#1 seed=1"));
    press(&mut model, "g g j");
    assert!(screen(&mut model, 120, 40).contains("#10000 seed=10000"));
    let rows =
        model.areas.hits.iter().filter(|(_, hit)| matches!(hit, crate::ui::areas::Hit::Run(_))).count();
    assert!(rows < 60, "only what is in view is drawn: {rows}");
}

#[test]
fn the_filter_shows_what_has_the_words_and_esc_takes_it_away() {
    let mut model = queue(busy());
    press(&mut model, "/");
    testing::write(&mut model, "failed");
    press(&mut model, "enter");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("#2 seed=2") && !shown.contains("#4 seed=4"), "{shown}");
    press(&mut model, "esc");
    assert!(screen(&mut model, 120, 40).contains("#4 seed=4"));
}

#[test]
fn products_that_were_deleted_while_the_daemon_was_away_leave_the_list() {
    let mut model = queue(busy());
    let state = Queue { max_concurrent_runs: 8, paused: false, running: 1, queued: 0 };
    let runs = vec![run(5, RunStatus::Running)];
    let back = Notification::Registry {
        seq: 9,
        runs,
        runs_left: 0,
        queue: state,
        paused: indexmap::IndexMap::new(),
        banners: Vec::new(),
    };
    let effects = update(&mut model, Message::Notification(Box::new(back)));
    let asked = effects.iter().find_map(|it| match it {
        Effect::ListRuns { to, list } if list.states.contains(&RunStatus::Completed) => Some(*to),
        _ => None,
    });
    // The newest page of Done goes down to #2; #4 is not on it.
    let page =
        Page { rows: vec![run(2, RunStatus::Completed)], cursor: Some("more".to_owned()), limit: None };
    let effects = response(&mut model, Response::Runs { to: asked.expect("a page"), page });
    let Some(Effect::CheckRuns(after)) = effects.iter().find(|it| matches!(it, Effect::CheckRuns(_))) else {
        panic!("nobody is asked after: {effects:?}");
    };
    assert!(after.contains(&run_id(4)) && !after.contains(&run_id(2)), "{after:?}");
    model.queue.marks.insert(run_id(4));
    response(&mut model, Response::Known(run_id(4), None));
    assert!(!screen(&mut model, 120, 40).contains("#4 seed=4"));
    assert!(model.queue.marks.is_empty(), "nothing that is gone is marked");
}

#[test]
fn numbers_are_shown_in_all_cards_or_in_none() {
    let mut model = queue(busy());
    let of = run(4, RunStatus::Completed);
    let mut picture = asset(1, &of, "poster", AssetKind::Image);
    picture.preview = PreviewState::Ready;
    let number = asset(2, &of, "poster", AssetKind::Number);
    for made in [picture, number] {
        let event = DaemonEvent::AssetUpdate { asset: Box::new(made) };
        update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event })));
    }
    let text = screen(&mut model, 160, 40);
    let line = |of: &str| text.lines().find(|line| line.contains(of)).unwrap_or_default().to_owned();
    assert!(line("#4 seed=4").contains("0.2500") && line("#1 seed=1").contains('–'), "{text}");
}

#[test]
fn what_runs_and_sweeps_have_spent_is_beside_them_where_there_is_room() {
    let spent = |cost_usd, input_tokens| Spent { cost_usd, input_tokens, ..Spent::default() };
    let runs = [
        Run { spent: spent(Some(0.0125), 1_200), ..run(1, RunStatus::Completed) },
        Run { spent: spent(None, 37_000), ..run(2, RunStatus::Running) },
        run(3, RunStatus::Completed),
    ];
    let text = screen(&mut queue(with_runs(&runs)), 160, 40);
    let line = |of: &str| text.lines().find(|line| line.contains(of)).unwrap_or_default().to_owned();
    assert!(line("#1 seed=1").contains("$0.0125") && line("#2 seed=2").contains("37k tok"), "{text}");
    assert!(!line("#3 seed=3").contains("tok") && !line("#3 seed=3").contains('$'), "{text}");

    let of = |number| Run { sweep: Some("scan".to_owned()), ..run(number, RunStatus::Completed) };
    let mut model = queue(with_runs(&(1..=60).map(of).collect::<Vec<_>>()));
    let asked = paint(&mut model, 160, 40);
    let read = asked.iter().find_map(|effect| match effect {
        Effect::ReadSweep { name, request, best: true } => Some((name.clone(), *request)),
        _ => None,
    });
    let (name, request) = read.unwrap_or_else(|| panic!("{asked:?}"));
    let runs = vec![Stretch { first: 1, count: 60, state: RunStatus::Completed }];
    let best = Some((IndexMap::new(), spent(Some(1.5), 2_000_000)));
    response(&mut model, Response::Sweep { name, request, runs, best, search: None });
    let text = screen(&mut model, 160, 40);
    let line = text.lines().find(|line| line.contains("scan")).unwrap_or_default();
    assert!(line.contains("$1.5000") && !line.contains("tokens"), "the pane is narrow: {text}");
}

#[test]
fn a_run_that_waits_because_of_the_limit_of_its_workflow_says_so() {
    let limited = |number, state| Run { concurrency: Some(1), ..run(number, state) };
    let waits = limited(2, RunStatus::Queued);
    let line = |runs: &[Run]| {
        let text = screen(&mut queue(with_runs(runs)), 160, 40);
        text.lines().find(|line| line.contains("#2 seed=2")).unwrap_or_default().to_owned()
    };
    assert!(line(&[limited(1, RunStatus::Running), waits.clone()]).contains("limit 1"));
    assert!(line(&[limited(1, RunStatus::Completed), waits]).contains("next"), "the cap keeps it waiting");
}
