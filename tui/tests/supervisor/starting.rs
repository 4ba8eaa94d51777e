use fanlight_daemon::supervisor::client::{How, Stage, SupervisorError};
use fanlight_daemon::supervisor::log::{self, StreamTag};

use super::story::*;

#[test]
fn a_command_runs_and_its_end_and_output_are_kept() {
    both(async |story| {
        let spec = story.script("echo out; echo err >&2; exit 3");
        let exit = story.run(&spec).await;
        assert_eq!((exit.how, exit.stopped, exit.log_end), (How::Code(3), false, 8));
        assert!(exit.started <= exit.ended && exit.max_rss > 0);
        assert_eq!(log::stdout(&spec.folder).unwrap().bytes, b"out\n");
        let mut pieces = log::read(&spec.folder, 0, 100).unwrap().pieces;
        pieces.sort_by_key(|(stream, _)| *stream == StreamTag::Stderr);
        let expected = [(StreamTag::Stdout, b"out\n".to_vec()), (StreamTag::Stderr, b"err\n".to_vec())];
        assert_eq!(pieces, expected);
        assert_eq!(story.stage(spec.id).await, Stage::Ended(exit));
        assert_eq!(story.supervisor.list().await.unwrap().len(), 1);
        assert!(story.supervisor.forget(spec.id).await.unwrap());
        assert_eq!(story.supervisor.state(spec.id).await.unwrap(), None);
        assert!(!story.supervisor.forget(spec.id).await.unwrap());
    });
}

#[test]
fn a_death_by_signal_is_distinguished_from_an_exit_code() {
    both(async |story| {
        let exit = story.run(&story.script("kill -SEGV $$")).await;
        assert_eq!((exit.how, exit.stopped), (How::Signal(11), false));
    });
}

#[test]
fn starting_twice_starts_once() {
    both(async |story| {
        let spec = story.script("echo started >> starts; until [ -e go ]; do sleep 0.01; done");
        let mut events = story.supervisor.subscribe(spec.id);
        let first = story.supervisor.start(&spec).await.unwrap();
        let second = story.supervisor.start(&spec).await.unwrap();
        assert_eq!((first.known, second.known), (false, true));
        assert_eq!((first.state.pid, second.state.stage), (second.state.pid, Stage::Running));
        assert!(!story.supervisor.forget(spec.id).await.unwrap(), "it still runs");
        std::fs::write(spec.cwd.join("go"), "").unwrap();
        let exit = ended(&mut events).await;
        let third = story.supervisor.start(&spec).await.unwrap();
        assert_eq!((third.known, third.state.stage), (true, Stage::Ended(exit)));
        assert_eq!(std::fs::read_to_string(spec.cwd.join("starts")).unwrap(), "started\n");
    });
}

#[test]
fn a_start_that_fails_is_an_error_message() {
    both(async |story| {
        let plain = story.root.path().join("plain");
        std::fs::write(&plain, "hello").unwrap();
        let no_interpreter = story.root.path().join("lonely");
        std::fs::write(&no_interpreter, "#!/no/such/interpreter\n").unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&no_interpreter, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut no_cwd = story.script("true");
        no_cwd.cwd.push("missing");
        let mut no_folder = story.script("true");
        no_folder.folder.push("missing");
        let huge = "x".repeat(3 << 20);
        for (spec, words) in [
            (story.program("no-such-program", &[]), "there is no program `no-such-program` in PATH"),
            (story.program("/no/such", &[]), "there is no program `/no/such`"),
            (story.program(plain.to_str().unwrap(), &[]), "is not executable"),
            (
                story.program(no_interpreter.to_str().unwrap(), &[]),
                "the interpreter that its first line names",
            ),
            (story.program("", &[]), "the program's name is empty"),
            (story.program("echo", &[&huge]), "longer than the system accepts"),
            (no_cwd, "to work in is missing"),
            (no_folder, "the attempt's folder"),
        ] {
            match story.supervisor.start(&spec).await {
                Err(SupervisorError::Start(sentence)) => assert!(sentence.contains(words), "{sentence}"),
                other => panic!("{other:?}"),
            }
        }
        let beyond = story.program("echo", &[&"x".repeat(5 << 20)]);
        assert!(matches!(story.supervisor.start(&beyond).await, Err(SupervisorError::Refused(_))));
        assert_eq!(story.supervisor.list().await.unwrap(), []);
        assert_eq!(story.run(&story.program("true", &[])).await.how, How::Code(0));
    });
}

#[test]
fn a_command_inherits_only_what_it_is_given() {
    both(async |story| {
        let script = "env | sort | grep -v '^\\(_\\|PWD\\|SHLVL\\|OLDPWD\\)='; ls /proc/self/fd | wc -l; ulimit -c; umask; \
                      readlink /proc/self/fd/0; [ \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$ ] && echo session; \
                      grep SigBlk /proc/$$/status | tr -d '\\t '; ulimit -n";
        let mut spec = story.script(script);
        spec.env.push(("COLOUR".into(), "a b".into()));
        story.run(&spec).await;
        let path = std::env::var("PATH").unwrap();
        let output = std::process::Command::new("sh").args(["-c", "umask; ulimit -n"]).output().unwrap();
        let own = String::from_utf8(output.stdout).unwrap();
        let (umask, files) = own.split_once('\n').unwrap();
        let expected = format!(
            "COLOUR=a b\nFANLIGHT_ATTEMPT={}\nPATH={path}\n4\n0\n{umask}\n/dev/null\nsession\n\
             SigBlk:0000000000000000\n{files}",
            spec.id
        );
        assert_eq!(log_text(&spec.folder), expected);
    });
}

#[test]
fn no_signal_is_ignored_at_the_start() {
    both(async |story| {
        let spec = story.script("sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$$/status");
        story.run(&spec).await;
        let ignored = u64::from_str_radix(log_text(&spec.folder).trim(), 16).unwrap();
        // The numbers above are the C library's own.
        assert_eq!(ignored & 0x7fff_ffff, 0, "{ignored:x}");
    });
}
