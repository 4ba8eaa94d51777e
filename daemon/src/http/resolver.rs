//! Resolves names into addresses, of which only the allowed ones are used.

use std::net::{SocketAddr, ToSocketAddrs as _};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::{Reach, Refused, address, is_allowed, refusal};

/// The variables that name a proxy, which is where the user said that it is.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Resolves names as the system does, and leaves out what may not be reached.
pub(super) struct Filtered {
    reach: Reach,
    allow: Vec<String>,
}

impl Filtered {
    /// Names in `allow`, and those of proxies, may be anywhere.
    pub(super) fn new(reach: Reach, mut allow: Vec<String>) -> Self {
        let proxies = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
        allow.extend(proxies.filter_map(|proxy| host_of(&proxy)));
        Self { reach, allow }
    }
}

/// Returns whether the environment names a proxy.
pub(super) fn proxy_is_named() -> bool {
    PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|proxy| !proxy.is_empty()))
}

/// Checks what the name in a URL resolves to here, for a request whose proxy resolves it by itself. A name that only the
/// proxy can resolve passes.
///
/// # Errors
/// It is this machine or in a private network, and not allowed.
pub(super) async fn check(url: &Url, reach: Reach, allow: &[String]) -> Result<(), String> {
    let Some(name) = unknown_name(url, reach, allow)? else { return Ok(()) };
    let found = tokio::net::lookup_host((name, 0)).await;
    check_found(name, found.into_iter().flatten(), reach, allow)
}

/// Checks as [`check`] does. Blocks until the name is resolved.
///
/// # Errors
/// As [`check`].
pub(super) fn check_now(url: &Url, reach: Reach, allow: &[String]) -> Result<(), String> {
    let Some(name) = unknown_name(url, reach, allow)? else { return Ok(()) };
    let resolve = || (name, 0).to_socket_addrs();
    // Other tasks of this thread continue on another one.
    let found = match Handle::try_current().map(|it| it.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(resolve),
        _ => resolve(),
    };
    check_found(name, found.into_iter().flatten(), reach, allow)
}

/// Returns the name in a URL that has to be resolved before it is known whether it may be reached.
fn unknown_name<'a>(url: &'a Url, reach: Reach, allow: &[String]) -> Result<Option<&'a str>, String> {
    if reach == Reach::Any {
        return Ok(None);
    }
    let Some(name) = url.domain().filter(|name| !is_allowed(name, allow)) else { return Ok(None) };
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    // Whatever resolves it, it is the machine that does.
    if last.eq_ignore_ascii_case("localhost") { Err(refusal(name, reach)) } else { Ok(Some(name)) }
}

/// Checks all addresses of a name, since the proxy may use any.
pub(super) fn check_found(
    name: &str,
    mut found: impl Iterator<Item = SocketAddr>,
    reach: Reach,
    allow: &[String],
) -> Result<(), String> {
    let may = |it: SocketAddr| address::is_public(it.ip()) || is_allowed(&it.ip().to_string(), allow);
    if found.all(may) { Ok(()) } else { Err(refusal(name, reach)) }
}

/// Returns the host of a proxy, which may be written without a scheme.
fn host_of(proxy: &str) -> Option<String> {
    let url = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    reqwest::Url::parse(&url).ok()?.host_str().map(str::to_owned)
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, reach, allow) = (name.as_str().to_owned(), self.reach, self.allow.clone());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let may = |it: &SocketAddr| {
                address::is_public(it.ip())
                    || is_allowed(&name, &allow)
                    || is_allowed(&it.ip().to_string(), &allow)
            };
            let reachable: Vec<SocketAddr> = found.iter().copied().filter(may).collect();
            if reachable.is_empty() && !found.is_empty() {
                return Err(Refused(refusal(&name, reach)).into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_proxy_is_found_in_every_form() {
        assert_eq!(host_of("http://user:secret@proxy.corp:3128").as_deref(), Some("proxy.corp"));
        assert_eq!(host_of("proxy.corp:3128").as_deref(), Some("proxy.corp"));
        assert_eq!(host_of("::"), None);
    }
}
