//! Ray: the head of a cluster, through its REST API of jobs.
//!
//! The id of a job is ours, so that submitting twice is refused: it was submitted already. A head forgets its jobs when it is
//! started again, and its states say nothing about a command: the files of the runner do.

mod client;
mod job;

use std::path::Path;

use fanlight_shared::quote;
use fanlight_shared::resources::{CPU_PARTS, GPU_PARTS, Gpus, Resources};
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::files;
use super::job::SeenJob;
use super::request::{CALL_TIMEOUT, Request, SUBMIT_TIMEOUT, SubmitError};
use crate::command::text;
pub(super) use client::Head;
use client::{Answer, Failure};

/// How many requests submit or stop jobs at once: a head takes half a second for each.
pub(super) const MAX_CALLS: usize = 4;
/// The longest message of a head that is shown, in characters.
const MAX_MESSAGE: usize = 300;

impl Head {
    /// Submits a job and returns its id, which follows from its key. One that is there already was submitted before; one
    /// that has ended is replaced, because its attempt has not: the fence of the attempt lets only one run its command.
    pub(super) async fn submit(&self, request: &Request<'_>) -> Result<String, SubmitError> {
        let id = job::id_of(request.key);
        let body = body(&id, request).map_err(SubmitError::Refused)?;
        let mut answer = self.post(&body).await?;
        if answer.says("already exists") {
            let found = self.call(Method::GET, &path(&id), None, CALL_TIMEOUT).await.map_err(submit_error)?;
            let seen = serde_json::from_slice(&found.body).ok().and_then(job::seen);
            if seen.is_none_or(|job| !job.state.is_ended()) {
                return Ok(id);
            }
            self.delete(&id).await.map_err(SubmitError::Unknown)?;
            answer = self.post(&body).await?;
        }
        match answer.status {
            status if status.is_success() => Ok(id),
            _ if answer.says("already exists") => Ok(id),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(SubmitError::Busy(self.said(&answer)))
            }
            status if status.is_client_error() => Err(SubmitError::Refused(self.said(&answer))),
            _ => Err(SubmitError::Unknown(self.said(&answer))),
        }
    }

    async fn post(&self, body: &Json) -> Result<Answer, SubmitError> {
        self.call(Method::POST, "/api/jobs/", Some(body), SUBMIT_TIMEOUT).await.map_err(submit_error)
    }

    /// Returns the jobs of Fanlight that the head knows.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn jobs(&self) -> Result<Vec<SeenJob>, String> {
        let answer =
            self.call(Method::GET, "/api/jobs/", None, CALL_TIMEOUT).await.map_err(Failure::sentence)?;
        if !answer.status.is_success() {
            return Err(self.said(&answer));
        }
        let list: Vec<job::Entry> = serde_json::from_slice(&answer.body)
            .map_err(|error| format!("the list of jobs of {} can't be read: {error}", self.address()))?;
        Ok(list.into_iter().filter_map(job::seen).collect())
    }

    /// Stops these jobs. That it succeeds says nothing: the jobs show it.
    ///
    /// # Errors
    /// The head can't be asked at the moment.
    pub(super) async fn stop(&self, jobs: &[String]) -> Result<(), String> {
        for some in jobs.chunks(MAX_CALLS) {
            join_all(some.iter().map(|id| self.stop_one(id))).await.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    async fn stop_one(&self, id: &str) -> Result<(), String> {
        let stopped = self.call(Method::POST, &format!("{}/stop", path(id)), None, CALL_TIMEOUT).await;
        stopped.map(drop).map_err(Failure::sentence)
    }

    /// Removes a job that has ended from the list of the head, which keeps it for ever otherwise and sends it with each poll.
    ///
    /// # Errors
    /// It may still be there.
    pub(super) async fn delete(&self, id: &str) -> Result<(), String> {
        let deleted =
            self.call(Method::DELETE, &path(id), None, CALL_TIMEOUT).await.map_err(Failure::sentence)?;
        match deleted.status {
            StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(self.said(&deleted)),
        }
    }

    /// Asks for its version.
    ///
    /// # Errors
    /// It can't be reached, or is no head of Ray.
    pub(super) async fn version(&self) -> Result<String, String> {
        let answer =
            self.call(Method::GET, "/api/version", None, CALL_TIMEOUT).await.map_err(Failure::sentence)?;
        let json: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
        match json["ray_version"].as_str() {
            Some(version) => Ok(text::line(version)),
            None if !answer.status.is_success() => Err(self.said(&answer)),
            None => Err(format!("{} answers, and not as the head of a Ray cluster does", self.address())),
        }
    }

    /// Returns whether it answers at all.
    pub(super) async fn answers(&self) -> bool {
        self.call_openly("/api/version", CALL_TIMEOUT).await.is_ok()
    }

    /// Returns whether it answers to those without a token.
    pub(super) async fn is_open(&self) -> bool {
        let answer = self.call_openly("/api/jobs/", CALL_TIMEOUT).await;
        answer.is_ok_and(|status| status.is_success())
    }

    /// Returns why it did not do what it was asked.
    fn said(&self, answer: &Answer) -> String {
        let body = String::from_utf8_lossy(&answer.body);
        // Of a traceback, the last line has the cause.
        let last = body.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let said = fanlight_shared::value::cut(&text::line(last), MAX_MESSAGE);
        format!("{} answered {}: {said}", self.address(), answer.status.as_u16())
    }
}

fn submit_error(failure: Failure) -> SubmitError {
    match failure {
        Failure::Refused(why) => SubmitError::Refused(why),
        Failure::Unsent(why) => SubmitError::Busy(why),
        Failure::Unreachable(why) => SubmitError::Unknown(why),
    }
}

fn path(id: &str) -> String {
    format!("/api/jobs/{id}")
}

/// Returns the request that submits a job. No value of a run is part of it, and no secret.
fn body(id: &str, request: &Request<'_>) -> Result<Json, String> {
    let word = |path: &Path| {
        let text =
            path.to_str().ok_or_else(|| format!("{} is not UTF-8, so it can't be sent", path.display()))?;
        quote::word(text)
    };
    let (runner, folder) = (word(&files::runner(request.files))?, word(request.files)?);
    let log = word(&request.files.join(files::JOB_LOG))?;
    let entrypoint = format!("exec env FANLIGHT_JOB={id} bash -l {runner} {folder} >>{log} 2>&1");
    let mut body = json!({
        "entrypoint": entrypoint,
        "submission_id": id,
        "metadata": { "name": request.name },
    });
    for (name, value) in needs(request.needs) {
        body[name] = value;
    }
    Ok(body)
}

/// Returns the fields of a request for these resources. A job that asks for none would run on the head, however many do.
fn needs(resources: &Resources) -> Vec<(&'static str, Json)> {
    let parts = |count: u32, of: u32| json!(f64::from(count) / f64::from(of));
    let cpus = if resources.cpus > 0 { parts(resources.cpus, CPU_PARTS) } else { json!(1) };
    let mut fields = vec![("entrypoint_num_cpus", cpus)];
    match resources.gpus {
        Gpus::None => {}
        Gpus::Part(part) => fields.push(("entrypoint_num_gpus", parts(part, GPU_PARTS))),
        Gpus::Whole(count) => fields.push(("entrypoint_num_gpus", json!(count))),
    }
    if resources.memory > 0 {
        fields.push(("entrypoint_memory", json!(resources.memory)));
    }
    fields
}

#[cfg(test)]
mod tests;
