//! Requests and downloads against a server in this process.

use fanlight_shared::home::Home;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::testing::in_time;

use super::*;
use crate::attempt::{Attempt, Outcome};
use crate::command::fixture;
use crate::executor::{Executor as _, NativeNodes, Signal, Work};
use crate::http::Http;
use crate::http::server::{Server, Step, answer};
use crate::node_type::NodeTypes;
use crate::secret::Secrets;
use crate::store::Store;

mod download;

const TOKEN: &str = "s3cr3t-t0ken";

struct Place {
    store: Store,
    native: NativeNodes,
    _temp: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let home = Home::below(temp.path()).unwrap();
        let store = Store::open(&home).unwrap();
        let native = NativeNodes {
            blobs: store.blobs().clone(),
            writable: Vec::new(),
            attempts: home.attempts(),
            http: Http::default(),
            #[cfg(feature = "llm")]
            providers: crate::llm::Providers::default(),
            #[cfg(feature = "llm")]
            mcp: Default::default(),
            #[cfg(feature = "llm")]
            child_runs: Default::default(),
            #[cfg(feature = "llm")]
            checker: Arc::new(crate::worker::InProcess(store.blobs().clone())),
        };
        Self { store, native, _temp: temp }
    }

    fn open(&self, name: &str, given: &[(&str, Value)]) -> Box<dyn crate::executor::Execution> {
        self.open_with(name, given, Secrets::default())
    }

    fn open_with(
        &self,
        name: &str,
        given: &[(&str, Value)],
        secrets: Secrets,
    ) -> Box<dyn crate::executor::Execution> {
        let node_type = Arc::clone(NodeTypes::built_in().now().get(name).unwrap());
        let mut inputs: Values = node_type
            .spec
            .inputs
            .iter()
            .filter_map(|(name, input)| Some((name.clone(), input.default.clone()?)))
            .collect();
        inputs.insert("local".into(), Value::Bool(true));
        inputs.extend(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let attempt = Attempt { secrets, ..fixture::attempt() };
        self.native.open(attempt, Arc::new(Work::Native(node_type, inputs)))
    }

    /// Runs a node with the secret [`TOKEN`].
    async fn run_with_token(&self, name: &str, given: &[(&str, Value)]) -> Outcome {
        let secrets: Secrets = [("token".to_owned(), TOKEN.to_owned())].into_iter().collect();
        let execution = self.open_with(name, given, secrets);
        in_time("its end", execution.wait()).await;
        execution.collect().await
    }

    async fn run(&self, name: &str, given: &[(&str, Value)]) -> Outcome {
        let execution = self.open(name, given);
        in_time("its end", execution.wait()).await;
        execution.collect().await
    }

    fn bytes(&self, outcome: &Outcome, port: &str) -> Vec<u8> {
        let media = outcome.values[port].as_media().unwrap();
        self.store.blobs().read(media.hash).unwrap()
    }
}

fn error(outcome: &Outcome) -> &str {
    assert_eq!(outcome.end, AttemptEnd::Failed, "{outcome:?}");
    &outcome.error.as_ref().unwrap().message
}

