//! `models.*`

use std::sync::Arc;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::models::{List, Models, Provider};
use futures_util::future::join_all;
use indexmap::IndexMap;

use super::session::Session;
use crate::config::{KeySource, ProviderSettings, Purpose};
use crate::llm;

/// The most bytes of names in a response.
const MAX_BYTES: usize = 512 << 10;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Models, RpcError> {
    let providers = &session.context.providers;
    if let Some(name) = &list.provider {
        providers.settings(name).map_err(RpcError::not_found)?;
    }
    let wanted = providers.all().filter(|(name, _)| list.provider.as_deref().is_none_or(|it| it == *name));
    let mut rows = join_all(wanted.map(|(name, settings)| row(providers, name, settings))).await;
    let mut room = MAX_BYTES;
    rows.iter_mut().for_each(|row| shorten(row, &mut room));
    Ok(Models { providers: rows })
}

async fn row(providers: &llm::Providers, name: &str, settings: &ProviderSettings) -> Provider {
    let mut row = Provider {
        provider: name.to_owned(),
        kind: settings.kind.word().to_owned(),
        url: settings.url.clone(),
        key_env: match &settings.key {
            Some(KeySource::Variable(name)) => Some(name.clone()),
            Some(KeySource::Secret(_)) | None => None,
        },
        models: settings.models.clone(),
        defaults: defaults(name, settings),
        ..Provider::default()
    };
    let listed = match providers.open(name).await {
        Ok(provider) => {
            row.ready = true;
            llm::models::list(&provider).await
        }
        Err(error) => Err(error),
    };
    match listed {
        Ok(models) => {
            let new = models.into_iter().filter(|model| !settings.models.contains(model));
            row.models.extend(new);
        }
        Err(error) => row.error = Some(error),
    }
    row
}

/// Returns the models that are asked if a node names none, by purpose.
fn defaults(name: &str, settings: &ProviderSettings) -> IndexMap<String, String> {
    let model = |purpose: Purpose| {
        Some((purpose.word().to_owned(), settings.default_model(name, purpose)?.to_owned()))
    };
    Purpose::ALL.into_iter().filter_map(model).collect()
}

/// Leaves out names that a message has no room for.
fn shorten(row: &mut Provider, room: &mut usize) {
    let fits = row.models.iter().take_while(|name| {
        let bytes = name.len() + 4;
        let left = room.checked_sub(bytes);
        *room = left.unwrap_or(*room);
        left.is_some()
    });
    let kept = fits.count();
    row.more = u32::try_from(row.models.len() - kept).unwrap_or(u32::MAX);
    row.models.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_have_no_room_are_counted() {
        let mut row = Provider { models: vec!["a".repeat(100); 10], ..Provider::default() };
        shorten(&mut row, &mut 350);
        assert_eq!((row.models.len(), row.more), (3, 7));
    }
}
