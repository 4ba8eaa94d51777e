//! The steps before the jobs with the head of a Ray cluster.

use super::Report;
use crate::command::remote::ray::Head;
use crate::command::text;

/// Tries to reach it, its token and its version. Returns whether jobs can be submitted.
pub(super) async fn try_head(head: &Head, report: &mut Report) -> bool {
    let version = head.version().await;
    // Whether it wants a token is the next step.
    let reached = match &version {
        Err(why) if !head.answers().await => Err(why.clone()),
        _ => Ok(format!("{} answers", head.address())),
    };
    report.add("reach", reached)
        && report.add("token", token(head).await)
        && report.add("version", version.map(|version| format!("Ray {}", text::line(&version))))
}

async fn token(head: &Head) -> Result<String, String> {
    let jobs = head.jobs().await?.len();
    let noun = if jobs == 1 { "job" } else { "jobs" };
    let knows = format!("it knows {jobs} {noun} of Fanlight");
    Ok(match (head.has_token(), head.is_open().await) {
        (true, false) => format!("the head takes it; {knows}"),
        (true, true) => format!("the head asks for none, so whoever reaches it runs commands there; {knows}"),
        (false, _) if is_loopback(head.address()) => format!("not needed; {knows}"),
        (false, _) => format!(
            "the head asks for none, so whoever reaches it runs commands there: start Ray with `RAY_AUTH_MODE=token`; {knows}"
        ),
    })
}

fn is_loopback(address: &str) -> bool {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name))
}

/// Returns what to do about a step of Ray that failed with these words.
pub(super) fn hint(step: &str, message: &str, section: &str) -> Option<String> {
    match step {
        "reach" => Some(format!(
            "set `address` in {section} to the dashboard of the head, such as \"http://head:8265\", which `ssh -L` can bring \
             here; is `ray[default]` installed there?"
        )),
        "token" => Some(format!(
            "set `token`, `token_env` or `token_file` in {section}; `ray get-auth-token` prints the token where Ray runs"
        )),
        "start" if message.contains("before its command started") => Some(format!(
            "set `workdir` in {section} to a folder that the nodes see at the same path; Ray must run as the user of the daemon"
        )),
        _ => None,
    }
}
