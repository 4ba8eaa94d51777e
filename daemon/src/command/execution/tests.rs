use std::path::Path;

use fanlight_shared::home::Home;
use fanlight_shared::problem::Span;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{CommandOutput, OutputSource};

use super::*;
use crate::command::{CommandSettings, fixture};
use crate::executor::CommandWork;
use crate::executor::{Argument, Program};
use crate::store::Store;
use crate::store::blob::{INLINE_LIMIT, Published};
use crate::supervisor::client::{How, Supervisor};

/// An attempt whose input and output are files, on a full disk. Nothing is started, so there is no supervisor.
struct FullDisk {
    store: Store,
    commands: Commands,
    attempt: Attempt,
    work: CommandWork,
    /// Holding it keeps its unreferenced bytes.
    _input: Published,
    _temp: tempfile::TempDir,
}

fn full_disk() -> FullDisk {
    let temp = tempfile::tempdir().unwrap();
    let home = Home::below(&temp.path().join("home")).unwrap();
    let store = Store::open(&home).unwrap();
    let blobs = store.blobs().clone();
    let bytes = blobs.publish(vec![7; 2 * INLINE_LIMIT as usize]).unwrap();
    let file = crate::media::describe(
        crate::media::sniff(&mut std::fs::File::open(blobs.path(bytes.hash)).unwrap()).unwrap(),
        bytes.hash,
        bytes.bytes,
        "in.bin",
    );
    let mut work = fixture::work();
    work.program = Program::Arguments(vec![Argument::Text("true".into())]);
    work.inputs.insert("file".into(), Value::from(file));
    let source = OutputSource::Path("out.bin".into());
    let ty = "file".parse().unwrap();
    work.outputs.insert(
        "out".into(),
        CommandOutput { source, ty, name: None, take_unchanged: false, span: Span::default() },
    );
    let settings = CommandSettings { grace: Duration::from_secs(5), pass_env: Vec::new() };
    let supervisor = Supervisor::new(&home, Path::new("/nowhere/fanlight"));
    let commands = Commands::new(supervisor, blobs.clone(), home.attempts(), settings);
    blobs.set_full(true);
    FullDisk { store, commands, attempt: fixture::attempt(), work, _input: bytes, _temp: temp }
}

impl FullDisk {
    fn open(&self) -> Box<dyn Execution> {
        self.commands.open(self.attempt.clone(), Arc::new(Work::Command(Arc::new(self.work.clone()))))
    }

    /// Returns the attempt after its command has written its output and exited with 0.
    fn ended(&self) -> CommandExecution {
        let folder = self.commands.folder(self.attempt.id);
        folder.make().unwrap();
        std::fs::write(folder.work().join("out.bin"), vec![8; 2 * INLINE_LIMIT as usize]).unwrap();
        let exit = Exit {
            how: How::Code(0),
            stopped: false,
            masked: false,
            started: Time(0),
            ended: Time(0),
            max_rss: 0,
            cpu: Duration::ZERO,
            log_end: 0,
        };
        let reader = Reader::new(self.attempt.clone(), folder.clone(), None, self.store.blobs().clone());
        CommandExecution {
            inner: Arc::clone(&self.commands.inner),
            attempt: self.attempt.clone(),
            work: CommandKind::Command(Arc::new(self.work.clone())),
            folder,
            reader: Arc::new(Mutex::new(reader)),
            process: Mutex::new(Process::Ended(exit)),
            reserved: Mutex::default(),
        }
    }

    /// Returns an ended execution whose command wrote this to its standard output and no file.
    fn ended_with(&self, stdout: &[u8]) -> CommandExecution {
        let mut execution = self.ended();
        execution.work =
            CommandKind::Command(Arc::new(CommandWork { outputs: Default::default(), ..self.work.clone() }));
        std::fs::write(execution.folder.path().join("stdout"), stdout).unwrap();
        if let Process::Ended(exit) = &mut *execution.process.lock().unwrap() {
            exit.log_end = stdout.len() as u64;
        }
        execution
    }

    async fn until_it_waits(&self) {
        let mut shortage = self.store.shortage();
        let why = shortage.wait_for(Option::is_some).await.unwrap().clone();
        assert!(why.unwrap().contains("is full"));
    }
}

#[tokio::test]
async fn an_attempt_is_prepared_once_the_full_disk_has_space_again() {
    let disk = full_disk();
    let execution = disk.open();
    let (prepared, ()) = tokio::join!(execution.prepare(), async {
        disk.until_it_waits().await;
        disk.store.blobs().set_full(false);
    });
    assert!(prepared.is_ok(), "{prepared:?}");
    let input = disk.commands.folder(disk.attempt.id).inputs().join("file/in.bin");
    assert_eq!(std::fs::read(input).unwrap(), vec![7; 2 * INLINE_LIMIT as usize]);
    assert_eq!(*disk.store.shortage().borrow(), None);
}

#[tokio::test]
async fn a_cancel_ends_the_wait_of_an_attempt_that_has_not_started() {
    let disk = full_disk();
    let execution = disk.open();
    let (prepared, ()) = tokio::join!(execution.prepare(), async {
        disk.until_it_waits().await;
        disk.attempt.cancel.cancel();
    });
    assert_eq!(prepared.unwrap_err().end, AttemptEnd::Cancelled);
    assert!(!disk.commands.folder(disk.attempt.id).path().exists(), "nothing of it takes space");
}

#[tokio::test]
async fn outputs_are_collected_once_the_full_disk_has_space_again() {
    let disk = full_disk();
    let execution = disk.ended();
    let (outcome, ()) = tokio::join!(execution.collect(), async {
        disk.until_it_waits().await;
        disk.store.blobs().set_full(false);
    });
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert_eq!(outcome.values["out"].media()[0].bytes, 2 * INLINE_LIMIT);
}

#[tokio::test]
async fn a_cancel_ends_the_wait_for_space_for_outputs() {
    let disk = full_disk();
    let execution = disk.ended();
    let (outcome, ()) = tokio::join!(execution.collect(), async {
        disk.until_it_waits().await;
        disk.attempt.cancel.cancel();
    });
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Cancelled, None));
    assert!(!outcome.values.contains_key("out"));
}

#[tokio::test]
async fn a_truncated_stdout_is_stored_once_the_full_disk_has_space_again() {
    let disk = full_disk();
    let execution = disk.ended_with(&vec![b'x'; (1 << 20) + 1]);
    let (outcome, ()) = tokio::join!(execution.collect(), async {
        disk.until_it_waits().await;
        disk.store.blobs().set_full(false);
    });
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    let stdout = outcome.values["stdout"].as_large().unwrap();
    assert_eq!((stdout.bytes, stdout.cut), (1 << 20, true));
}
