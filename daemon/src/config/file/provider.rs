//! Reads `[provider.NAME]`.

use std::collections::BTreeMap;

use fanlight_shared::document::{is_name, is_secret_name};
use fanlight_shared::problem::near;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{SpannedError, integer, texts, unknown_key};
use crate::config::{KeySource, Price, ProviderKind, ProviderSettings, Structured};

const KEYS: [&str; 10] = [
    "kind",
    "url",
    "urls",
    "key",
    "key_env",
    "models",
    "concurrent",
    "requests_per_minute",
    "prices",
    "structured",
];
const PRICE_KEYS: [&str; 4] = ["input", "output", "cached_input", "up_to"];

/// Reads the providers of the config on top of those that are known by name.
pub(super) fn providers(
    value: &Spanned<DeValue<'_>>,
    known: &mut BTreeMap<String, ProviderSettings>,
) -> Result<(), SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        let wrong = "`provider` is a table of tables, such as `key_env = \"OPENAI_API_KEY\"` below `[provider.openai]`";
        return Err((value.span(), wrong.to_owned()));
    };
    for (name, value) in table {
        let settings = provider(name, value)?;
        known.insert(name.get_ref().to_string(), settings);
    }
    Ok(())
}

fn provider(
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<ProviderSettings, SpannedError> {
    if !is_name(name.get_ref()) {
        let wrong = format!(
            "`{}` can't be the name of a provider: only lowercase letters, digits and `_`",
            name.get_ref()
        );
        return Err((name.span(), wrong));
    }
    let Some(table) = value.get_ref().as_table() else {
        return Err((value.span(), format!("`provider.{}` is a table", name.get_ref())));
    };
    let known = ProviderSettings::built_in(name.get_ref());
    let kind = find(table, "kind").map(|value| word(value, &ProviderKind::WORDS)).transpose()?;
    let mut urls = match find(table, "urls") {
        Some(value) => urls(table, kind.or(known.as_ref().map(|it| it.kind)), value)?,
        None => find(table, "url").map(url).transpose()?.into_iter().collect(),
    }
    .into_iter();
    let url = urls.next();
    let mut settings = match (known, kind, &url) {
        (Some(known), kind, _) if kind.is_none_or(|kind| kind == known.kind) => known,
        (_, Some(ProviderKind::Offline), _) => ProviderSettings::new(ProviderKind::Offline, ""),
        (_, kind, Some(url)) => ProviderSettings::new(kind.unwrap_or(ProviderKind::OpenAi), url),
        (_, _, None) => {
            let wrong = format!(
                "the provider `{}` has no `url`, such as \"http://localhost:8000/v1\"",
                name.get_ref()
            );
            return Err((name.span(), wrong));
        }
    };
    if let Some(url) = url {
        settings.is_original &= settings.url == url;
        settings.url = url;
        settings.more_urls = urls.collect();
        if settings.kind == ProviderKind::Comfy {
            settings.concurrent = u32::try_from(settings.urls().count()).ok();
        }
    }
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "kind" | "url" | "urls" => {}
            "key" if find(table, "key_env").is_some() => {
                return Err((key.span(), "`key` and `key_env` are both given".to_owned()));
            }
            "key" => settings.key = Some(KeySource::Secret(secret(value)?)),
            "key_env" => settings.key = variable(value)?.map(KeySource::Variable),
            "models" => settings.models = texts(value)?.into_iter().map(|(_, text)| text).collect(),
            "concurrent" => settings.concurrent = Some(integer(value, 1)?),
            "requests_per_minute" => settings.requests_per_minute = Some(integer(value, 1)?),
            "prices" => settings.prices = prices(value)?,
            "structured" => settings.structured = word(value, &Structured::WORDS)?,
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
    }
    Ok(settings)
}

pub(super) fn find<'a, 'de>(table: &'a DeTable<'de>, key: &str) -> Option<&'a Spanned<DeValue<'de>>> {
    table.iter().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value)
}

fn word<T: Copy>(value: &Spanned<DeValue<'_>>, words: &[(&str, T)]) -> Result<T, SpannedError> {
    let text = value.get_ref().as_str().unwrap_or_default();
    if let Some((_, known)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*known);
    }
    let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let hint = near(text, all.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    Err((value.span(), format!("expected one of {}{}", all.join(", "), hint.unwrap_or_default())))
}

