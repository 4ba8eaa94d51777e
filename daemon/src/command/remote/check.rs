//! Tries every step of an engine with small jobs, which take the way of all others, and removes them again.

mod probe;
mod ray;

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::resources::Gpus;
use fanlight_shared::rpc::engines::{Step, StepResult};
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::Value;
use futures_util::future::OptionFuture;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::cluster::Cluster;
use super::login::RSYNC;
use super::tools::Controller;
use super::{Remote, check_installed, slurm};
use crate::attempt::Outcome;
use crate::config::{EngineSettings, Stage};
use probe::{CANCEL_TIMEOUT, Probe, Tried};

/// How often the cluster is asked during a check, at least.
const MAX_POLL: Duration = Duration::from_secs(1);
/// The steps of Slurm, in order.
const SLURM_STEPS: [&str; 10] =
    ["login", "programs", "controller", "workdir", "options", "submit", "start", "output", "cancel", "gpu"];
/// The steps of Ray, in order.
const RAY_STEPS: [&str; 9] =
    ["reach", "token", "version", "workdir", "submit", "start", "output", "cancel", "gpu"];
/// The command that prints what it was given.
const PRINTS: &str = "printf '%s' \"$CHECK_TOKEN\"";
/// The command that is cancelled. If nobody does that, it ends by itself.
const LINGERS: &str = "sleep 120";
/// The command that shows its GPU: the variable that the cluster sets, and its model.
const SHOWS_GPU: &str = "echo \"${CUDA_VISIBLE_DEVICES-${ROCR_VISIBLE_DEVICES-${ZE_AFFINITY_MASK-}}}\"\n\
                         nvidia-smi -L 2>/dev/null || true";

impl Remote {
    /// Tries every step. The jobs end after `limit`, and what is left of them is removed.
    ///
    /// # Errors
    /// It is being checked already.
    pub(crate) async fn check(&self, wants_gpu: bool, limit: Duration) -> Result<Vec<Step>, String> {
        let Ok(_checking) = Arc::clone(&self.checking).try_lock_owned() else {
            return Err(format!("the engine `{}` is being checked already", self.name));
        };
        let poll = self.settings.poll.min(MAX_POLL);
        let settings = EngineSettings { poll, ..EngineSettings::clone(&self.settings) };
        // Attempts that wait for a place don't keep a check waiting.
        let remote = Self {
            cluster: Cluster::new(self.cluster.tools.clone(), poll),
            settings: Arc::new(settings),
            places: Arc::new(Semaphore::new(SLURM_STEPS.len())),
            is_check: true,
            ..self.clone()
        };
        let steps: &[&str] = match self.cluster.tools.controller() {
            Controller::Slurm(_) => &SLURM_STEPS,
            Controller::Ray(_) => &RAY_STEPS,
        };
        let mut report = Report { engine: self.name.to_string(), order: steps, steps: Vec::new() };
        if !wants_gpu {
            report.push("gpu", StepResult::Skipped, "not asked for; `--gpu` tries it".into(), None);
        }
        if remote.try_controller(&mut report).await {
            let deadline = Instant::now() + limit;
            let prints = Probe::new(&remote, "prints", PRINTS, Gpus::None);
            let lingers = Probe::new(&remote, "lingers", LINGERS, Gpus::None);
            let gpu = wants_gpu.then(|| Probe::new(&remote, "gpu", SHOWS_GPU, Gpus::Whole(1)));
            remote.try_jobs(&mut report, [&prints, &lingers], gpu.as_ref(), deadline, limit).await;
            let mut left = Vec::new();
            for probe in [Some(prints), Some(lingers), gpu].into_iter().flatten() {
                left.extend(probe.remove().await);
            }
            if !left.is_empty() {
                report.steps.retain(|step| step.step != "cancel");
                report.add("cancel", Err(left.join("; ")));
            }
        }
        Ok(report.finish())
    }

    /// Tries what is needed before a job can be submitted.
    async fn try_controller(&self, report: &mut Report) -> bool {
        match self.cluster.tools.controller() {
            Controller::Slurm(_) => {
                report.add("login", self.logs_in().await)
                    && report.add("programs", self.programs().await)
                    && report.add("controller", self.answers().await)
            }
            Controller::Ray(head) => ray::try_head(head, report).await,
        }
    }

    async fn logs_in(&self) -> Result<String, String> {
        let tools = &self.cluster.tools;
        let Some(host) = tools.caller.host() else {
            return Ok("not needed: the cluster is used from the machine of the daemon".to_owned());
        };
        tools.caller.reach().await?;
        Ok(format!("`{host}` runs commands"))
    }

