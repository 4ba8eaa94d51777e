//! A home with a store and a supervisor, and one-line helpers for commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fanlight_daemon::attempt::{Attempt, Outcome, RunFacts};
use fanlight_daemon::command::{CommandSettings, Commands};
use fanlight_daemon::executor::{self, Argument, CommandWork, Executor, Program, Work, WorkDir};
use fanlight_daemon::hub::Hub;
use fanlight_daemon::store::Store;
use fanlight_daemon::supervisor::client::Supervisor;
use fanlight_shared::home::Home;
use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::problem::Span;
use fanlight_shared::rpc::logs::{Part, Read};
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{CommandOutput, OutputSource, Shell};
use tokio_util::sync::CancellationToken;

pub(crate) use fanlight_shared::testing::{TIMEOUT, until};

pub(crate) struct Story {
    pub(crate) temp: tempfile::TempDir,
    home: Home,
    pub(crate) store: Store,
    pub(crate) supervisor: Supervisor,
    pub(crate) commands: Commands,
}

pub(crate) fn story() -> Story {
    let temp = tempfile::tempdir().unwrap();
    let home = Home::below(&temp.path().join("home")).unwrap();
    // The runtime folder may be shared with other tests; this test has its own folder for sockets.
    let home =
        Home { socket: temp.path().join("d.sock"), supervisor_socket: temp.path().join("s.sock"), ..home };
    let store = Store::open(&home).unwrap();
    let supervisor = Supervisor::new(&home, Path::new(env!("CARGO_BIN_EXE_fanlight")));
    let commands = commands(&home, &store, &supervisor);
    Story { temp, home, store, supervisor, commands }
}

fn commands(home: &Home, store: &Store, supervisor: &Supervisor) -> Commands {
    let settings = CommandSettings { grace: Duration::from_secs(2), pass_env: Vec::new() };
    Commands::new(supervisor.clone(), store.blobs().clone(), home.attempts(), settings)
}

impl Story {
    pub(crate) fn attempt(&self) -> Attempt {
        Attempt {
            id: AttemptId::new(),
            run: Arc::new(RunFacts {
                id: RunId::new(),
                number: 1,
                label: "poster".into(),
                workflow_id: WorkflowId::new(),
                workflow: "poster".into(),
                project: Some(self.temp.path().to_owned()),
                environment: Arc::default(),
            }),
            node: "step".into(),
            item: ItemPath::WHOLE,
            number: 1,
            failures: 0,
            spent_before: None,
            cancel: CancellationToken::new(),
            time_limit: Default::default(),
            gpus: Vec::new(),
            resources: Default::default(),
            answer: None,
            secrets: Default::default(),
            has_secrets: false,
            withheld: Default::default(),
            recorder: Default::default(),
            hub: Arc::new(Hub::default()),
        }
    }
    pub(crate) fn folder(&self, attempt: &Attempt) -> PathBuf {
        self.home.attempts().join(attempt.id.to_string())
    }
    pub(crate) async fn run(&self, attempt: &Attempt, work: CommandWork) -> Outcome {
        let running = run(&self.commands, attempt.clone(), work);
        tokio::time::timeout(TIMEOUT, running).await.expect("the command ended")
    }
    /// Returns another daemon with the same home, with its own connection to the supervisor.
    pub(crate) fn next_daemon(&self) -> Commands {
        let supervisor = Supervisor::new(&self.home, Path::new(env!("CARGO_BIN_EXE_fanlight")));
        commands(&self.home, &self.store, &supervisor)
    }
    pub(crate) async fn log(&self, attempt: &Attempt, offset: u64) -> Part {
        let read = Read {
            run_id: attempt.run.id,
            node: attempt.node.clone(),
            item: attempt.item,
            attempt: None,
            offset,
            limit: None,
        };
        self.commands.log(attempt.id, 1, &read, true).await.unwrap().unwrap()
    }
    /// Stops the supervisor at the end of the test.
    pub(crate) async fn end(self) {
        self.supervisor.shutdown_if_idle().await.unwrap();
        self.store.close();
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        crate::leftovers::end_supervisor(&self.home);
    }
}

/// Runs an attempt as the engine does.
pub(crate) async fn run(commands: &Commands, attempt: Attempt, work: CommandWork) -> Outcome {
    executor::run(commands, attempt, Arc::new(Work::Command(Arc::new(work))), None).await
}

/// Adopts an attempt as the engine of another daemon does.
pub(crate) async fn adopt(commands: &Commands, attempt: Attempt, work: CommandWork) -> Option<Outcome> {
    executor::adopt(commands, attempt, Arc::new(Work::Command(Arc::new(work))), None).await
}

pub(crate) fn script(text: &str) -> CommandBuilder {
    CommandBuilder::of(Program::Script { text: text.into(), shell: Shell::Default })
}
pub(crate) fn arguments(words: &[&str]) -> CommandBuilder {
    CommandBuilder::of(Program::Arguments(words.iter().map(|it| Argument::Text((*it).to_owned())).collect()))
}

#[derive(Clone)]
pub(crate) struct CommandBuilder(CommandWork);

impl CommandBuilder {
    fn of(program: Program) -> Self {
        let (inputs, env, outputs) = Default::default();
        Self(CommandWork { program, inputs, env, dir: None, outputs, metrics: Vec::new(), remember: None })
    }
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.inputs.insert(name.into(), value.into());
        self
    }
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env.insert(name.into(), value.into());
        self
    }
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.0.dir = Some(WorkDir::Shared(dir.to_owned()));
        self
    }
    pub(crate) fn path(mut self, name: &str, path: &str, ty: &str) -> Self {
        let source = OutputSource::Path(path.into());
        let output = CommandOutput {
            source,
            ty: ty.parse().unwrap(),
            name: None,
            take_unchanged: false,
            span: Span::default(),
        };
        self.0.outputs.insert(name.into(), output);
        self
    }
    pub(crate) fn work(self) -> CommandWork {
        self.0
    }
}
