use std::time::Duration;

use fanlight_daemon::supervisor::client::{How, Stage};

use super::story::*;
use crate::alive::is_alive;

/// Everything that a command can do to leave processes behind. `hidden` has no token and not the session of the main
/// process.
const CLINGING: &str = "
    setsid sleep 1000 &
    (setsid sleep 1000 &)
    (trap '' TERM; while :; do sleep 1000; done) &
    sleep 1000 & kill -STOP $!
    env -i setsid sleep 1000 & echo $! > hidden
";

#[test]
fn a_stop_ends_the_whole_process_tree() {
    both(async |story| {
        let spec = story.script(&format!("{CLINGING} echo ready; wait"));
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        until("the tree is there", || log_text(&spec.folder).contains("ready")).await;
        until("all are started", || processes_of(spec.id).len() >= 6).await;
        let hidden = number_in(&spec, "hidden");
        assert!(is_alive(hidden));
        assert!(story.supervisor.stop(spec.id, Duration::from_millis(100)).await.unwrap());
        let exit = ended(&mut events).await;
        assert_eq!((exit.how, exit.stopped), (How::Signal(15), true));
        assert_eq!(processes_of(spec.id), Vec::<u32>::new());
        assert!(!is_alive(hidden));
        assert!(!story.supervisor.stop(spec.id, Duration::ZERO).await.unwrap());
    });
}

#[test]
fn background_processes_are_ended_with_the_main_process() {
    both(async |story| {
        let spec = story.script(&format!("{CLINGING} echo bye; exit 4"));
        let exit = story.run(&spec).await;
        assert_eq!((exit.how, exit.stopped), (How::Code(4), false));
        assert_eq!(processes_of(spec.id), Vec::<u32>::new());
        assert!(!is_alive(number_in(&spec, "hidden")));
        // A shell may have reported a child that was killed just before it.
        assert!(log_text(&spec.folder).starts_with("bye\n"));
    });
}

#[test]
fn a_background_process_may_finish_writing_after_the_main_process() {
    both(async |story| {
        // If the machine is so busy that it gets a signal, it ignores it.
        let mut spec = story.script("trap '' TERM; echo early; (sleep 0.02; echo late) &");
        spec.grace = Duration::from_secs(60);
        assert_eq!(story.run(&spec).await.how, How::Code(0));
        assert_eq!(log_text(&spec.folder), "early\nlate\n");
    });
}

#[test]
fn a_stopped_command_has_time_to_clean_up() {
    both(async |story| {
        let spec = story.script("trap 'echo tidy; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        until("it is ready", || log_text(&spec.folder).contains("ready")).await;
        story.supervisor.stop(spec.id, Duration::from_secs(1000)).await.unwrap();
        let exit = ended(&mut events).await;
        assert_eq!((exit.how, exit.stopped), (How::Code(7), true));
        assert!(log_text(&spec.folder).contains("tidy\n"));
    });
}

#[test]
fn a_second_stop_shortens_the_grace() {
    both(async |story| {
        let spec = story.script("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        until("it is ready", || log_text(&spec.folder).contains("ready")).await;
        story.supervisor.stop(spec.id, Duration::from_secs(1000)).await.unwrap();
        assert_eq!(story.stage(spec.id).await, Stage::Running);
        story.supervisor.stop(spec.id, Duration::ZERO).await.unwrap();
        let exit = ended(&mut events).await;
        assert_eq!((exit.how, exit.stopped), (How::Signal(9), true));
    });
}

#[test]
fn a_stop_ends_only_its_attempt() {
    both(async |story| {
        let other = story.script("(setsid sleep 1000 &); until [ -e go ]; do sleep 0.01; done");
        let mut others = story.supervisor.subscribe(other.id);
        story.supervisor.start(&other).await.unwrap();
        until("it runs", || processes_of(other.id).len() >= 2).await;
        let spec = story.script("(setsid sleep 1000 &); exec sleep 1000");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        until("it runs too", || processes_of(spec.id).len() >= 2).await;
        story.supervisor.stop(spec.id, Duration::ZERO).await.unwrap();
        ended(&mut events).await;
        assert_eq!(story.stage(other.id).await, Stage::Running);
        assert!(processes_of(other.id).len() >= 2);
        std::fs::write(other.cwd.join("go"), "").unwrap();
        assert_eq!(ended(&mut others).await.how, How::Code(0));
    });
}
