//! Resolves names into addresses, of which only the allowed ones are used.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Refused, address, is_allowed, refusal};

/// The variables that name a proxy, which is where the user said that it is.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Resolves names as the system does, and leaves out what may not be reached.
pub(super) struct Filtered {
    allow: Vec<String>,
}

impl Filtered {
    /// Names in `allow`, and those of proxies, may be anywhere.
    pub(super) fn new(mut allow: Vec<String>) -> Self {
        let proxies = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
        allow.extend(proxies.filter_map(|proxy| host_of(&proxy)));
        Self { allow }
    }
}

/// Returns the host of a proxy, which may be written without a scheme.
fn host_of(proxy: &str) -> Option<String> {
    let url = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    reqwest::Url::parse(&url).ok()?.host_str().map(str::to_owned)
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, allow) = (name.as_str().to_owned(), self.allow.clone());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let may = |it: &SocketAddr| {
                address::is_public(it.ip())
                    || is_allowed(&name, &allow)
                    || is_allowed(&it.ip().to_string(), &allow)
            };
            let reachable: Vec<SocketAddr> = found.iter().copied().filter(may).collect();
            if reachable.is_empty() && !found.is_empty() {
                return Err(Refused(refusal(&name)).into());
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
