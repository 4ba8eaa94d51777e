//! Tries a plugin, for its author: everything that a daemon asks of it, within the limits of a daemon.
//!
//! Attempts run as those of a daemon do, by `execution` in `processes`; only their store is one of its own, which is
//! removed afterwards.

mod attempt;
mod inputs;
mod outputs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fanlight_shared::home::Home;
use fanlight_shared::node_type::{Effects, NodeTypeSpec};
use fanlight_shared::value::Values;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::channel::Channel;
use super::describe::Described;
use super::execution::{Execution, Stop};
use super::guard::Ended;
use super::launch::Launch;
use super::manifest::{Example, ManifestFile};
use super::process::{End, Failure, Process};
use super::processes::{self, Processes};
use super::record::Record;
use super::{environment, make_folder};
use crate::node_type::NodeTypes;
use crate::secret::Secrets;
use crate::store::Store;
use attempt::attempt;
use outputs::{check_outputs, shown};

/// How a plugin is tried.
#[derive(Clone, Debug)]
pub struct TrialSettings {
    /// An empty folder, which is removed afterwards.
    pub scratch: PathBuf,
    /// The executable with the command `plugin-guard`.
    pub helper: PathBuf,
    /// How long a cancelled attempt may take to end, and a process after its last request.
    pub grace: Duration,
    /// How long an attempt may take.
    pub limit: Duration,
    /// Names of environment variables that plugins get, besides the default ones.
    pub pass_env: Vec<String>,
}

/// One thing that was tried.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// What was tried.
    pub what: String,
    /// What came.
    pub verdict: Verdict,
    /// How long that took.
    pub took: Duration,
}

/// What came of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is right.
    Right(String),
    /// It was not tried, or says nothing, for this reason.
    Skipped(String),
    /// It is wrong, for this reason.
    Fault(String),
}

impl Verdict {
    fn of(result: Result<String, String>) -> Self {
        result.map_or_else(Self::Fault, Self::Right)
    }
}

/// Tries the plugin of a manifest and reports each check when it is done.
///
/// # Errors
/// Nothing could be tried: its store can't be made.
pub async fn trial(
    file: ManifestFile,
    settings: TrialSettings,
    report: impl FnMut(Check),
) -> Result<(), String> {
    let home = Home::below(&settings.scratch).map_err(|error| error.to_string())?;
    make_folder(&home.attempts()).map_err(|error| format!("no folder can be made: {error}"))?;
    let opening = home.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(&opening)).await;
    let store = opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let launch = Launch {
        helper: settings.helper.clone(),
        folder: file.folder.clone(),
        command: file.manifest.command.clone(),
        environment: environment(&settings.pass_env),
        channel: Channel::Own,
    };
    let mut trial = Trial { file, launch, settings, store: store.clone(), home, report };
    trial.run().await;
    let _ = tokio::task::spawn_blocking(move || store.close()).await;
    Ok(())
}

struct Trial<R> {
    file: ManifestFile,
    launch: Launch,
    settings: TrialSettings,
    store: Store,
    home: Home,
    report: R,
}

/// Why a type is not executed again: an author may have sent a real letter by an example.
const ONCE: &str = "its effects are `external`, so it is executed only once for each example";

/// Inputs of a node type that the plugin has taken.
type Taken = (NodeTypeSpec, Values);

impl<R: FnMut(Check)> Trial<R> {
    fn report(&mut self, what: impl Into<String>, began: Instant, verdict: Verdict) {
        (self.report)(Check { what: what.into(), verdict, took: began.elapsed() });
    }

    async fn run(&mut self) {
        let began = Instant::now();
        let Some((process, described, specs)) = self.start(began).await else { return };
        self.manners(process, &described).await;
        let record = Record::new(self.file.clone(), described, None);
        let processes = Processes::new(record, self.launch.clone(), self.settings.grace);
        self.unknown_examples(&specs);
        let mut taken = Vec::new();
        for spec in specs {
            taken.extend(self.node_type(&processes, spec).await);
        }
        for one in &taken {
            self.cancel(&processes, one).await;
        }
        let harmless = taken.iter().find(|(spec, _)| spec.effects != Effects::External);
        if let Some(one) = harmless.or(taken.first()) {
            self.two_at_once(&processes, one).await;
        }
        processes.remove().await;
    }

