//! Reads what an engine of `kind = "ray"` has besides what all have.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::SpannedError;
use super::super::provider::find;
use super::text;
use crate::config::{RaySettings, TokenSource};

/// The keys that say where the token is.
const TOKENS: [&str; 3] = ["token", "token_env", "token_file"];

/// Reads where the head is, and its token.
pub(super) fn settings(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    table: &DeTable<'_>,
) -> Result<RaySettings, SpannedError> {
    if cfg!(not(feature = "http")) {
        let why = "this program was built without HTTP, which engines of `kind = \"ray\"` need";
        return Err((value.span(), why.to_owned()));
    }
    let missing = || {
        let why = format!(
            "`[engine.{name}]` has no `address`: the dashboard of the head, such as \"http://head:8265\""
        );
        (value.span(), why)
    };
    let address = address(find(table, "address").ok_or_else(missing)?)?;
    let mut given = TOKENS.iter().filter_map(|key| Some((*key, find(table, key)?)));
    let token = given.next().map(|(key, value)| token(key, value)).transpose()?;
    if let Some((_, second)) = given.next() {
        let why = "only one of `token`, `token_env` and `token_file` says where the token is";
        return Err((second.span(), why.to_owned()));
    }
    Ok(RaySettings { address, token })
}

fn address(value: &Spanned<DeValue<'_>>) -> Result<String, SpannedError> {
    let wrong = "`address` is a URL of http or https, such as \"http://head:8265\"";
    let text = value.get_ref().as_str().map(|text| text.trim_end_matches('/'));
    let is_url = |url: &&str| {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        // What is behind these would not be a path any more, or be the token.
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', '@', ' ']))
    };
    text.filter(is_url).map(str::to_owned).ok_or_else(|| (value.span(), wrong.to_owned()))
}

fn token(key: &str, value: &Spanned<DeValue<'_>>) -> Result<TokenSource, SpannedError> {
    // It may be the token itself, written here by mistake, so it isn't shown.
    let wrong = |what: &str| (value.span(), format!("`{key}` {what}, not the token itself"));
    let text = text(value, key)?;
    match key {
        "token" => {
            let name = text.strip_prefix("secrets.").filter(|name| crate::secret::check_name(name).is_ok());
            let what = "names a secret, such as \"secrets.ray\"; `fanlight secrets set` keeps its value";
            name.map(|name| TokenSource::Secret(name.to_owned())).ok_or_else(|| wrong(what))
        }
        "token_env" => {
            let is_name = !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
            let what = "is the name of a variable, such as \"RAY_AUTH_TOKEN\"";
            if is_name { Ok(TokenSource::Variable(text)) } else { Err(wrong(what)) }
        }
        _ => {
            let path = PathBuf::from(text);
            let what = "is the absolute path of a file with the token";
            if path.is_absolute() { Ok(TokenSource::File(path)) } else { Err(wrong(what)) }
        }
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use std::path::Path;

    use crate::config::file::parse;
    use crate::config::{EngineKind, TokenSource};

    #[test]
    fn an_engine_of_ray_has_an_address_and_the_place_of_a_token() {
        let valid = "[engine.a]\nkind = \"ray\"\naddress = \"http://head:8265/\"\nworkdir = \"/w\"\n";
        let token = |more: &str| {
            let config = parse(Path::new("config.toml"), &format!("{valid}{more}")).unwrap();
            let EngineKind::Ray(ray) = config.engines["a"].kind.clone() else { panic!() };
            assert_eq!(ray.address, "http://head:8265");
            ray.token
        };
        assert_eq!(token(""), None);
        assert_eq!(token("token = \"secrets.ray\""), Some(TokenSource::Secret("ray".into())));
        assert_eq!(
            token("token_env = \"RAY_AUTH_TOKEN\""),
            Some(TokenSource::Variable("RAY_AUTH_TOKEN".into()))
        );
        assert_eq!(token("token_file = \"/t\""), Some(TokenSource::File("/t".into())));
        for (text, expected) in [
            (valid.replace("address = \"http://head:8265/\"\n", ""), "has no `address`"),
            (valid.replace("http://head", "head"), "a URL of http or https"),
            (valid.replace("http://head", "http://ada:key@head"), "a URL of http or https"),
            (format!("{valid}stage = \"rsync\""), "and not \"rsync\""),
            (format!("{valid}partition = \"gpu\""), "of `kind = \"ray\"` has no `partition`"),
            (format!("{valid}token = \"hunter2\""), "not the token itself"),
            (format!("{valid}token_file = \"t\""), "the absolute path of a file"),
            (format!("{valid}token_env = \"A\"\ntoken_file = \"/t\""), "only one of"),
        ] {
            let error = parse(Path::new("config.toml"), &text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("config.toml:"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
