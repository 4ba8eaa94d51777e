use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::server::{Server, answer};
use super::*;

fn allowing(allow: &[&str]) -> Http {
    Http::new(HttpSettings { allow: allow.iter().map(ToString::to_string).collect(), ca_file: None })
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_unless_it_is_allowed() {
    let http = allowing(&["127.0.0.2", "::1"]);
    for refused in [
        "http://127.0.0.1/",
        "http://[fe80::1]/",
        "https://10.0.0.1:8443/x",
        "http://0x7f.1/",
        "http://2130706433/",
    ] {
        let error = http.check(refused, Reach::Public).await.unwrap_err();
        assert!(error.contains("set `local: true`"), "{refused}: {error}");
        let error = http.check(refused, Reach::Listed).await.unwrap_err();
        assert!(error.ends_with("refused; list it in `allow` below `[http]` in the config"), "{error}");
        assert!(http.check(refused, Reach::Any).await.is_ok(), "{refused}");
    }
    for good in ["http://127.0.0.2:80/", "http://[::1]/", "https://example.org/", "http://1.1.1.1/"] {
        assert!(http.check(good, Reach::Public).await.is_ok(), "{good}");
    }
    for bad in ["example.org", "file:///etc/passwd", "http://", "ftp://example.org/"] {
        assert!(http.check(bad, Reach::Any).await.unwrap_err().contains("not a URL"), "{bad}");
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let http = Http::default();
    let url = http.check("http://localhost/", Reach::Public).await.unwrap();
    let error = http.client(Reach::Public, Redirects::Anywhere).unwrap().get(url).send().await.unwrap_err();
    assert!(Refused::is_cause_of(&error), "{error:?}");
    assert!(sentence(&error).starts_with("`localhost` is this machine"), "{}", sentence(&error));
    // Nothing that no node asks for speaks of a node.
    let url = http.check("http://localhost/", Reach::Listed).await.unwrap();
    let error = http.client(Reach::Listed, Redirects::SameOrigin).unwrap().get(url).send().await.unwrap_err();
    assert!(sentence(&error).ends_with("refused; list it in `allow` below `[http]` in the config"));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let http = allowing(&["127.0.0.1"]);
    for target in ["http://127.0.0.2:9/", "http://[::1]:9/", "http://169.254.169.254/latest"] {
        let location = format!("Location: {target}\r\n");
        let server = Server::new(move |_, _| answer("302 Found", &location, b"")).await;
        let url = http.check(&server.url("/"), Reach::Public).await.unwrap();
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

/// A file of the certificates for tests: `server.pem` is `localhost`, and its authority is `ca.pem`.
fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// Starts a server with TLS that answers each connection with `hello`. Returns its port.
fn serve_tls() -> u16 {
    let chain = CertificateDer::pem_file_iter(certificate("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificate("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain.map(Result::unwrap).collect(), key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
            // A client that does not trust it hangs up.
            if tls.read(&mut [0; 4096]).is_ok() {
                let _ =
                    tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    port
}

#[tokio::test]
async fn a_server_whose_authority_is_in_the_ca_file_is_trusted() {
    let url = format!("https://localhost:{}/", serve_tls());
    let ask = async |ca_file| {
        let http = Http::new(HttpSettings { allow: vec!["localhost".into()], ca_file });
        let client = http.client(Reach::Public, Redirects::Anywhere).unwrap();
        client.get(http.check(&url, Reach::Public).await.unwrap()).send().await
    };
    assert_eq!(ask(Some(certificate("ca.pem"))).await.unwrap().text().await.unwrap(), "hello");
    let error = sentence(&ask(None).await.unwrap_err());
    assert!(error.contains("certificate"), "{error}");
}

/// Clients whose requests go through this server.
fn through(proxy: &Server, allow: &[&str]) -> Http {
    let settings = HttpSettings { allow: allow.iter().map(ToString::to_string).collect(), ca_file: None };
    let inner = Inner { settings, proxy: Proxy::At(proxy.url("/")), ..Inner::default() };
    Http { inner: Arc::new(inner) }
}

#[tokio::test]
async fn a_proxy_is_not_asked_for_what_is_private() {
    let proxy = Server::new(|_, _| answer("200 OK", "", b"")).await;
    let http = through(&proxy, &["127.0.0.1", "::1", "printer.localhost"]);
    for refused in ["http://localhost:8901/", "http://a.LocalHost./x", "https://localhost/"] {
        let error = http.check(refused, Reach::Public).await.unwrap_err();
        assert!(error.contains("is this machine or in a private network"), "{refused}: {error}");
        assert!(http.check(refused, Reach::Any).await.is_ok(), "{refused}");
    }
    let url = http.check("http://printer.localhost/", Reach::Public).await.unwrap();
    http.client(Reach::Public, Redirects::Anywhere).unwrap().get(url).send().await.unwrap();
    assert!(proxy.requests()[0].starts_with("GET http://printer.localhost/ HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_redirect_through_a_proxy_to_what_is_private_is_not_followed() {
    let proxy = Server::new(|_, _| answer("302 Found", "Location: http://localhost:8901/\r\n", b"")).await;
    let http = through(&proxy, &[]);
    let url = http.check("http://1.1.1.1/", Reach::Public).await.unwrap();
    let error = http.client(Reach::Public, Redirects::Anywhere).unwrap().get(url).send().await.unwrap_err();
    assert!(Refused::is_cause_of(&error), "{error:?}");
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_name_may_not_have_a_private_address_that_a_proxy_could_use() {
    let found = |addresses: &[&str], allow: &[&str]| {
        let addresses = addresses.iter().map(|it| it.parse().unwrap());
        let allow: Vec<String> = allow.iter().map(ToString::to_string).collect();
        resolver::check_found("intern.example.org", addresses, Reach::Public, &allow)
    };
    assert!(found(&["1.1.1.1:0", "10.0.0.1:0"], &[]).unwrap_err().contains("`intern.example.org` is"));
    assert_eq!(found(&["1.1.1.1:0", "10.0.0.1:0"], &["10.0.0.1"]), Ok(()));
    assert_eq!(found(&["1.1.1.1:0"], &[]), Ok(()));
    assert_eq!(found(&[], &[]), Ok(()), "only the proxy knows it");
}