pub(super) fn url(value: &Spanned<DeValue<'_>>) -> Result<String, SpannedError> {
    let url = value.get_ref().as_str().map(|url| url.trim_end_matches('/'));
    let good = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
    let wrong =
        || (value.span(), "`url` is a URL of http or https, such as \"http://localhost:8000/v1\"".to_owned());
    url.filter(good).map(str::to_owned).ok_or_else(wrong)
}

/// Reads the URLs of several servers of one provider.
fn urls(
    table: &DeTable<'_>,
    kind: Option<ProviderKind>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<String>, SpannedError> {
    let wrong = |what: &str| (value.span(), what.to_owned());
    if kind != Some(ProviderKind::Comfy) {
        return Err(wrong("only a provider of `kind = \"comfy\"` has several servers; give its `url`"));
    }
    if find(table, "url").is_some() {
        return Err(wrong("`url` and `urls` are both given"));
    }
    let list = value.get_ref().as_array().filter(|list| !list.is_empty());
    let list =
        list.ok_or_else(|| wrong("`urls` is a list, such as [\"http://gpu1:8188\", \"http://gpu2:8188\"]"))?;
    let urls = list.iter().map(url).collect::<Result<Vec<_>, _>>()?;
    match urls.iter().enumerate().find(|(at, url)| urls[..*at].contains(url)) {
        Some((_, twice)) => Err(wrong(&format!("`{twice}` is listed twice"))),
        None => Ok(urls),
    }
}

/// Returns the name of a variable; `None` if it is empty, for an endpoint that needs no key.
pub(super) fn variable(value: &Spanned<DeValue<'_>>) -> Result<Option<String>, SpannedError> {
    let good = |name: &&str| name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    let wrong = "`key_env` is the name of a variable, such as \"OPENAI_API_KEY\", not the key itself";
    let name = value.get_ref().as_str().filter(good).ok_or_else(|| (value.span(), wrong.to_owned()))?;
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

/// Returns the name of a secret.
pub(super) fn secret(value: &Spanned<DeValue<'_>>) -> Result<String, SpannedError> {
    // It may be the key itself, written here by mistake, so it isn't shown.
    let wrong = "`key` names a secret, such as \"secrets.openai\"; `fanlight secrets set` keeps its value";
    let name = value.get_ref().as_str().and_then(|text| text.strip_prefix("secrets."));
    let name = name.filter(|name| is_secret_name(name));
    name.map(str::to_owned).ok_or_else(|| (value.span(), wrong.to_owned()))
}

fn prices(value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, Price>, SpannedError> {
    let wrong = |span| {
        (
            span,
            "a price is `\"MODEL\" = { input = 0.5, output = 1.5 }`, in US dollars per million tokens"
                .to_owned(),
        )
    };
    let table = value.get_ref().as_table().ok_or_else(|| wrong(value.span()))?;
    let mut prices = BTreeMap::new();
    for (model, value) in table {
        let table = value.get_ref().as_table().ok_or_else(|| wrong(value.span()))?;
        if let Some((key, _)) = table.iter().find(|(key, _)| !PRICE_KEYS.contains(&key.get_ref().as_ref())) {
            return Err((key.span(), unknown_key(key.get_ref(), &PRICE_KEYS)));
        }
        let amount = |key: &str| find(table, key).map(amount).transpose();
        let (Some(input), Some(output)) = (amount("input")?, amount("output")?) else {
            return Err(wrong(value.span()));
        };
        let up_to = find(table, "up_to").map(|it| integer(it, 1)).transpose()?.map(u64::from);
        let price = Price { input, output, cached_input: amount("cached_input")?, up_to };
        prices.insert(model.get_ref().to_string(), price);
    }
    Ok(prices)
}

fn amount(value: &Spanned<DeValue<'_>>) -> Result<f64, SpannedError> {
    let digits = match value.get_ref() {
        DeValue::Integer(it) => Some(it.as_str()),
        DeValue::Float(it) => Some(it.as_str()),
        _ => None,
    };
    let number = digits.and_then(|it| it.replace('_', "").parse::<f64>().ok());
    number
        .filter(|it| it.is_finite() && *it >= 0.0)
        .ok_or_else(|| (value.span(), "expected an amount of US dollars, at least 0".to_owned()))
}
