//! Embeddings.

use serde_json::Value as Json;

use super::send::read;
use super::{AskError, Asker};
use crate::config::ProviderKind;
use crate::llm::{gemini, offline, openai};

/// The longest response, in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;

impl Asker {
    /// Asks once.
    pub(super) async fn embeddings(
        &self,
        texts: &[String],
        number: usize,
    ) -> Result<Vec<Vec<f64>>, AskError> {
        let mut meter = self.meter(false);
        let (path, body) = match self.provider.settings.kind {
            ProviderKind::Offline => {
                let words = texts.iter().map(|text| text.split_whitespace().count() as u64);
                meter.usage.input = words.sum();
                return Ok(texts.iter().map(|text| offline::embedding(text)).collect());
            }
            ProviderKind::Anthropic => return Err("Anthropic has no models for embeddings".into()),
            ProviderKind::Gemini => {
                (gemini::embeddings_path(&self.model), gemini::embeddings_body(&self.model, texts))
            }
            ProviderKind::OpenAi | ProviderKind::Comfy => {
                (openai::EMBEDDINGS.to_owned(), openai::embeddings_body(&self.model, texts))
            }
        };
        let response = self.send(self.provider.post(&path, &body)?, number).await?;
        // From here on it is charged, so it is not asked for again.
        meter.charged = true;
        let body = read(response, MAX_BODY_BYTES).await?;
        if body.len() >= MAX_BODY_BYTES {
            return Err(format!(
                "the response has more than {} MiB; send fewer texts at once",
                MAX_BODY_BYTES >> 20
            )
            .into());
        }
        let json: Json =
            serde_json::from_slice(&body).map_err(|error| format!("the response is not JSON: {error}"))?;
        let (vectors, usage) = match self.provider.settings.kind {
            ProviderKind::Gemini => gemini::embeddings(&json)?,
            _ => openai::embeddings(&json)?,
        };
        meter.usage = usage;
        Ok(in_order(vectors, texts.len())?)
    }
}

/// Puts embeddings into the order of their texts.
fn in_order(vectors: Vec<(usize, Vec<f64>)>, count: usize) -> Result<Vec<Vec<f64>>, String> {
    let mut slots: Vec<Option<Vec<f64>>> = vec![None; count];
    let received = vectors.len();
    for (index, vector) in vectors {
        if let Some(slot) = slots.get_mut(index) {
            *slot = Some(vector);
        }
    }
    let wrong = || format!("the provider sent {received} embeddings for {count} texts, not one for each");
    let all: Option<Vec<_>> = if received == count { slots.into_iter().collect() } else { None };
    let all = all.ok_or_else(wrong)?;
    let length = all.first().map_or(0, Vec::len);
    if length == 0 && count > 0 || all.iter().any(|it| it.len() != length) {
        return Err("the provider sent embeddings of different lengths, or empty ones".to_owned());
    }
    Ok(all)
}
