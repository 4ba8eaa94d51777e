//! Downloads that break off, and what servers send in place of the file.

use super::*;

/// The bytes of a file that is served in parts.
fn long() -> Vec<u8> {
    (0..600_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[tokio::test]
async fn an_interrupted_download_is_resumed() {
    let place = Place::new();
    let server = Server::new(|number, request| {
        let bytes = long();
        let begin = request
            .lines()
            .find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match (number, begin) {
            (0, None) => {
                let head =
                    format!("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {}\r\n\r\n", bytes.len());
                vec![Step::Write(head.into()), Step::Write(bytes[..1_000_000].to_vec())]
            }
            (1, Some(begin)) => {
                let rest = &bytes[begin..];
                let range = format!(
                    "ETag: \"v1\"\r\nContent-Range: bytes {begin}-{}/{}\r\n",
                    bytes.len() - 1,
                    bytes.len()
                );
                answer("206 Partial Content", &range, rest)
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
    let outcome = place.run("http.download", &[("url", server.url("/files/long.bin?x=1").into())]).await;
    assert_eq!((outcome.end, &outcome.error), (AttemptEnd::Completed, &None));
    assert!(place.bytes(&outcome, "file") == long());
    assert_eq!(outcome.values["file"].as_media().unwrap().name, "long.bin");
    let again = server.requests().remove(1);
    assert!(again.contains("if-range: \"v1\"\r\n"), "{again}");
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_downloaded_from_the_start() {
    let place = Place::new();
    let server = Server::new(|number, _| match number {
        0 => {
            let head = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2000\r\n\r\n";
            vec![Step::Write(head.into()), Step::Write(vec![b'a'; 1500])]
        }
        // A request for the rest of another version gets all of this one.
        _ => answer("200 OK", "ETag: \"v2\"\r\n", &[b'b'; 1000]),
    })
    .await;
    let outcome = place.run("http.download", &[("url", server.url("/").into())]).await;
    assert_eq!((outcome.end, &outcome.error), (AttemptEnd::Completed, &None));
    assert!(place.bytes(&outcome, "file") == vec![b'b'; 1000]);
}

/// Returns an answer that breaks off: 1,500 of 2,000 bytes, all of them `a`.
fn breaks_off(headers: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 2000\r\n\r\n");
    vec![Step::Write(head.into()), Step::Write(vec![b'a'; 1500])]
}

#[tokio::test]
async fn a_server_that_ignores_the_condition_makes_no_file_of_two_versions() {
    let place = Place::new();
    for (before, after) in [
        ("ETag: \"v1\"\r\n", "ETag: \"v2\"\r\nContent-Range: bytes 1500-1999/2000\r\n"),
        ("ETag: \"v1\"\r\n", "ETag: \"v1\"\r\nContent-Range: bytes 1500-1999/2001\r\n"),
        ("ETag: \"v1\"\r\n", "ETag: \"v1\"\r\nContent-Range: bytes 1400-1899/2000\r\n"),
        ("ETag: \"v1\"\r\n", "Content-Range: bytes 1500-1999/2000\r\n"),
    ] {
        let server = Server::new(move |number, _| match number {
            0 => breaks_off(before),
            1 => answer("206 Partial Content", after, &[b'b'; 500]),
            _ => answer("200 OK", "ETag: \"v2\"\r\n", &[b'b'; 2000]),
        })
        .await;
        let outcome = place.run("http.download", &[("url", server.url("/").into())]).await;
        assert_eq!((outcome.end, &outcome.error), (AttemptEnd::Completed, &None), "{after}");
        assert!(place.bytes(&outcome, "file") == vec![b'b'; 2000], "{after}");
    }
}

#[tokio::test]
async fn a_server_that_sends_less_than_the_rest_is_asked_for_more() {
    let place = Place::new();
    let server = Server::new(|number, _| match number {
        0 => breaks_off("ETag: \"v1\"\r\n"),
        1 => answer(
            "206 Partial Content",
            "ETag: \"v1\"\r\nContent-Range: bytes 1500-1699/2000\r\n",
            &[b'a'; 200],
        ),
        _ => answer(
            "206 Partial Content",
            "ETag: \"v1\"\r\nContent-Range: bytes 1700-1999/2000\r\n",
            &[b'a'; 300],
        ),
    })
    .await;
    let outcome = place.run("http.download", &[("url", server.url("/").into())]).await;
    assert_eq!((outcome.end, &outcome.error), (AttemptEnd::Completed, &None));
    assert!(place.bytes(&outcome, "file") == vec![b'a'; 2000]);
}

#[tokio::test]
async fn a_version_that_may_be_that_of_other_bytes_too_is_not_continued() {
    let place = Place::new();
    let date = "Date: Fri, 27 Nov 2026 12:00:00 GMT\r\n";
    for (headers, resumes) in [
        (format!("{date}Last-Modified: Fri, 27 Nov 2026 11:00:00 GMT\r\n"), true),
        (format!("{date}Last-Modified: Fri, 27 Nov 2026 12:00:00 GMT\r\n"), false),
        (format!("{date}ETag: W/\"1\"\r\nLast-Modified: Fri, 27 Nov 2026 11:00:00 GMT\r\n"), false),
        (String::new(), false),
    ] {
        let first = headers.clone();
        let server = Server::new(move |number, request| match number {
            0 => breaks_off(&first),
            _ if request.contains("range: ") => {
                answer("206 Partial Content", "Content-Range: bytes 1500-1999/2000\r\n", &[b'a'; 500])
            }
            _ => answer("200 OK", "", &[b'a'; 2000]),
        })
        .await;
        let outcome = place.run("http.download", &[("url", server.url("/").into())]).await;
        assert!(place.bytes(&outcome, "file") == vec![b'a'; 2000]);
        assert_eq!(server.requests()[1].contains("if-range: "), resumes, "{headers}");
    }
}

#[tokio::test]
async fn what_comes_in_place_of_the_file_is_not_taken_for_it() {
    let place = Place::new();
    for status in ["202 Accepted", "204 No Content", "206 Partial Content", "304 Not Modified"] {
        let server = Server::new(move |_, _| answer(status, "", b"")).await;
        let outcome = place.run("http.download", &[("url", server.url("/").into())]).await;
        assert_eq!(error(&outcome), format!("the server answered {status}"));
    }
}