    async fn programs(&self) -> Result<String, String> {
        check_installed(&self.settings)?;
        let tools = &self.cluster.tools;
        let names = slurm::PROGRAMS.map(|name| format!("`{name}`")).join(", ");
        let Some(host) = tools.caller.host() else { return Ok(format!("{names} are in the daemon's PATH")) };
        for program in slurm::PROGRAMS {
            tools.caller.find(program).await?;
        }
        if self.settings.stage == Stage::Rsync {
            tools.caller.find(RSYNC).await?;
        }
        Ok(format!("{names} are on `{host}`"))
    }

    async fn answers(&self) -> Result<String, String> {
        let jobs = self.cluster.tools.jobs().await?.len();
        let noun = if jobs == 1 { "job" } else { "jobs" };
        Ok(format!("it answers, and knows {jobs} {noun} of this user"))
    }

    async fn try_jobs(
        &self,
        report: &mut Report,
        [prints, lingers]: [&Probe; 2],
        gpu: Option<&Probe>,
        deadline: Instant,
        limit: Duration,
    ) {
        let workdir = self.settings.workdir.display();
        let laid_out = match prints.prepare(deadline).await {
            Ok(()) => lingers.prepare(deadline).await,
            wrong => wrong,
        };
        if !report.add("workdir", laid_out.map(|()| format!("the daemon can write in {workdir}")))
            || !(self.asks_nothing() || report.add("options", self.takes(prints).await))
        {
            return;
        }
        let (printed, lingered, shown) = tokio::join!(
            prints.run(deadline, false),
            lingers.run(deadline, true),
            OptionFuture::from(gpu.map(async |probe| {
                match probe.prepare(deadline).await {
                    Ok(()) => probe.run(deadline, false).await,
                    Err(why) => Tried::refused(why),
                }
            }))
        );
        let works = report.add("submit", submitted(&printed))
            && report.add("start", started(&printed, limit))
            && report.add("output", output(prints, &printed));
        // That a job can be cancelled is known also if none starts in time.
        if works || lingered.is_gone.is_some() {
            report.add("cancel", cancelled(&lingered));
        }
        if let Some(shown) = shown {
            report.add("gpu", has_gpu(&shown, limit));
        }
    }

    /// Returns whether there are no options that it could refuse.
    fn asks_nothing(&self) -> bool {
        matches!(self.cluster.tools.controller(), Controller::Ray(_))
    }

    /// Asks whether the cluster takes jobs with the options of the profile.
    async fn takes(&self, probe: &Probe) -> Result<String, String> {
        probe.execution.test().await?;
        let EngineSettings { partition, account, qos, .. } = &*self.settings;
        let options = [("partition", partition), ("account", account), ("qos", qos)];
        let named = options.iter().filter_map(|(name, value)| Some(format!("{name} `{}`", value.as_ref()?)));
        let named: Vec<String> = named.collect();
        let with = if named.is_empty() { "its own defaults".to_owned() } else { named.join(", ") };
        Ok(format!("the cluster takes jobs with {with}"))
    }
}

/// Returns the name of a job for people.
fn job(tried: &Tried) -> String {
    tried.job.as_ref().map_or_else(|| "the job".to_owned(), |job| format!("the job {job}"))
}

fn submitted(tried: &Tried) -> Result<String, String> {
    match (&tried.job, &tried.waits_for) {
        (Some(job), _) => Ok(format!("the cluster took it as job {job}")),
        (None, Some(reason)) => Err(format!("it {reason}")),
        (None, None) => Err(tried.error().unwrap_or_else(|| "the cluster has no answer".to_owned())),
    }
}

fn started(tried: &Tried, limit: Duration) -> Result<String, String> {
    if let Some(host) = &tried.host {
        return Ok(format!("{} ran on {host}, which sees `workdir`", job(tried)));
    }
    if let Some(why) = tried.error() {
        return Err(why);
    }
    let limit = fanlight_shared::time::exact_duration(limit);
    let why = tried.waits_for.as_ref().map_or_else(String::new, |reason| format!(": it {reason}"));
    Err(format!("{} has not started after {limit}{why}", job(tried)))
}

fn output(probe: &Probe, tried: &Tried) -> Result<String, String> {
    let printed = printed(tried)?;
    if printed != probe.token() {
        let printed = fanlight_shared::value::cut(&crate::command::text::line(printed), 100);
        return Err(format!("{} printed `{printed}` instead of what it was given", job(tried)));
    }
    Ok("its output and its exit code came back".to_owned())
}

/// Returns what a job printed that ended well.
fn printed(tried: &Tried) -> Result<&str, String> {
    match &tried.outcome {
        Some(Outcome { end: AttemptEnd::Completed, values, .. }) => {
            Ok(values.get("stdout").and_then(Value::as_text).unwrap_or_default())
        }
        Some(_) => Err(format!("{} failed: {}", job(tried), tried.error().unwrap_or_default())),
        None => Err(format!("{} has not ended in time", job(tried))),
    }
}

