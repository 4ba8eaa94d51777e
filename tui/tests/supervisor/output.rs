use fanlight_daemon::secret::Secrets;
use fanlight_daemon::supervisor::client::{AttemptEvent, How, StartSpec};
use fanlight_daemon::supervisor::log;

use super::story::*;

fn disk_used(folder: &std::path::Path) -> u64 {
    std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.metadata().unwrap().len()).sum()
}

#[test]
fn gigabytes_and_endless_lines_cost_bounded_disk_and_memory() {
    both(async |story| {
        let flood = story.script("head -c 200000000 /dev/zero; echo the end >&2");
        let mut flooding = story.supervisor.subscribe(flood.id);
        story.supervisor.start(&flood).await.unwrap();
        // Other commands continue meanwhile.
        assert_eq!(story.run(&story.program("true", &[])).await.how, How::Code(0));
        let exit = ended(&mut flooding).await;
        assert_eq!((exit.how, exit.log_end), (How::Code(0), 200_000_008));
        assert!(disk_used(&flood.folder) < 4 << 20, "{}", disk_used(&flood.folder));
        let stdout = log::stdout(&flood.folder).unwrap();
        assert_eq!((stdout.bytes.len(), stdout.truncated), (1 << 20, true));
        let last = log::read(&flood.folder, exit.log_end - 8, 100).unwrap();
        assert_eq!((last.next, last.pieces[0].1.as_slice()), (exit.log_end, &b"the end\n"[..]));
        let status = std::fs::read_to_string(format!("/proc/{}/status", story.supervisor_pid())).unwrap();
        let kib = |field: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        // The pages of the executable count for what they are mapped, however large it was built.
        let own = kib("VmHWM:") - kib("RssFile:");
        assert!(own < 16 << 10, "{own} KiB");
    });
}

#[test]
fn a_log_is_read_while_it_grows() {
    both(async |story| {
        let spec = story.script("echo one; until [ -e go ]; do sleep 0.01; done; echo two");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        assert_eq!(events.next().await, AttemptEvent::Grew { end: 4 });
        let part = log::read(&spec.folder, 0, 100).unwrap();
        assert_eq!((part.next, log_text(&spec.folder).as_str()), (4, "one\n"));
        std::fs::write(spec.cwd.join("go"), "").unwrap();
        assert_eq!(ended(&mut events).await.log_end, 8);
        assert_eq!(log::read(&spec.folder, part.next, 100).unwrap().pieces[0].1, b"two\n");
    });
}

#[test]
fn a_secret_in_the_output_is_masked_before_it_is_written() {
    both(async |story| {
        let secrets: Secrets = [("token".to_owned(), "s3cr3t-t0ken".to_owned())].into_iter().collect();
        let script = "printf 'a s3cr3t'; until [ -e go ]; do sleep 0.01; done; printf -- '-t0ken b\\n'
            printf s3cr3t-t0ken | base64 >&2; printf 's3cr3t-'";
        let spec = StartSpec { secrets, ..story.script(script) };
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        assert_eq!(events.next().await, AttemptEvent::Grew { end: 2 });
        assert_eq!(log_text(&spec.folder), "a ");
        // The next daemon masks what the command reports besides.
        assert_eq!(story.another_client().secrets(spec.id).await.unwrap(), spec.secrets);
        std::fs::write(spec.cwd.join("go"), "").unwrap();
        assert!(ended(&mut events).await.masked);
        assert_eq!(log::stdout(&spec.folder).unwrap().bytes, b"a *** b\ns3cr3t-");
        let text = log_text(&spec.folder);
        assert!(text.contains("*** b\n") && text.contains("***\n"), "{text}");
        assert!(!text.contains("t0ken") && !text.contains("czNj"), "{text}");
        assert!(story.supervisor.forget(spec.id).await.unwrap());
        assert!(story.supervisor.secrets(spec.id).await.unwrap().is_empty());
    });
}

#[test]
fn a_secret_in_standard_error_leaves_standard_output_whole() {
    both(async |story| {
        let secrets: Secrets = [("token".to_owned(), "s3cr3t-t0ken".to_owned())].into_iter().collect();
        let spec = StartSpec { secrets, ..story.script("echo out; echo s3cr3t-t0ken >&2") };
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        assert!(!ended(&mut events).await.masked);
        assert_eq!(log::stdout(&spec.folder).unwrap().bytes, b"out\n");
        assert!(log_text(&spec.folder).contains("***"));
    });
}

#[test]
fn files_of_an_attempt_are_private_to_the_user() {
    both(async |story| {
        use std::os::unix::fs::MetadataExt;
        let spec = story.script("echo x");
        story.run(&spec).await;
        let ledger = story.home.supervisor().join("ledger");
        for file in [spec.folder.join("log"), spec.folder.join("stdout"), ledger] {
            assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{}", file.display());
        }
    });
}