    /// Starts a process, and returns it with its node types.
    async fn start(&mut self, began: Instant) -> Option<(Process, Described, Vec<NodeTypeSpec>)> {
        let what = "`hello` and `describe`";
        let started = async {
            let process = Process::start(&self.launch, Secrets::default())?;
            let described = processes::describe(&process, &self.file.manifest)
                .await
                .map_err(|failure| explain(&failure))?;
            let types = described.node_types(&self.file.manifest)?;
            let specs: Vec<NodeTypeSpec> = types.iter().map(|it| it.spec.clone()).collect();
            NodeTypes::built_in().add(types)?;
            Ok::<_, String>((process, described, specs))
        };
        match started.await {
            Ok(started) => {
                let names = started.1.names().join(", ");
                self.report(what, began, Verdict::Right(names));
                Some(started)
            }
            Err(why) => {
                self.report(what, began, Verdict::Fault(why));
                None
            }
        }
    }

    /// Tries what a plugin does besides its work, in a process that ends with it.
    async fn manners(&mut self, process: Process, described: &Described) {
        let began = Instant::now();
        process.notify("later", &json!({ "of": "another version" }));
        let again = processes::describe(&process, &self.file.manifest).await;
        let verdict = match again {
            Ok(again) if again == *described => Verdict::Right("it describes the same again".into()),
            Ok(_) => Verdict::Fault("it describes other node types the second time".into()),
            Err(failure) => Verdict::Fault(explain(&failure)),
        };
        let right = matches!(verdict, Verdict::Right(_));
        self.report("an unknown notification", began, verdict);
        if !right {
            return;
        }
        let began = Instant::now();
        let verdict = match process.stop(self.settings.grace).await {
            Some(Ended::Code(0)) => Verdict::Right("it exits".into()),
            Some(Ended::Code(code)) => Verdict::Fault(format!("it ends with exit code {code} instead of 0")),
            Some(Ended::Signal(signal)) => Verdict::Fault(format!("it crashes with signal {signal}")),
            Some(Ended::Unstarted(why)) => Verdict::Fault(why),
            None => Verdict::Fault(format!(
                "it did not exit within {}",
                fanlight_shared::time::exact_duration(self.settings.grace)
            )),
        };
        self.report("the end of descriptor 3", began, verdict);
    }

    /// Reports examples of the manifest whose type is not described.
    fn unknown_examples(&mut self, specs: &[NodeTypeSpec]) {
        let began = Instant::now();
        for example in self.file.manifest.example.clone() {
            if !specs.iter().any(|spec| spec.name == example.node_type) {
                let name = fanlight_shared::sanitise::line(&example.node_type);
                let why = format!("it describes no node type `{name}`");
                self.report("an example of plugin.toml", began, Verdict::Fault(why));
            }
        }
    }

    /// Tries a node type with its examples or with generated inputs. Returns the inputs of one that it took.
    async fn node_type(&mut self, processes: &Arc<Processes>, spec: NodeTypeSpec) -> Option<Taken> {
        let examples: Vec<Example> = self.file.manifest.example.clone();
        let examples: Vec<Example> = examples.into_iter().filter(|it| it.node_type == spec.name).collect();
        if examples.is_empty() {
            return self.generated(processes, spec).await;
        }
        let mut taken = None;
        for (index, example) in examples.iter().enumerate() {
            let began = Instant::now();
            let tried = async {
                let inputs = self.example(&spec, example).await?;
                let (values, notes) = self
                    .execute(processes, &spec, inputs.clone())
                    .await
                    .map_err(|stop| self.stopped(stop))?;
                check_outputs(&spec, example, &values)?;
                Ok((inputs, shown(&values, notes)))
            };
            let (inputs, result) = match tried.await {
                Ok((inputs, shown)) => (Some(inputs), Ok(shown)),
                Err(why) => (None, Err(why)),
            };
            self.report(format!("`{}`, example {}", spec.name, index + 1), began, Verdict::of(result));
            taken = taken.or(inputs);
        }
        Some((spec, taken?))
    }

