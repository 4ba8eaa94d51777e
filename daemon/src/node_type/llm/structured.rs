//! Answers in JSON: checked against a schema, with one request for a correction.

use std::sync::Arc;

use fanlight_shared::value::json;
use serde_json::Value as Json;

use super::ask::Asker;
use crate::file_error::FileError;
use crate::json_schema;
use crate::llm::chat::{Chat, Role, Turn};
use crate::services::{DaemonServices, Level};

/// How many errors a request for a correction lists.
const MAX_ERRORS: usize = 20;

/// A check of an answer that no schema says.
type Check = dyn Fn(&Json) -> Result<(), String> + Send + Sync;

/// What an answer must be.
pub(super) struct Wanted {
    schema: Json,
    check: Arc<Check>,
}

/// An answer in JSON.
pub(super) struct Answer {
    pub(super) json: Json,
    pub(super) text: String,
    pub(super) reasoning: String,
}

impl Wanted {
    /// Returns an answer that fits a schema.
    pub(super) fn new(schema: Json) -> Self {
        Self { schema, check: Arc::new(|_| Ok(())) }
    }

    /// Returns an answer that also passes this check.
    pub(super) fn also(self, check: impl Fn(&Json) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { check: Arc::new(check), ..self }
    }
}

/// Asks for an answer in JSON, and once more if it does not fit.
///
/// # Errors
/// The schema can't be used, the request fails, or neither the answer nor its correction fits.
pub(super) async fn ask(asker: &mut Asker, mut chat: Chat, wanted: Wanted) -> Result<Answer, FileError> {
    let services = asker.services.clone();
    let schema = wanted.schema.clone();
    // A schema that is wrong costs no request.
    let check = move || match json_schema::compile(&schema) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("input `schema`: {error}").into()),
    };
    services.blocking(check).await?;
    chat.schema = Some(wanted.schema.clone());
    let reply = asker.ask(&chat).await?;
    let wrong = match fit(&services, &reply.text, &wanted).await? {
        Ok(json) => return Ok(Answer { json, text: reply.text, reasoning: reply.reasoning }),
        Err(wrong) => wrong,
    };
    let sentence = json_schema::sentence(&wrong).unwrap_or_default();
    services
        .log(Level::Warn, &format!("the answer does not fit the schema: {sentence}; asks for a correction"));
    services.progress(None, Some("asks for a correction"));
    let said = if reply.text.trim().is_empty() { "(nothing)".to_owned() } else { reply.text };
    let list: Vec<String> = wrong.iter().take(MAX_ERRORS).map(|error| format!("- {error}")).collect();
    chat.turns.push(Turn::new(Role::Assistant, said));
    chat.turns.push(Turn::new(
        Role::User,
        format!(
            "This answer does not fit the JSON Schema:\n{}\nAnswer again with the corrected JSON only.",
            list.join("\n")
        ),
    ));
    let reply = asker.ask(&chat).await?;
    match fit(&services, &reply.text, &wanted).await? {
        Ok(json) => Ok(Answer { json, text: reply.text, reasoning: reply.reasoning }),
        Err(wrong) => {
            let sentence = json_schema::sentence(&wrong).unwrap_or_default();
            Err(format!("neither the answer nor its correction fits the schema: {sentence}").into())
        }
    }
}

/// Reads an answer, and returns what is wrong with it.
async fn fit(
    services: &DaemonServices,
    text: &str,
    wanted: &Wanted,
) -> Result<Result<Json, Vec<String>>, FileError> {
    let (text, schema, more) = (text.to_owned(), wanted.schema.clone(), Arc::clone(&wanted.check));
    let check = move || -> Result<Result<Json, Vec<String>>, FileError> {
        let json = match read(bare(&text)) {
            Ok(json) => json,
            Err(error) => return Ok(Err(vec![error])),
        };
        let validator = json_schema::compile(&schema)?;
        let mut errors = json_schema::errors(&json, &validator);
        if errors.is_empty() {
            errors.extend(more(&json).err());
        }
        Ok(if errors.is_empty() { Ok(json) } else { Err(errors) })
    };
    services.blocking(check).await
}

/// Reads JSON whose whole numbers are kept exactly.
fn read(text: &str) -> Result<Json, String> {
    let json = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    json::check_whole_numbers(text).map_err(|error| error.to_string())?;
    Ok(json)
}

/// Returns an answer without the fence that models put around code.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    // The first line may name the language.
    inner.split_once('\n').map_or(inner, |(language, rest)| {
        if language.trim().chars().all(char::is_alphanumeric) { rest } else { inner }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_around_json_is_removed() {
        for (text, expected) in [
            (" {\"a\": 1}\n", "{\"a\": 1}"),
            ("```json\n{}\n```", "{}\n"),
            ("```\n[1]\n```\n", "[1]\n"),
            ("```{}```", "{}"),
            ("Here: ```json\n{}\n```", "Here: ```json\n{}\n```"),
        ] {
            assert_eq!(bare(text), expected, "{text}");
        }
    }
}
