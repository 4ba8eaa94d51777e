//! The end of an attempt: the rest of its output, and its outcome.

use std::time::Instant;

use fanlight_shared::event::NodeError;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;

use super::super::files::{self, RunnerExit, Said};
use super::super::fresh;
use super::super::mirror::CopyError;
use super::super::output::Output;
use super::super::verdict::Stopped;
use super::submit::RETRY_INTERVAL;
use super::{End, Ended, OUTPUT_INTERVAL, OUTPUT_TIMEOUT, RemoteExecution, failed, steps};
use crate::attempt::Outcome;
use crate::command::finish;
use crate::command::reader::Reader;
use crate::supervisor::client::{Exit, How};

/// The signal that tells a job to end.
const TERM: i32 = 15;
/// Why a command whose runner lost some of its output did not succeed.
const CUT: &str = "its output could not be written whole; is the disk of `workdir` full?";

impl RemoteExecution {
    /// Takes the rest of its output.
    pub(super) async fn end(
        &self,
        exit: Option<RunnerExit>,
        mut stopped: Option<Stopped>,
        said: Said,
        mut output: Option<Output>,
    ) -> End {
        let was_asked = stopped == Some(Stopped::Asked);
        if let Err(why) = self.fetch(!was_asked).await {
            stopped = stopped.or(Some(Stopped::Failed(why, exit.as_ref().map(|exit| exit.code))));
        }
        let counted = exit.as_ref().filter(|_| !was_asked || self.copied().is_none());
        if let Err(why) = self.take_output(counted, &mut output).await {
            let code = exit.as_ref().map(|exit| exit.code);
            stopped = stopped.or(Some(Stopped::Failed(why, code)));
        }
        if let (None, Some(Stopped::Failed(why, _))) = (&said.started, &mut stopped)
            && let Ok(Some(line)) = self.aside(|folder| files::job_log(folder.files())).await
        {
            why.push_str(&format!("; it wrote: {line}"));
        }
        let (mut log_end, mut masked) = (0, false);
        if let Some(mut output) = output {
            let finished = self.aside(move |_| {
                output.finish();
                (output.end(), output.is_masked())
            });
            match finished.await {
                Ok(end) => (log_end, masked) = end,
                Err(why) => return End::Lost(why),
            }
        }
        self.tell(None);
        if let Some(started) = &said.started {
            self.tell_location(Some(started.job.clone()), Some(started.host.clone()));
        }
        let started = said.started.map(|started| started.at);
        self.mark_ended(Ended { exit, stopped, started, log_end, masked }).await;
        End::Ended
    }

    /// Fetches its folder from a cluster that shares none with this machine, as soon as it can be reached; of an attempt that
    /// was to end, only its output.
    ///
    /// # Errors
    /// It can't be fetched as a whole.
    async fn fetch(&self, all: bool) -> Result<(), String> {
        let Some(copied) = self.copied() else { return Ok(()) };
        let (engine, tools) = (&self.remote.name, &self.remote.cluster.tools);
        self.remote.cluster.leave(&self.key).await;
        loop {
            let fetched = {
                // An attempt that was to end waits for no files of others.
                let _lane = if all { tools.lanes.back.acquire().await.ok() } else { None };
                match tools.fetch_said(std::slice::from_ref(&copied), true).await {
                    Ok(()) if all => tools.fetch(&copied).await,
                    said => said,
                }
            };
            match fetched {
                Ok(()) => return Ok(()),
                Err(CopyError::Partial(why) | CopyError::Failed(why)) => {
                    return Err(format!("its files can't be fetched from `{engine}`: {why}"));
                }
                Err(CopyError::Away(why)) if !all || self.is_stopping() => return Err(why),
                Err(CopyError::Away(why)) => {
                    self.tell(Some(format!("waits for its files on `{engine}`: {why}")));
                    tokio::time::sleep(self.remote.settings.poll.max(RETRY_INTERVAL)).await;
                }
            }
        }
    }

