//! HTTP for node types: clients that all of them share, and what they may reach.
//!
//! Addresses of this machine, of private networks and of the link are refused unless the config or the node allows them:
//! a workflow from elsewhere shall not speak to what only this machine can reach. That holds for redirects too, and for
//! names, whatever they resolve to: the addresses that were checked are those that are connected to. A proxy resolves
//! names by itself, so if there is one, names are resolved here too, only to be checked.

mod address;
mod resolver;
#[cfg(test)]
pub(crate) mod server;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fanlight_shared::sanitise;
use reqwest::header::TRANSFER_ENCODING;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, ClientBuilder, Response, Url};

use crate::config::HttpSettings;
use resolver::Filtered;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(20);
/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 10;
/// The largest file of certificates, in bytes.
const MAX_CA_BYTES: u64 = 1 << 20;

/// The clients of a daemon: cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    settings: HttpSettings,
    proxy: Proxy,
    /// Made when they are needed for the first time: most daemons never do.
    clients: [OnceLock<Result<Client, String>>; 9],
}

/// Whether requests may go through a proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Proxy {
    /// They go where the variables of the environment say.
    OfEnvironment { named: bool },
    /// All go through this one.
    #[cfg(test)]
    At(String),
}

impl Default for Proxy {
    fn default() -> Self {
        Self::OfEnvironment { named: resolver::proxy_is_named() }
    }
}

impl Proxy {
    /// Returns whether there may be one.
    fn may_apply(&self) -> bool {
        *self != Self::OfEnvironment { named: false }
    }
}

/// Where a server may redirect a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redirects {
    /// To whatever the client may reach. Only the usual headers with credentials are left out then.
    Anywhere,
    /// To the same scheme, host and port, because the request contains secrets.
    SameOrigin,
    /// Nowhere: the redirect is the response.
    Nowhere,
}

/// The addresses that a client may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Public addresses, and those that the config allows, for a node, which may allow all.
    Public,
    /// The same for a request that no node makes: only the config can allow more.
    Listed,
    /// Everything: the file or the config names the address itself.
    Any,
}

impl Http {
    /// Clients with these settings.
    #[must_use]
    pub fn new(settings: HttpSettings) -> Self {
        Self { inner: Arc::new(Inner { settings, ..Inner::default() }) }
    }

    /// Returns the client that reaches so far. Check the URL of each request with [`Http::check`] first.
    ///
    /// # Errors
    /// A sentence: the file of certificates can't be read.
    pub fn client(&self, reach: Reach, redirects: Redirects) -> Result<Client, String> {
        let settings = &self.inner.settings;
        let [
            public,
            listed,
            any,
            public_origin,
            listed_origin,
            any_origin,
            public_alone,
            listed_alone,
            any_alone,
        ] = &self.inner.clients;
        let slot = match (reach, redirects) {
            (Reach::Public, Redirects::Anywhere) => public,
            (Reach::Listed, Redirects::Anywhere) => listed,
            (Reach::Any, Redirects::Anywhere) => any,
            (Reach::Public, Redirects::SameOrigin) => public_origin,
            (Reach::Listed, Redirects::SameOrigin) => listed_origin,
            (Reach::Any, Redirects::SameOrigin) => any_origin,
            (Reach::Public, Redirects::Nowhere) => public_alone,
            (Reach::Listed, Redirects::Nowhere) => listed_alone,
            (Reach::Any, Redirects::Nowhere) => any_alone,
        };
        slot.get_or_init(|| build(settings, &self.inner.proxy, reach, redirects)).clone()
    }

