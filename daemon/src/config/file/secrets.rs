//! `[secrets]`: where secrets come from.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::{SpannedError, texts};
use crate::secret::{Source, check_name};

/// Reads the sources of secrets by name.
pub(super) fn sources(value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, Source>, SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        return Err((
            value.span(),
            "`secrets` is a table of sources, such as `token = { env = \"TOKEN\" }` below `[secrets]`"
                .to_owned(),
        ));
    };
    let mut sources = BTreeMap::new();
    for (name, value) in table {
        check_name(name.get_ref()).map_err(|why| (name.span(), why))?;
        sources.insert(name.get_ref().to_string(), source(value)?);
    }
    Ok(sources)
}

fn source(value: &Spanned<DeValue<'_>>) -> Result<Source, SpannedError> {
    // The value may be a secret that was written here by mistake, so it isn't shown.
    let wrong = |span| {
        let forms = "\"file\", \"keyring\", { env = \"NAME\" } or { command = [\"program\", \"argument\"] }";
        (span, format!("the source of a secret is {forms}; `fanlight secrets set` keeps a value"))
    };
    match value.get_ref() {
        DeValue::String(word) if word == "file" => Ok(Source::File),
        DeValue::String(word) if word == "keyring" => Ok(Source::Keyring),
        DeValue::Table(table) if table.len() == 1 => {
            let Some((key, value)) = table.iter().next() else { return Err(wrong(value.span())) };
            match key.get_ref().as_ref() {
                "env" => {
                    let name =
                        value.get_ref().as_str().filter(|name| !name.is_empty() && !name.contains('='));
                    name.map(|name| Source::Env(name.to_owned())).ok_or_else(|| wrong(value.span()))
                }
                "command" => {
                    let words: Vec<String> = texts(value)?.into_iter().map(|(_, text)| text).collect();
                    if words.first().is_none_or(String::is_empty) {
                        return Err(wrong(value.span()));
                    }
                    Ok(Source::Command(words))
                }
                _ => Err(wrong(key.span())),
            }
        }
        _ => Err(wrong(value.span())),
    }
}