    async fn generated(&mut self, processes: &Arc<Processes>, spec: NodeTypeSpec) -> Option<Taken> {
        let (began, what) = (Instant::now(), format!("`{}`, generated inputs", spec.name));
        let hint = "write an `[[example]]` in plugin.toml";
        if spec.effects == Effects::External {
            let why = format!("its effects are `external`, so it is not executed with anything; {hint}");
            self.report(what, began, Verdict::Skipped(why));
            return None;
        }
        let (generating, store) = (spec.clone(), self.store.clone());
        let folder = self.home.data.join("inputs");
        let generated =
            tokio::task::spawn_blocking(move || inputs::generate(&generating, &store, &folder)).await;
        let inputs = match generated.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(inputs) => inputs,
            Err(why) => {
                self.report(what, began, Verdict::Skipped(format!("{why}; {hint}")));
                return None;
            }
        };
        let (verdict, taken) = match self.execute(processes, &spec, inputs.clone()).await {
            Ok((values, notes)) => (Verdict::Right(shown(&values, notes)), Some((spec, inputs))),
            Err(Stop::Refused(why)) => (Verdict::Skipped(format!("it refused them: {why}; {hint}")), None),
            Err(stop) => (Verdict::Fault(self.stopped(stop)), None),
        };
        self.report(what, began, verdict);
        taken
    }

    async fn example(&self, spec: &NodeTypeSpec, example: &Example) -> Result<Values, String> {
        let (spec, example, store) = (spec.clone(), example.clone(), self.store.clone());
        let folder = self.file.folder.clone();
        let reading =
            tokio::task::spawn_blocking(move || inputs::of_example(&spec, &example, &store, &folder));
        reading.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Runs an attempt to its end. Returns its outputs, and what else is to be said.
    async fn execute(
        &self,
        processes: &Arc<Processes>,
        spec: &NodeTypeSpec,
        inputs: Values,
    ) -> Result<(Values, Option<String>), Stop> {
        let execution = self.execution(processes, spec, CancellationToken::new());
        let notifications = execution.notifications();
        let timer = async {
            tokio::time::sleep(self.settings.limit).await;
            execution.attempt.cancel.cancel();
            std::future::pending().await
        };
        let made = tokio::select! {
            biased;
            made = execution.make(inputs, &notifications) => made,
            () = timer => Err(Stop::Cancelled),
        };
        notifications.finish();
        let (values, _) = made?;
        if let Some(why) = notifications.ignored() {
            return Err(Stop::Failed(format!("a notification is wrong, and was ignored: {why}")));
        }
        let slowed = processes.was_slowed();
        Ok((values, slowed.then(|| "it writes so much that reading it was slowed down".to_owned())))
    }

    fn execution(
        &self,
        processes: &Arc<Processes>,
        spec: &NodeTypeSpec,
        cancel: CancellationToken,
    ) -> Execution {
        Execution {
            plugin: Arc::clone(processes),
            spec: spec.clone(),
            attempt: attempt(cancel),
            blobs: self.store.blobs().clone(),
            attempts: self.home.attempts(),
            grace: self.settings.grace,
        }
    }

    fn stopped(&self, stop: Stop) -> String {
        match stop {
            Stop::Refused(why) => format!("it refused: {why}"),
            Stop::Lost(why) | Stop::Failed(why) => why,
            Stop::Cancelled => format!(
                "it did not end within {}",
                fanlight_shared::time::exact_duration(self.settings.limit)
            ),
        }
    }

    /// Cancels an attempt as soon as it was sent.
    async fn cancel(&mut self, processes: &Arc<Processes>, (spec, inputs): &Taken) {
        let (began, what) = (Instant::now(), format!("`{}`, cancelled", spec.name));
        if spec.effects == Effects::External {
            return self.report(what, began, Verdict::Skipped(ONCE.to_owned()));
        }
        let grace = self.settings.grace;
        let tried = async {
            let execution = self.execution(processes, spec, CancellationToken::new());
            let params = execution.request(inputs.clone()).await.map_err(|stop| self.stopped(stop))?;
            let never = CancellationToken::new();
            let lease = processes.lease(&Secrets::default(), &never).await.map_err(|it| explain(&it))?;
            execution.attempt.cancel.cancel();
            let _ = lease
                .process
                .execute(&params, execution.notifications(), &execution.attempt.cancel, grace)
                .await;
            if lease.process.is_over() {
                return Err(format!(
                    "it did not answer within {}, and its process was ended",
                    fanlight_shared::time::exact_duration(grace)
                ));
            }
            Ok("it answers, and its process stays".to_owned())
        };
        let result = tried.await;
        self.report(what, began, Verdict::of(result));
    }

    async fn two_at_once(&mut self, processes: &Arc<Processes>, (spec, inputs): &Taken) {
        let (began, what) = (Instant::now(), format!("`{}`, two at once", spec.name));
        if spec.effects == Effects::External {
            return self.report(what, began, Verdict::Skipped(ONCE.to_owned()));
        }
        let (one, two) = tokio::join!(
            self.execute(processes, spec, inputs.clone()),
            self.execute(processes, spec, inputs.clone()),
        );
        let result = one.and(two).map(|_| match self.file.manifest.at_once() {
            1 => "one after the other, in one process".to_owned(),
            _ => "both were answered".to_owned(),
        });
        let result = result.map_err(|stop| self.stopped(stop));
        self.report(what, began, Verdict::of(result));
    }
}

fn explain(failure: &Failure) -> String {
    match failure {
        Failure::Refused(why) => format!("it refused: {why}"),
        Failure::Over(End::Fault(why) | End::Outside(why)) => why.clone(),
        Failure::Cancelled => "it was cancelled".into(),
    }
}
