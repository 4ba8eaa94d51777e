//! Stories about the shell: the user presses keys, the model changes, effects follow.

mod any_order;
mod focus;
mod layers;
mod missed;
mod workflow;

use std::time::Duration;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::runs;
use fanlight_shared::rpc::watch::Notification;

use super::*;
use crate::ui::address::Address;
use crate::ui::message::{Response, Why};
use crate::ui::testing::{busy, connected, paint, press, response, run_id, screen};
use crate::ui::toast::Tone;

#[test]
fn quitting_asks_nothing_and_says_that_runs_continue() {
    assert_eq!(press(&mut busy(), "q"), [Effect::Quit]);
    assert!(Action::Quit.info().words.contains("runs continue"));
}

#[test]
fn stop_asks_and_then_cancels_exactly_the_focused_run() {
    let mut model = busy();
    assert!(!press(&mut model, "s").iter().any(|it| matches!(it, Effect::Cancel(_))));
    assert!(screen(&mut model, 120, 40).contains("Stop poster#5?"));
    assert!(press(&mut model, "enter").is_empty(), "enter is the safe answer");
    let effects = press(&mut model, "s y");
    let cancel = runs::Cancel { runs: vec![run_id(5)], ..runs::Cancel::default() };
    assert!(effects.contains(&Effect::Cancel(cancel)), "{effects:?}");
    assert!(model.layers.is_empty());
}

#[test]
fn questions_can_be_switched_off() {
    let mut model = busy();
    model.options.confirm = false;
    assert!(press(&mut model, "s").iter().any(|it| matches!(it, Effect::Cancel(_))));
}

#[test]
fn an_ended_run_can_not_be_stopped() {
    let mut model = crate::ui::testing::with_runs(&[crate::ui::testing::run(
        1,
        fanlight_shared::run::RunStatus::Completed,
    )]);
    assert!(press(&mut model, "s").is_empty());
    assert!(model.layers.is_empty());
}

#[test]
fn panes_take_turns_and_have_numbers() {
    let mut model = busy();
    press(&mut model, "tab");
    assert_eq!(model.pane, Pane::Queue);
    press(&mut model, "backtab backtab");
    assert_eq!(model.pane, Pane::Gallery);
    press(&mut model, "1");
    assert_eq!(model.pane, Pane::Grid);
    press(&mut model, "z");
    assert!(model.zoomed);
    press(&mut model, "esc");
    assert!(!model.zoomed);
}

#[test]
fn the_mouse_can_be_left_to_the_terminal() {
    let mut model = busy();
    assert!(press(&mut model, "M").contains(&Effect::Mouse(false)));
    assert!(press(&mut model, "M").contains(&Effect::Mouse(true)));
}

#[test]
fn run_again_takes_the_params_of_the_focused_run() {
    let mut model = busy();
    let effects = press(&mut model, "R");
    let start = effects.iter().find_map(|it| match it {
        Effect::Start(submission) => Some(&submission.start),
        _ => None,
    });
    let start = start.expect("a start");
    assert_eq!(start.sets[0], runs::ParamSet { like: Some(run_id(5)), ..runs::ParamSet::default() });
    assert_eq!(start.path.as_deref(), Some("/home/ada/poster.yaml"));
}

#[test]
fn esc_dismisses_errors_first() {
    let mut model = busy();
    model.zoomed = true;
    model.say(Tone::Bad, "no luck");
    press(&mut model, "esc");
    assert!(model.toasts.shown.is_empty() && model.zoomed);
    press(&mut model, "esc");
    assert!(!model.zoomed);
}

#[test]
fn a_failed_request_is_shown_and_stays_in_the_messages() {
    let mut model = busy();
    crate::ui::testing::fail(&mut model, Effect::Cancel(runs::Cancel::default()), "it is gone");
    assert_eq!(model.toasts.shown[0].text, "cancel: it is gone");
    assert_eq!(model.toasts.all.len(), 1);
}

/// Paints until nothing more is requested. Lets each request to read fail, and returns them.
fn every_read_fails(model: &mut Model, why: Why) -> Vec<Effect> {
    let mut failed = Vec::new();
    for _ in 0..20 {
        // A live tile is looked at for a while before its pictures are read.
        model.now = model.now.plus(Duration::from_secs(1));
        let mut effects = paint(model, 180, 50);
        effects.retain(Effect::reads);
        if effects.is_empty() && !failed.is_empty() {
            return failed;
        }
        for request in effects {
            assert!(!failed.contains(&request), "requested again: {request:?}");
            let (request, error) = (Box::new(request), "no luck".to_owned());
            failed.push((*request).clone());
            response(model, Response::Failed { request, error, why });
        }
    }
    panic!("more and more is requested: {failed:?}");
}

#[test]
fn no_frame_repeats_a_request_that_failed_but_the_next_connection_does() {
    // The UI learns that a request failed before it learns that the connection is lost.
    for why in [Why::Away, Why::Other] {
        let mut model = busy();
        let live = model.projection.active().next().expect("an active run").id;
        let up = model.link.clone();
        let failed = every_read_fails(&mut model, why);
        let of_tile =
            |it: &Effect| matches!(it, Effect::ListAssets { to: Address::LiveTile(run), .. } if *run == live);
        assert!(failed.iter().any(of_tile), "{failed:?}");
        update(&mut model, Message::Link(Link::Down("it went".to_owned())));
        assert!(!paint(&mut model, 180, 50).iter().any(Effect::reads));
        let again = update(&mut model, Message::Link(up));
        for request in failed {
            assert!(again.contains(&request), "lost: {request:?}");
        }
    }
}

#[test]
fn a_banner_comes_and_goes() {
    let mut model = busy();
    let banner = |text: &[&str]| {
        let banners = text.iter().map(|it| (*it).to_owned()).collect();
        Message::Notification(Box::new(Notification::Daemon {
            seq: 1,
            event: DaemonEvent::BannerUpdate { banners },
        }))
    };
    update(&mut model, banner(&["the disk\u{1b}[2J is full"]));
    assert!(screen(&mut model, 120, 40).contains("! the disk is full"));
    update(&mut model, banner(&[]));
    assert!(!screen(&mut model, 120, 40).contains("is full"));
}

#[test]
fn no_text_of_a_run_moves_the_cursor() {
    let mut model = busy();
    model.say(Tone::Bad, "a\u{1b}[2Jb");
    assert!(!model.toasts.shown[0].text.contains('\u{1b}'));
}

#[test]
fn without_a_workflow_only_home_can_be_left_by_quitting() {
    let mut model = connected();
    begin(&mut model);
    press(&mut model, "esc esc");
    assert_eq!(model.layers.len(), 1);
    assert!(press(&mut model, "q").contains(&Effect::Quit));
}