    /// Copies what the runner counted: an output that is not whole is not what the command wrote.
    async fn take_output(
        &self,
        exit: Option<&RunnerExit>,
        output: &mut Option<Output>,
    ) -> Result<(), String> {
        let until = Instant::now() + OUTPUT_TIMEOUT;
        loop {
            let (_, more, _, trouble) = self.look(output).await?;
            if more {
                continue;
            }
            let Some(exit) = exit else { return Ok(()) };
            let read = output.as_ref().map(Output::read_so_far).unwrap_or_default();
            if read[0] >= exit.stdout && read[1] >= exit.stderr {
                // As on a disk that is full.
                return if exit.cut { Err(CUT.into()) } else { Ok(()) };
            }
            if Instant::now() > until {
                let missing = exit.stdout.saturating_sub(read[0]) + exit.stderr.saturating_sub(read[1]);
                return Err(trouble.unwrap_or_else(|| {
                    let files = self.folder();
                    format!("{missing} bytes of its output can't be found in {}", files.files().display())
                }));
            }
            tokio::time::sleep(OUTPUT_INTERVAL).await;
            self.fetch(true).await?;
        }
    }

    async fn mark_ended(&self, ended: Ended) {
        let record = {
            let mut state = self.state();
            state.ended = Some(ended);
            state.record.as_mut().map(|record| {
                record.ended = true;
                record.clone()
            })
        };
        if let Some(record) = record {
            self.save(record).await;
        }
    }

    /// Gives up: nobody saw its end. What may still be alive of it is ended first.
    pub(super) async fn lose(&self, why: String) -> End {
        if let Err(why) = self.remote.cancel_jobs(self.attempt.id, None).await {
            tracing::warn!(attempt = %self.attempt.id, why, "a lost job could not be cancelled");
        }
        steps::read_reports(&self.attempt, &self.reader).await;
        End::Lost(why)
    }

    /// Collects its outcome.
    pub(super) async fn gather(&self) -> Outcome {
        let Some(ended) = self.state().ended.clone() else { return failed("the job did not end") };
        let exit = ended.exit();
        let (work, attempt, remote) = (self.work.clone(), self.attempt.clone(), self.remote.clone());
        let finish = move |_: &crate::command::Inner, reader: &mut Reader, give_up: bool| {
            fresh::look(&reader.folder, &work)?;
            finish::finish(&attempt, &work, &remote.resources(), reader, &exit, give_up)
        };
        let outcome = steps::collect(&self.remote.inner, &self.attempt, &self.reader, finish).await;
        match ended.stopped {
            Some(Stopped::BySomebody(why)) => Outcome { is_final: true, ..explained(outcome, why, None) },
            Some(Stopped::Failed(why, code)) => explained(outcome, why, code),
            Some(Stopped::Asked) | None => outcome,
        }
    }
}

/// Returns the outcome of a command that failed for this reason.
fn explained(mut outcome: Outcome, why: String, code: Option<i32>) -> Outcome {
    let last_line = outcome.error.and_then(|error| error.last_line);
    let exit_code = code.filter(|code| *code != 0);
    outcome.values.insert("status".into(), Value::Text("failed".into()));
    let error = Some(NodeError { exit_code, last_line, ..NodeError::new(why) });
    Outcome { end: AttemptEnd::Failed, error, ..outcome }
}

impl Ended {
    /// Returns its end as that of a process. One that was ended by something else did not succeed, whatever it says.
    fn exit(&self) -> Exit {
        let code = self.exit.as_ref().map(|exit| exit.code);
        let how = match (&self.stopped, code) {
            (None, Some(code)) => How::Code(code),
            (Some(_), Some(code)) if code != 0 => How::Code(code),
            _ => How::Signal(TERM),
        };
        let at = self.exit.as_ref().map_or_else(Time::now, |exit| exit.at);
        Exit {
            how,
            stopped: self.stopped == Some(Stopped::Asked),
            masked: self.masked,
            started: self.started.unwrap_or(at),
            ended: at,
            max_rss: 0,
            cpu: std::time::Duration::ZERO,
            log_end: self.log_end,
        }
    }
}
