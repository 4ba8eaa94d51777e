//! What a provider makes in the background: ordered by one request, looked at by others, fetched in the end.

use fanlight_shared::sanitise;
use reqwest::{Method, Url};

use super::fetch::Sent;
use super::send::read;
use super::{AskError, Asker};
use crate::file_error::FileError;
use crate::http::check_ends;
use crate::llm::Provider;
use crate::llm::reply::Usage;
use crate::node_type::http::Body;
use crate::node_type::retry::Failure;

/// The longest response about an order, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// A path that takes an order back.
pub(in crate::node_type::llm) struct Withdrawal {
    provider: Provider,
    path: String,
}

impl Withdrawal {
    /// Takes the order back.
    ///
    /// # Errors
    /// A sentence: the provider can't be reached, or refuses.
    pub(in crate::node_type::llm) async fn send(self) -> Result<(), String> {
        let request = self.provider.request(Method::DELETE, &self.path)?;
        let response = request.send().await.map_err(|error| crate::http::sentence(&error))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

impl Asker {
    /// Orders something. Nothing of it is charged yet.
    ///
    /// # Errors
    /// The provider refuses, has trouble for too long, or sends something else.
    pub(in crate::node_type::llm) async fn order<T>(
        &mut self,
        path: &str,
        sent: &Sent,
        take: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, FileError> {
        let mut tries = self.begin().await;
        loop {
            match self.ordered(path, Some(sent), &take, tries.number).await {
                Ok(taken) => return Ok(taken),
                Err(trouble) => self.again(&mut tries, trouble).await?,
            }
        }
    }

    /// Looks at what was ordered.
    ///
    /// # Errors
    /// The provider refuses, has trouble for too long, or sends something else.
    pub(in crate::node_type::llm) async fn look<T>(
        &mut self,
        path: &str,
        take: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, FileError> {
        let mut tries = self.begin().await;
        loop {
            match self.ordered(path, None, &take, tries.number).await {
                Ok(taken) => return Ok(taken),
                Err(trouble) => self.again(&mut tries, trouble).await?,
            }
        }
    }

    async fn ordered<T>(
        &self,
        path: &str,
        sent: Option<&Sent>,
        take: &impl Fn(&[u8]) -> Result<T, String>,
        number: usize,
    ) -> Result<T, AskError> {
        let request = match sent {
            Some(Sent::Json(body)) => self.provider.post(path, body)?,
            Some(Sent::Form(form)) => self.provider.post_form(path, form)?,
            None => self.provider.request(Method::GET, path)?,
        };
        let response = self.send(request, number).await?;
        // An order may have been taken, so it is not sent again; a look may be.
        let body = match (read(response, MAX_BODY_BYTES).await, sent) {
            (Ok(body), _) => body,
            (Err(why), Some(_)) => return Err(why.into()),
            (Err(why), None) => return Err(Failure::Again(why, None).into()),
        };
        Ok(take(&body)?)
    }

    /// Fetches what was made.
    ///
    /// # Errors
    /// The provider refuses or has trouble for too long; it has more than `limit` bytes.
    pub(in crate::node_type::llm) async fn receive(
        &mut self,
        path: &str,
        limit: u64,
    ) -> Result<Body, FileError> {
        let mut tries = self.begin().await;
        loop {
            match self.received(path, limit, tries.number).await {
                Ok(body) => return Ok(body),
                Err(trouble) => self.again(&mut tries, trouble).await?,
            }
        }
    }

    async fn received(&self, path: &str, limit: u64, number: usize) -> Result<Body, AskError> {
        let response = self.send(self.provider.request(Method::GET, path)?, number).await?;
        check_ends(&response)?;
        let services = self.services.clone();
        let create = move || {
            let folder = services.scratch().map_err(|error| FileError::of("no scratch folder", &error))?;
            Body::create(&folder.join("received"), limit)
        };
        let mut body = self.services.blocking(create).await?;
        body.take(&self.services, response, true).await?;
        Ok(body)
    }

    /// Returns words of the provider, safe to show.
    pub(in crate::node_type::llm) fn shown(&self, text: &str) -> String {
        self.provider.shown(text)
    }

    /// Counts what was made, which the provider charges.
    pub(in crate::node_type::llm) fn charge(&self, usage: Usage) {
        let mut meter = self.meter(true);
        meter.charged = true;
        meter.usage = usage;
    }

    /// Returns what takes an order back.
    pub(in crate::node_type::llm) fn withdrawal(&self, path: &str) -> Withdrawal {
        Withdrawal { provider: self.provider.clone(), path: path.to_owned() }
    }
}

/// Returns a path with an id of the provider as its last part.
///
/// # Errors
/// A sentence: it can't be a part of a path.
pub(in crate::node_type::llm) fn path_of(path: &str, id: &str) -> Result<String, String> {
    let wrong = || format!("the provider sent the id `{}`, which can't be used", sanitise::line(id));
    let mut url = Url::parse("http://localhost").map_err(|_| wrong())?;
    url.path_segments_mut().map_err(|()| wrong())?.push(id);
    match url.path().strip_prefix('/') {
        Some(part) if !part.is_empty() && part.len() <= 2000 => Ok(format!("{path}/{part}")),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_provider_stays_one_part_of_a_path() {
        assert_eq!(path_of("/videos", "video_1").as_deref(), Ok("/videos/video_1"));
        assert_eq!(path_of("/videos", "a/../b?c#d").as_deref(), Ok("/videos/a%2F..%2Fb%3Fc%23d"));
        for id in ["", ".", ".."] {
            assert!(path_of("/videos", id).is_err(), "{id}");
        }
    }
}