fn cancelled(tried: &Tried) -> Result<String, String> {
    match (tried.is_gone, tried.ran) {
        (Some(true), true) => Ok(format!("{} was ended while it ran", job(tried))),
        (Some(true), false) => Ok(format!("{} was ended while it waited", job(tried))),
        (Some(false), _) => {
            Err(format!("{} still lives {} s after it was cancelled", job(tried), CANCEL_TIMEOUT.as_secs()))
        }
        (None, _) => Err(tried.error().unwrap_or_else(|| format!("{} ended by itself", job(tried)))),
    }
}

fn has_gpu(tried: &Tried, limit: Duration) -> Result<String, String> {
    submitted(tried).and_then(|_| started(tried, limit))?;
    let mut lines = printed(tried)?.lines();
    let variable = lines.next().unwrap_or_default().trim();
    let model = lines.next().map(crate::command::text::line);
    match (variable, model) {
        ("" | "NoDevFiles", _) => Err(format!("{} was given no GPU", job(tried))),
        (_, Some(model)) => Ok(format!("{} was given {model}", job(tried))),
        (variable, None) => {
            Ok(format!("{} was given the GPU {}", job(tried), crate::command::text::line(variable)))
        }
    }
}

/// The steps so far.
struct Report {
    engine: String,
    /// The names of all steps.
    order: &'static [&'static str],
    steps: Vec<Step>,
}

impl Report {
    /// Adds a step that was tried. Returns whether it works.
    fn add(&mut self, step: &str, tried: Result<String, String>) -> bool {
        match tried {
            Ok(message) => {
                self.push(step, StepResult::Ok, message, None);
                true
            }
            Err(message) => {
                let hint = self.hint(step, &message);
                self.push(step, StepResult::Failed, message, hint);
                false
            }
        }
    }

    fn push(&mut self, step: &str, result: StepResult, message: String, hint: Option<String>) {
        self.steps.push(Step { step: step.to_owned(), result, message, hint });
    }

    /// Returns all steps, in order.
    fn finish(mut self) -> Vec<Step> {
        for step in self.order {
            if !self.steps.iter().any(|known| known.step == *step) {
                self.push(
                    step,
                    StepResult::Skipped,
                    "not tried, because a step before it failed".into(),
                    None,
                );
            }
        }
        self.steps.sort_by_key(|step| self.order.iter().position(|name| *name == step.step));
        self.steps
    }

    /// Returns what to do about a step that failed with these words.
    fn hint(&self, step: &str, message: &str) -> Option<String> {
        let section = format!("`[engine.{}]` of the config", self.engine);
        let lower = message.to_lowercase();
        let has = |words: &str| lower.contains(words);
        let is_ray = self.order == RAY_STEPS;
        if is_ray && let Some(hint) = ray::hint(step, message, &section) {
            return Some(hint);
        }
        let hint = match step {
            "login" => format!(
                "the daemon logs in without a password: use a key, or an agent that it sees; `via` is in {section}"
            ),
            "controller" => {
                "does `scontrol ping` answer there? its `slurm.conf` and munge must be those of the cluster"
                    .to_owned()
            }
            "workdir" => {
                format!("set `workdir` in {section} to a folder that you can write in, here and on the nodes")
            }
            "options" | "submit" if has("partition") && !has("account") => {
                format!("`sinfo -o %P` lists the partitions; set `partition` in {section}")
            }
            "options" | "submit" if has("account") => format!(
                "`sacctmgr show assoc user=$USER format=account,partition,qos` lists what you may use; set `account` in {section}"
            ),
            "options" | "submit" if has("qos") => {
                format!(
                    "`sacctmgr show assoc user=$USER format=account,qos` lists yours; set `qos` in {section}"
                )
            }
            "start" if has("workdir") => {
                format!("set `workdir` in {section} to a folder that the nodes see at the same path")
            }
            "start" | "gpu" if has("has not started") => {
                "the cluster may be busy: try again with a longer `--timeout`".to_owned()
            }
            "output" if has("exit code 96") => format!("correct `prelude` in {section}"),
            "gpu" if is_ray => "`ray status` there lists the GPUs of the cluster".to_owned(),
            "gpu" => format!(
                "set `partition` in {section} to one with GPUs: `sinfo -o '%P %G'` lists them, and `gres.conf` describes them to Slurm"
            ),
            "cancel" if is_ray => {
                "`ray job list` there lists what is left, and `ray job stop` ends it".to_owned()
            }
            "cancel" => "`squeue --me` lists what is left, and `scancel` with its number ends it".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}