fn object(entries: &[(&str, Value)]) -> Value {
    Value::Object(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

#[tokio::test]
async fn json_is_sent_and_received() {
    let place = Place::new();
    // The body comes in chunks that end within a number and within a character.
    let server = Server::new(|_, _| {
        let head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Two: a\r\nX-Two: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let pieces: [&[u8]; 6] =
            [head.as_bytes(), b"7\r\n{\"n\": 1", b"\r\n5\r\n2, \"t\r\n", b"5\r\n\": \"\xc3\r\n", b"3\r\n\xbc\"}\r\n", b"0\r\n\r\n"];
        pieces.map(|piece| Step::Write(piece.to_vec())).into()
    })
    .await;
    let outcome = place
        .run(
            "http.request",
            &[
                ("url", server.url("/items?a=1").into()),
                ("method", "POST".into()),
                ("headers", object(&[("X-Key", "k".into())])),
                ("query", object(&[("tag", vec![Value::from("x y"), Value::Int(2)].into())])),
                ("json", object(&[("name", "Ada".into())])),
            ],
        )
        .await;
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert_eq!(outcome.values["status"], Value::Int(201));
    assert_eq!(outcome.values["json"], object(&[("n", Value::Int(12)), ("t", "ü".into())]));
    let Value::Object(headers) = &outcome.values["headers"] else { panic!() };
    assert_eq!(headers["x-two"], Value::from("a, b"));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /items?a=1&tag=x+y&tag=2 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-key: k\r\n") && request.ends_with("\r\n\r\n{\"name\":\"Ada\"}"), "{request}");
}

#[tokio::test]
async fn a_form_and_a_file_are_sent() {
    let place = Place::new();
    let server = Server::new(|_, _| answer("200 OK", "Content-Type: text/plain\r\n", b"thanks")).await;
    let form = object(&[("q", "a&b".into()), ("n", Value::Int(1))]);
    let outcome = place
        .run("http.request", &[("url", server.url("/").into()), ("method", "POST".into()), ("form", form)])
        .await;
    assert_eq!(outcome.values["text"], Value::from("thanks"));
    assert!(server.requests()[0].ends_with("\r\n\r\nq=a%26b&n=1"), "{:?}", server.requests());
    let published = place.store.blobs().publish(b"%PDF-1.7 x".to_vec()).unwrap();
    let media = crate::media::stored(place.store.blobs(), published.hash, 10, "a.pdf").unwrap();
    let outcome = place
        .run(
            "http.request",
            &[("url", server.url("/").into()), ("method", "PUT".into()), ("file", media.into())],
        )
        .await;
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    let request = server.requests().remove(1);
    assert!(request.contains("content-length: 10\r\n") && request.ends_with("%PDF-1.7 x"), "{request}");
    let both = [("url", server.url("/").into()), ("body", "a".into()), ("json", Value::Int(1))];
    assert!(error(&place.run("http.request", &both).await).contains("but a request has only one body"));
}

#[tokio::test]
async fn a_refused_request_fails_with_the_words_of_the_server_unless_any_status_is_accepted() {
    let place = Place::new();
    let server = Server::new(|number, _| {
        let status = if number < 2 { "404 Not Found" } else { "503 Service Unavailable" };
        answer(status, "Content-Type: text/plain\r\n", b"no such\x1b[2J item")
    })
    .await;
    let outcome = place.run("http.request", &[("url", server.url("/").into())]).await;
    assert_eq!(error(&outcome), "the server answered 404 Not Found: no such item");
    for status in [404, 503] {
        let any = [("url", server.url("/").into()), ("any_status", Value::Bool(true))];
        assert_eq!(place.run("http.request", &any).await.values["status"], Value::Int(status));
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_file_whose_redirect_is_not_followed_is_not_sent() {
    let place = Place::new();
    let server = Server::new(|_, _| answer("307 Temporary Redirect", "Location: /other\r\n", b"")).await;
    let published = place.store.blobs().publish(b"a file".to_vec()).unwrap();
    let media = crate::media::stored(place.store.blobs(), published.hash, 6, "a.txt").unwrap();
    let put = [("url", server.url("/").into()), ("method", "PUT".into()), ("file", media.into())];
    let outcome = place.run("http.request", &put).await;
    assert_eq!(
        error(&outcome),
        "the server answered 307 Temporary Redirect to `/other`, which was not followed"
    );
    let condition = object(&[("If-None-Match", "\"v1\"".into())]);
    let server = Server::new(|_, _| answer("304 Not Modified", "", b"")).await;
    let outcome = place.run("http.request", &[("url", server.url("/").into()), ("headers", condition)]).await;
    assert_eq!((outcome.error, &outcome.values["status"]), (None, &Value::Int(304)));
}

#[tokio::test]
async fn a_busy_server_is_retried_when_it_says_so_and_an_unsafe_request_only_then() {
    let place = Place::new();
    let busy = |number, _: &str| match number {
        0 => answer("429 Too Many Requests", "Retry-After: 0\r\n", b""),
        _ => answer("200 OK", "Content-Type: text/plain\r\n", b"now"),
    };
    let server = Server::new(busy).await;
    let post = [("url", server.url("/").into()), ("method", "POST".into())];
    assert_eq!(place.run("http.request", &post).await.values["text"], Value::from("now"));
    let server = Server::new(|_, _| answer("502 Bad Gateway", "", b"")).await;
    let post = [("url", server.url("/").into()), ("method", "POST".into())];
    assert!(error(&place.run("http.request", &post).await).contains("502"));
    assert_eq!(server.requests().len(), 1, "it may have been done");
    let server = Server::new(|number, _| match number {
        0 => answer("503 Service Unavailable", "Retry-After: 0\r\n", b""),
        _ => answer("200 OK", "Content-Type: text/plain\r\n", b"now"),
    })
    .await;
    let post = [("url", server.url("/").into()), ("method", "POST".into())];
    assert_eq!(place.run("http.request", &post).await.values["text"], Value::from("now"));
    let server = Server::new(|_, _| answer("503 Service Unavailable", "", b"")).await;
    let post = [("url", server.url("/").into()), ("method", "POST".into())];
    assert!(error(&place.run("http.request", &post).await).contains("503"));
    assert_eq!(server.requests().len(), 1, "a proxy may have lost the answer");
    let server = Server::new(|_, _| answer("503 Service Unavailable", "Retry-After: 3600\r\n", b"")).await;
    let get = [("url", server.url("/").into())];
    assert!(error(&place.run("http.request", &get).await).contains("asks to wait 3600 s"));
}

#[tokio::test]
async fn a_cancel_closes_the_connection_at_once_and_a_slow_body_times_out() {
    let place = Place::new();
    let hangs = |_: usize, _: &str| {
        vec![Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal".to_vec()), Step::Hang]
    };
    let server = Server::new(hangs).await;
    let execution = place.open("http.request", &[("url", server.url("/").into())]);
    tokio::join!(execution.wait(), async {
        server.until_asked(1).await;
        execution.signal(Signal::Stop).await
    });
    assert_eq!(execution.collect().await.end, AttemptEnd::Cancelled);
    server.until_closed(1).await;
    let slow = [("url", server.url("/").into()), ("timeout", Value::Float(0.05))];
    assert!(error(&place.run("http.request", &slow).await).contains("longer than 0.05 s"));
    server.until_closed(2).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_or_not_json_is_refused() {
    let place = Place::new();
    let server =
        Server::new(|_, _| answer("200 OK", "Content-Type: application/json\r\n", &[b'['; 5000])).await;
    let short = [("url", server.url("/").into()), ("max_bytes", Value::Int(4999))];
    assert!(error(&place.run("http.request", &short).await).contains("more than 4999 bytes"));
    let outcome = place.run("http.request", &[("url", server.url("/").into())]).await;
    assert!(error(&outcome).contains("the response can't be read as JSON"), "{}", error(&outcome));
}

#[tokio::test]
async fn private_addresses_are_refused_without_local() {
    let place = Place::new();
    let server = Server::new(|_, _| answer("200 OK", "", b"")).await;
    for name in ["http.request", "http.download"] {
        let outcome =
            place.run(name, &[("url", server.url("/").into()), ("local", Value::Bool(false))]).await;
        assert!(error(&outcome).contains("set `local: true`"), "{}", error(&outcome));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_bearer_token_is_sent_and_a_response_that_contains_it_is_refused() {
    let place = Place::new();
    let server = Server::new(|number, _| match number {
        0 => answer("200 OK", "Content-Type: text/plain\r\n", b"fine"),
        // The token comes in two pieces.
        _ => [&b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n[s3cr3t"[..], b"-t0ken]"]
            .map(|piece| Step::Write(piece.to_vec()))
            .into(),
    })
    .await;
    let given = [("url", Value::from(server.url("/"))), ("bearer", TOKEN.into())];
    let fine = place.run_with_token("http.request", &given).await;
    assert_eq!(fine.values["text"], Value::from("fine"));
    assert!(
        server.requests()[0].contains("authorization: Bearer s3cr3t-t0ken\r\n"),
        "{:?}",
        server.requests()
    );
    for node_type in ["http.request", "http.download"] {
        let echoed = place.run_with_token(node_type, &given).await;
        assert_eq!(error(&echoed), "the response contains the secret `token`, and outputs are stored");
    }
    let given = [given[0].clone(), given[1].clone(), ("headers", object(&[("authorization", "x".into())]))];
    let twice = place.run_with_token("http.request", &given).await;
    assert_eq!(error(&twice), "`bearer` and the header `Authorization` are both given");
}

#[tokio::test]
async fn a_request_with_secrets_is_not_redirected_to_another_server() {
    let place = Place::new();
    let other = Server::new(|_, _| answer("200 OK", "Content-Type: text/plain\r\n", b"fine")).await;
    let away = other.url("/");
    let server = Server::new(move |_, request| {
        let to = if request.starts_with("GET /here") { "/there" } else { away.as_str() };
        match request.starts_with("GET /there") {
            true => answer("200 OK", "Content-Type: text/plain\r\n", b"there"),
            false => answer("302 Found", &format!("Location: {to}\r\n"), b""),
        }
    })
    .await;
    let to = |path: &str| {
        [("url", Value::from(server.url(path))), ("headers", object(&[("X-Key", TOKEN.into())]))]
    };
    let here = place.run_with_token("http.request", &to("/here")).await;
    assert_eq!(here.values["text"], Value::from("there"), "the same server may redirect");
    let away = place.run_with_token("http.request", &to("/away")).await;
    assert!(error(&away).contains("redirects to another server"), "{}", error(&away));
    assert!(other.requests().is_empty());
    assert_eq!(
        place.run("http.request", &to("/away")).await.end,
        AttemptEnd::Completed,
        "nothing is secret here"
    );
}

#[tokio::test]
async fn a_token_in_the_body_of_an_error_is_masked() {
    let place = Place::new();
    let server = Server::new(|_, _| answer("403 Forbidden", "", b"no rights for s3cr3t-t0ken here")).await;
    let given = [("url", Value::from(server.url("/"))), ("bearer", TOKEN.into())];
    let refused = place.run_with_token("http.request", &given).await;
    assert_eq!(error(&refused), "the server answered 403 Forbidden: no rights for *** here");
}

/// Returns an answer that ends with its connection.
fn open_ended(body: &[u8]) -> Vec<Step> {
    vec![Step::Write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()), Step::Write(body.to_vec())]
}

#[tokio::test]
async fn a_response_that_does_not_say_where_it_ends_is_accepted_only_if_the_node_says_so() {
    let place = Place::new();
    for node_type in ["http.request", "http.download"] {
        let server = Server::new(|_, _| open_ended(b"the beginning")).await;
        let url = ("url", server.url("/a.txt").into());
        let outcome = place.run(node_type, std::slice::from_ref(&url)).await;
        assert_eq!(
            error(&outcome),
            "the response does not say where it ends, so it may be cut; `open_ended: true` accepts it"
        );
        let outcome = place.run(node_type, &[url, ("open_ended", Value::Bool(true))]).await;
        assert_eq!((outcome.end, &outcome.error), (AttemptEnd::Completed, &None));
        assert_eq!(place.bytes(&outcome, "file"), b"the beginning");
    }
    let server = Server::new(|_, _| open_ended(b"")).await;
    let outcome = place.run("http.request", &[("url", server.url("/").into())]).await;
    assert_eq!(outcome.end, AttemptEnd::Completed, "nothing of no body can be missing: {outcome:?}");
}
