//! What a head is asked, and what its answers mean.

use super::*;
use crate::config::{RaySettings, TokenSource};
use crate::http::Http;
use crate::http::server::{Server, answer};
use crate::secret::SecretSettings;

const PENDING: &[u8] = br#"{"submission_id":"fanlight-7","status":"PENDING"}"#;
const FAILED: &[u8] = br#"{"submission_id":"fanlight-7","status":"FAILED"}"#;
const EXISTS: &[u8] =
    b"Traceback:\nValueError: Job with submission_id fanlight-7 already exists. Use another.";

fn head(address: &str, token: Option<TokenSource>) -> Head {
    let settings = RaySettings { address: address.to_owned(), token };
    Head::new("ray", settings, SecretSettings::default(), Http::default())
}

fn request(needs: &Resources) -> Request<'_> {
    Request { key: "fanlight:7", name: "it's a name", files: Path::new("/w/it's 7"), needs, elements: &[] }
}

async fn submit(head: &Head) -> Result<String, SubmitError> {
    head.submit(&request(&Resources::default())).await
}

/// Returns the first line of each request.
fn asked(server: &Server) -> Vec<String> {
    let first = |request: &String| request.split(" HTTP").next().unwrap_or_default().to_owned();
    server.requests().iter().map(first).collect()
}

#[test]
fn resources_become_fields_of_the_request() {
    let gpus = Gpus::Part(GPU_PARTS / 4);
    let resources = Resources { cpus: 1500, memory: 4_000_000_000, gpus, ..Resources::default() };
    let body = body("fanlight-7", &request(&resources)).unwrap();
    assert_eq!(body["entrypoint_num_cpus"], json!(1.5));
    assert_eq!(body["entrypoint_num_gpus"], json!(0.25));
    assert_eq!(body["entrypoint_memory"], json!(4_000_000_000_u64));
    let entrypoint = body["entrypoint"].as_str().unwrap();
    assert!(entrypoint.contains("FANLIGHT_JOB=fanlight-7 bash -l "), "{entrypoint}");
    assert!(!entrypoint.contains("/w/it's"), "a path is quoted: {entrypoint}");
    assert_eq!(needs(&Resources::default()), [("entrypoint_num_cpus", json!(1))]);
}

#[tokio::test]
async fn a_job_that_is_there_already_was_submitted_and_one_that_ended_is_replaced() {
    let server = Server::new(|_, request| match request.split(' ').next() {
        Some("POST") => answer("500 Internal Server Error", "", EXISTS),
        _ => answer("200 OK", "", PENDING),
    });
    let server = server.await;
    assert_eq!(submit(&head(&server.url(""), None)).await.unwrap(), "fanlight-7");
    assert_eq!(asked(&server), ["POST /api/jobs/", "GET /api/jobs/fanlight-7"]);

    let server = Server::new(|number, _| match number {
        0 => answer("500 Internal Server Error", "", EXISTS),
        1 => answer("200 OK", "", FAILED),
        _ => answer("200 OK", "", b"{}"),
    });
    let server = server.await;
    assert_eq!(submit(&head(&server.url(""), None)).await.unwrap(), "fanlight-7");
    assert_eq!(asked(&server)[2..], ["DELETE /api/jobs/fanlight-7", "POST /api/jobs/"]);
}

#[tokio::test]
async fn what_was_not_sent_waits_and_what_may_have_arrived_is_unknown() {
    // Nobody listens there any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = submit(&head(&format!("http://{address}"), None)).await;
    assert!(matches!(refused, Err(SubmitError::Busy(_))), "{refused:?}");
    let server = Server::new(|_, _| Vec::new()).await;
    let lost = submit(&head(&server.url(""), None)).await;
    assert!(matches!(lost, Err(SubmitError::Unknown(_))), "{lost:?}");
    let server =
        Server::new(|_, _| answer("400 Bad Request", "", b"Traceback:\nTypeError: no such field")).await;
    let wrong = submit(&head(&server.url(""), None)).await;
    assert!(
        matches!(&wrong, Err(SubmitError::Refused(why)) if why.ends_with("400: TypeError: no such field")),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn a_list_that_is_none_is_no_empty_list() {
    for body in [&b"<html>Sign in</html>"[..], b"{}", b"[{\"status\":"] {
        let body = body.to_vec();
        let server = Server::new(move |_, _| answer("200 OK", "", &body)).await;
        assert!(head(&server.url(""), None).jobs().await.unwrap_err().contains("can't be read"));
    }
    let elsewhere = answer("302 Found", "Location: http://127.0.0.1:1/\r\n", b"");
    let server = Server::new(move |_, _| elsewhere.clone()).await;
    assert!(head(&server.url(""), None).jobs().await.unwrap_err().contains("redirects elsewhere"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_read_again_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "hunter2hunter2\n").unwrap();
    let server = Server::new(|_, request| match request.contains("authorization: Bearer correct-horse") {
        true => answer("200 OK", "", b"[]"),
        false => answer("403 Forbidden", "", b"Forbidden: invalid token"),
    });
    let server = server.await;
    let head = head(&server.url(""), Some(TokenSource::File(path.clone())));
    let refused = head.jobs().await.unwrap_err();
    assert!(
        refused.contains("refuses the token") && !format!("{refused} {head:?}").contains("hunter2"),
        "{refused}"
    );
    assert!(matches!(submit(&head).await, Err(SubmitError::Refused(_))));
    std::fs::write(&path, "correct-horse\n").unwrap();
    assert_eq!(head.jobs().await, Ok(Vec::new()));
    std::fs::write(&path, "short").unwrap();
    assert_eq!(head.jobs().await, Ok(Vec::new()), "it is kept while it is taken");
}
