//! What attempts leave in the folder that the cluster sees.

use std::path::Path;
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::run::AttemptEnd;

use super::*;
use crate::command::{CommandSettings, fixture};
use crate::executor::{Argument, Program};
use crate::store::Store;
use crate::supervisor::client::Supervisor;

/// An engine with place for one attempt. Nothing is submitted, so there is no cluster.
struct Engine {
    remote: Remote,
    _store: Store,
    temp: tempfile::TempDir,
}

impl Engine {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let home = Home::below(&temp.path().join("home")).unwrap();
        let store = Store::open(&home).unwrap();
        let supervisor = Supervisor::new(&home, Path::new("/nowhere/fanlight"));
        let settings = CommandSettings { grace: Duration::from_secs(5), pass_env: Vec::new() };
        let commands = Commands::new(supervisor, store.blobs().clone(), home.attempts(), settings);
        let settings = EngineSettings {
            kind: EngineKind::Slurm,
            via: None,
            stage: Stage::Shared,
            partition: None,
            account: None,
            qos: None,
            workdir: temp.path().join("cluster"),
            prelude: String::new(),
            max_in_flight: 1,
            poll: Duration::from_secs(60),
            keep_inputs: Duration::from_secs(60 * 60),
        };
        let remote = Remote::new(
            "cluster",
            settings,
            &commands,
            SecretSettings::default(),
            &home,
            #[cfg(feature = "http")]
            Default::default(),
        );
        Self { remote, _store: store, temp }
    }

    fn open(&self, attempt: &Attempt) -> Box<dyn Execution> {
        let mut work = fixture::work();
        work.program = Program::Arguments(vec![Argument::Text("true".into())]);
        self.remote.open(attempt.clone(), Arc::new(Work::Command(Arc::new(work))))
    }

    /// Returns the names of what is in the folder of the cluster.
    fn there(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.temp.path().join("cluster")).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

#[tokio::test]
async fn an_attempt_that_waits_for_a_place_has_nothing_on_the_cluster() {
    let engine = Engine::new();
    let attempt = fixture::attempt();
    let place = Arc::clone(&engine.remote.places).acquire_owned().await.unwrap();
    let execution = engine.open(&attempt);
    let (prepared, ()) = tokio::join!(execution.prepare(), async { attempt.cancel.cancel() });
    assert_eq!(prepared.unwrap_err().end, AttemptEnd::Cancelled);
    assert_eq!(engine.there(), [""; 0]);
    drop(place);
}

#[tokio::test]
async fn an_engine_with_attempts_stays_declared() {
    let engine = Engine::new();
    let attempt = fixture::attempt();
    let execution = engine.open(&attempt);
    assert!(execution.prepare().await.is_ok());
    let attempts = &engine.remote.inner.attempts;
    assert_eq!(check_declared(attempts, |name, via| name == "cluster" && via.is_none()), Ok(()));
    let refused = check_declared(attempts, |_, _| false).unwrap_err();
    assert!(refused.contains("`cluster`") && refused.contains(&attempt.id.to_string()), "{refused}");
    engine.remote.release(attempt.id).await;
    assert_eq!(check_declared(attempts, |_, _| false), Ok(()));
}

#[tokio::test]
async fn the_files_of_an_attempt_that_was_not_submitted_are_found_and_removed() {
    let engine = Engine::new();
    let attempt = fixture::attempt();
    let execution = engine.open(&attempt);
    assert!(execution.prepare().await.is_ok());
    drop(execution);
    assert_eq!(engine.there(), [attempt.id.to_string()]);
    // The daemon ends here; the next one starts it over, or removes it.
    assert_eq!(engine.remote.leftovers(), [attempt.id]);
    let execution = engine.open(&attempt);
    assert!(matches!(execution.adopt().await, Ok(crate::executor::Adopted::Unknown)));
    assert!(execution.prepare().await.is_ok());
    drop(execution);
    assert_eq!(engine.remote.forget(vec![attempt.id]).await, [attempt.id]);
    assert_eq!(engine.there(), [""; 0]);
    assert_eq!(engine.remote.leftovers(), []);
}
