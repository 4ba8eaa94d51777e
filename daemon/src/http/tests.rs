use super::server::{Server, answer};
use super::*;

fn allowing(allow: &[&str]) -> Http {
    Http::new(HttpSettings { allow: allow.iter().map(ToString::to_string).collect(), ca_file: None })
}

#[test]
fn an_address_that_is_not_public_is_refused_unless_it_is_allowed() {
    let http = allowing(&["127.0.0.2", "::1"]);
    for refused in [
        "http://127.0.0.1/",
        "http://[fe80::1]/",
        "https://10.0.0.1:8443/x",
        "http://0x7f.1/",
        "http://2130706433/",
    ] {
        let error = http.check(refused, Reach::Public).unwrap_err();
        assert!(error.contains("set `local: true`"), "{refused}: {error}");
        assert!(http.check(refused, Reach::Any).is_ok(), "{refused}");
    }
    for good in ["http://127.0.0.2:80/", "http://[::1]/", "https://example.org/", "http://1.1.1.1/"] {
        assert!(http.check(good, Reach::Public).is_ok(), "{good}");
    }
    for bad in ["example.org", "file:///etc/passwd", "http://", "ftp://example.org/"] {
        assert!(http.check(bad, Reach::Any).unwrap_err().contains("not a URL"), "{bad}");
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let http = Http::default();
    let url = http.check("http://localhost/", Reach::Public).unwrap();
    let error = http.client(Reach::Public, Redirects::Anywhere).unwrap().get(url).send().await.unwrap_err();
    assert!(Refused::is_cause_of(&error), "{error:?}");
    assert!(sentence(&error).starts_with("`localhost` is this machine"), "{}", sentence(&error));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let http = allowing(&["127.0.0.1"]);
    for target in ["http://127.0.0.2:9/", "http://[::1]:9/", "http://169.254.169.254/latest"] {
        let location = format!("Location: {target}\r\n");
        let server = Server::new(move |_, _| answer("302 Found", &location, b"")).await;
        let url = http.check(&server.url("/"), Reach::Public).unwrap();
        let error =
            http.client(Reach::Public, Redirects::Anywhere).unwrap().get(url).send().await.unwrap_err();
        assert!(Refused::is_cause_of(&error), "{target}: {error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_certificate_file_without_certificates_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let http = Http::new(HttpSettings { allow: Vec::new(), ca_file: Some(file.path().to_owned()) });
    let error = http.client(Reach::Public, Redirects::Anywhere).unwrap_err();
    assert!(error.contains("`ca_file`") && error.contains("no certificate"), "{error}");
}
