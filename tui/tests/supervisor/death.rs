use std::path::Path;
use std::time::Duration;

use fanlight_daemon::supervisor::Trees;
use fanlight_daemon::supervisor::client::{How, Settings, Stage};
use fanlight_daemon::supervisor::record;

use super::story::*;
use crate::alive::is_alive;

#[test]
fn a_new_daemon_adopts_what_runs_with_its_whole_log() {
    both(async |story| {
        let spec = story.script("echo one; until [ -e go ]; do sleep 0.01; done; echo two; exit 3");
        let ended_meanwhile = story.script("exit 5");
        let daemon = story.another_client();
        let pid = daemon.start(&spec).await.unwrap().state.pid;
        daemon.start(&ended_meanwhile).await.unwrap();
        drop(daemon);
        assert_eq!(story.supervisor.state(spec.id).await.unwrap().unwrap().pid, pid);
        let mut events = story.supervisor.subscribe(spec.id);
        std::fs::write(spec.cwd.join("go"), "").unwrap();
        assert_eq!(ended(&mut events).await.how, How::Code(3));
        assert_eq!(log_text(&spec.folder), "one\ntwo\n");
        let mut events = story.supervisor.subscribe(ended_meanwhile.id);
        assert_eq!(ended(&mut events).await.how, How::Code(5));
    });
}

#[test]
fn a_killed_supervisor_leaves_nothing_and_its_attempts_are_lost() {
    both(async |story| {
        let done = story.script("exit 6");
        let exit = story.run(&done).await;
        let spec = story.script("(setsid sleep 1000 &); trap '' TERM; sleep 1000 & echo ready; wait");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        until("it runs", || processes_of(spec.id).len() >= 3).await;
        let before = story.supervisor_pid();
        story.signal_supervisor("KILL");
        lost(&mut events).await;
        assert_eq!(processes_of(spec.id), Vec::<u32>::new());
        assert_ne!(story.supervisor_pid(), before);
        assert_eq!(story.stage(spec.id).await, Stage::Lost);
        let again = story.supervisor.start(&spec).await.unwrap();
        assert_eq!((again.known, again.state.stage), (true, Stage::Lost), "it isn't started again");
        assert_eq!(story.stage(done.id).await, Stage::Ended(exit), "what was seen is kept");
        let next = story.script("exit 2");
        assert_eq!(story.run(&next).await.how, How::Code(2));
    });
}

#[test]
fn after_a_reboot_nothing_is_signalled() {
    both(async |story| {
        if story.settings.trees == Trees::Cgroup {
            return;
        }
        let spec = story.script("exec sleep 1000");
        let done = story.script("exit 0");
        story.run(&done).await;
        let stranger = story.supervisor.start(&spec).await.unwrap().state.pid;
        // The records of the supervisor as found after a reboot.
        let boot = record::boot_id().unwrap();
        let another: String = boot.chars().map(|digit| if digit == '-' { '-' } else { '0' }).collect();
        let before = story.supervisor_pid();
        let supervisor = story.another_client();
        supervisor.list().await.unwrap();
        kill("STOP", before);
        replace(&story.home.supervisor().join("ledger"), &boot, &another);
        kill("KILL", before);
        until("the supervisor is gone", || !is_alive(before)).await;
        let states = story.supervisor.list().await.unwrap();
        assert_eq!(states.iter().map(|state| state.stage).collect::<Vec<_>>(), [Stage::Lost; 2]);
        assert!(is_alive(stranger));
        kill("KILL", stranger);
    });
}

fn replace(file: &Path, old: &str, new: &str) {
    let mut bytes = std::fs::read(file).unwrap();
    let is_there = |at: &usize| bytes[*at..].starts_with(old.as_bytes());
    let places: Vec<usize> = (0..bytes.len()).filter(is_there).collect();
    assert_eq!(places.len(), 2, "the boot is noted with each attempt");
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_supervisor_that_is_asked_to_end_ends_its_commands_first() {
    both(async |story| {
        let spec =
            story.script("trap '' TERM; (setsid sleep 1000 &); echo ready; while :; do sleep 0.01; done");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        until("it runs", || log_text(&spec.folder).contains("ready")).await;
        for ignored in ["HUP", "INT"] {
            story.signal_supervisor(ignored);
        }
        assert_eq!(story.stage(spec.id).await, Stage::Running);
        story.signal_supervisor("TERM");
        lost(&mut events).await;
        assert_eq!(processes_of(spec.id), Vec::<u32>::new());
    });
}

#[test]
fn an_idle_supervisor_ends_by_itself_and_keeps_its_records() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let story = Story::with(Settings { linger: Duration::ZERO, trees: Trees::Auto });
        let daemon = story.another_client();
        let spec = story.script("exit 4");
        daemon.start(&spec).await.unwrap();
        let pid = daemon.pid().unwrap();
        let mut events = daemon.subscribe(spec.id);
        assert_eq!(ended(&mut events).await.how, How::Code(4));
        drop(events);
        assert!(is_alive(pid), "a client holds it");
        drop(daemon);
        until("it is gone", || !is_alive(pid)).await;
        assert!(!story.home.supervisor_socket.exists());
        assert!(matches!(story.stage(spec.id).await, Stage::Ended(exit) if exit.how == How::Code(4)));
    });
}

#[test]
fn a_busy_supervisor_does_not_shut_down() {
    both(async |story| {
        let spec = story.script("exec sleep 1000");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        assert!(!story.supervisor.shutdown_if_idle().await.unwrap());
        story.supervisor.stop(spec.id, Duration::from_secs(5)).await.unwrap();
        ended(&mut events).await;
        let pid = story.supervisor_pid();
        assert!(story.supervisor.shutdown_if_idle().await.unwrap());
        until("it is gone", || !is_alive(pid)).await;
        assert!(story.supervisor.shutdown_if_idle().await.unwrap(), "none is left");
    });
}

#[test]
fn a_supervisor_whose_home_was_removed_makes_room_for_the_next_and_leaves_its_socket_alone() {
    both(async |story| {
        assert_eq!(story.run(&story.script("exit 1")).await.how, How::Code(1));
        let old = story.supervisor_pid();
        std::fs::remove_dir_all(story.home.supervisor()).unwrap();
        assert_eq!(story.run(&story.script("exit 4")).await.how, How::Code(4));
        assert_ne!(story.supervisor_pid(), old, "it starts nothing that it can't record");
        let next = story.another_client();
        let spec = story.script("until [ -e go ]; do sleep 0.01; done; exit 2");
        let mut events = next.subscribe(spec.id);
        next.start(&spec).await.unwrap();
        assert_ne!(next.pid(), Some(old));
        until("the old supervisor is gone", || !is_alive(old)).await;
        assert!(story.home.supervisor_socket.exists(), "it removed only what was its own");
        std::fs::write(spec.cwd.join("go"), "").unwrap();
        assert_eq!(ended(&mut events).await.how, How::Code(2));
        let last = story.another_client();
        last.list().await.unwrap();
        assert_eq!(last.pid(), next.pid());
        next.shutdown_if_idle().await.unwrap();
    });
}