    /// Reads a URL and checks that it may be asked.
    ///
    /// # Errors
    /// A sentence: it is not a URL, or its address is not allowed.
    pub async fn check(&self, url: &str, reach: Reach) -> Result<Url, String> {
        let shown = || fanlight_shared::value::cut(&sanitise::line(url), 200);
        let url = Url::parse(url).map_err(|error| format!("`{}` is not a URL: {error}", shown()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{}` is not a URL of http or https", shown()));
        }
        let allow = &self.inner.settings.allow;
        check_host(&url, reach, allow)?;
        if self.inner.proxy.may_apply() {
            resolver::check(&url, reach, allow).await?;
        }
        Ok(url)
    }
}

/// Checks the host of a URL where it is an address; a name is checked when it is resolved.
fn check_host(url: &Url, reach: Reach, allow: &[String]) -> Result<(), String> {
    if reach == Reach::Any {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(ip) if !address::is_public(ip) && !is_allowed(bare, allow) => Err(refusal(bare, reach)),
        _ => Ok(()),
    }
}

fn is_allowed(host: &str, allow: &[String]) -> bool {
    let host = host.trim_end_matches('.');
    allow.iter().any(|it| it.trim_end_matches('.').eq_ignore_ascii_case(host))
}

/// Returns the message about an address that may not be reached.
fn refusal(host: &str, reach: Reach) -> String {
    let local = if reach == Reach::Public { "set `local: true` on the node, or " } else { "" };
    format!(
        "`{host}` is this machine or in a private network, which is refused; {local}list it in `allow` below `[http]` in \
         the config"
    )
}

fn build(
    settings: &HttpSettings,
    proxy: &Proxy,
    reach: Reach,
    redirects: Redirects,
) -> Result<Client, String> {
    // A process has one provider; a second one of the same kind changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (allow, proxied) = (settings.allow.clone(), proxy.may_apply());
    let builder = ClientBuilder::new()
        .user_agent(concat!("fanlight/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(Policy::custom(move |attempt| redirect(attempt, reach, &allow, proxied, redirects)));
    #[cfg(test)]
    let builder = match proxy {
        Proxy::At(url) => builder.proxy(reqwest::Proxy::all(url).map_err(|error| error.to_string())?),
        Proxy::OfEnvironment { .. } => builder,
    };
    let builder = match reach {
        Reach::Public | Reach::Listed => {
            builder.dns_resolver(Arc::new(Filtered::new(reach, settings.allow.clone())))
        }
        Reach::Any => builder,
    };
    let builder = match &settings.ca_file {
        Some(path) => builder.tls_certs_merge(certificates(path)?),
        None => builder,
    };
    builder.build().map_err(|error| format!("no HTTP client can be made: {}", sentence(&error)))
}

/// Decides about a redirect. `allow` are the private addresses that may be reached, unless all may. `proxied`: whether a proxy
/// may resolve its name.
fn redirect(
    attempt: Attempt<'_>,
    reach: Reach,
    allow: &[String],
    proxied: bool,
    redirects: Redirects,
) -> reqwest::redirect::Action {
    if redirects == Redirects::Nowhere {
        return attempt.stop();
    }
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error(format!("it was redirected more than {MAX_REDIRECTS} times"));
    }
    let first = attempt.previous().first().map(Url::origin);
    if redirects == Redirects::SameOrigin && first.is_some_and(|first| first != attempt.url().origin()) {
        let why = "it redirects to another server, which the secrets of this request are not sent to";
        return attempt.error(Refused(why.into()));
    }
    let check = || {
        check_host(attempt.url(), reach, allow)?;
        if proxied { resolver::check_now(attempt.url(), reach, allow) } else { Ok(()) }
    };
    match check() {
        Ok(()) => attempt.follow(),
        Err(refusal) => attempt.error(Refused(format!("it redirects to where it may not: {refusal}"))),
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let failed = |why: &dyn std::fmt::Display| format!("`ca_file` {}: {why}", path.display());
    let length = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
    if length > MAX_CA_BYTES {
        return Err(failed(&"it is too large to hold certificates"));
    }
    let pem = std::fs::read(path).map_err(|error| failed(&error))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| failed(&error))?;
    if certificates.is_empty() {
        return Err(failed(&"it holds no certificate in PEM form"));
    }
    Ok(certificates)
}

/// A refusal as the cause of an error, so that it is known among others.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Refused {
    /// Returns whether a request failed because its address is not allowed.
    pub(crate) fn is_cause_of(error: &reqwest::Error) -> bool {
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Checks that a response says where it ends. If it doesn't, it ends with its connection, and nobody can say whether it is
/// whole.
///
/// # Errors
/// A sentence.
pub fn check_ends(response: &Response) -> Result<(), String> {
    if response.content_length().is_some() || response.headers().contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    Err("the response does not say where it ends, so it may be cut".to_owned())
}

/// Returns an error of a request as one sentence: its innermost cause is the most precise.
#[must_use]
pub fn sentence(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let said = fanlight_shared::value::cut(&sanitise::line(&cause.to_string()), 300);
    if error.is_timeout() { format!("it took too long: {said}") } else { said }
}

#[cfg(test)]
mod tests;
