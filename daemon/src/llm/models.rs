//! The names of a provider's models, as its endpoint lists them.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value as Json;

use super::Provider;
use crate::config::ProviderKind;
use crate::http;

/// How long a provider may take to list its models.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest list, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// Asks a provider for its models.
///
/// # Errors
/// A sentence: it can't be reached, refuses, or sends something else.
pub(crate) async fn list(provider: &Provider) -> Result<Vec<String>, String> {
    if provider.settings.kind == ProviderKind::Offline {
        return Ok(vec!["offline".to_owned()]);
    }
    match tokio::time::timeout(TIMEOUT, ask(provider)).await {
        Ok(models) => models,
        Err(_) => Err(format!("it did not answer within {} s", TIMEOUT.as_secs())),
    }
}

async fn ask(provider: &Provider) -> Result<Vec<String>, String> {
    let path = match provider.settings.kind {
        ProviderKind::Anthropic => "/models?limit=1000",
        ProviderKind::Gemini => "/models?pageSize=1000",
        ProviderKind::OpenAi | ProviderKind::Offline => "/models",
        ProviderKind::Comfy => "/models/checkpoints",
    };
    let unreachable = |error: &reqwest::Error| {
        format!("{} can't be reached: {}", provider.settings.url, http::sentence(error))
    };
    let mut response =
        provider.request(Method::GET, path)?.send().await.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(format!("its list has more than {} MiB", MAX_BYTES >> 20));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(format!("it answered {status}: {}", provider.error_in(&body)));
    }
    let json: Json =
        serde_json::from_slice(&body).map_err(|error| format!("its list is not JSON: {error}"))?;
    let mut names = names(&json).ok_or("its list is not a list of models")?;
    names.sort();
    names.dedup();
    Ok(names)
}

/// Reads a list: of OpenAI and Anthropic, of Gemini, or of ComfyUI.
fn names(json: &Json) -> Option<Vec<String>> {
    let list = json.get("data").or_else(|| json.get("models")).unwrap_or(json).as_array()?;
    let name = |one: &Json| {
        let name = one["id"].as_str().or_else(|| one["name"].as_str()).or_else(|| one.as_str())?;
        Some(fanlight_shared::sanitise::line(name.strip_prefix("models/").unwrap_or(name)))
    };
    Some(list.iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_list_is_read() {
        assert_eq!(
            names(&json!({"object": "list", "data": [{"id": "a"}, {"id": "b"}]})).unwrap(),
            ["a", "b"]
        );
        assert_eq!(names(&json!({"models": [{"name": "models/gemini-x"}]})).unwrap(), ["gemini-x"]);
        assert_eq!(names(&json!([{"id": "together"}])).unwrap(), ["together"]);
        assert_eq!(names(&json!(["sd15.safetensors"])).unwrap(), ["sd15.safetensors"]);
        assert_eq!(names(&json!({"error": "no"})), None);
    }
}
