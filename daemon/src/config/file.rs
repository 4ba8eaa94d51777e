//! Reads `config.toml`; errors name the line.

mod engine;
mod host;
mod mcp;
mod on_end;
mod provider;
mod prune;
mod resources;
mod secrets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::problem::near;
use fanlight_shared::units;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, HttpSettings};

const KEYS: [&str; 17] = [
    "max_concurrent_runs",
    "pools",
    "resources",
    "keep_values",
    "cache_size",
    "linger",
    "grace",
    "writable",
    "pass_env",
    "http",
    "secrets",
    "provider",
    "mcp",
    "prune",
    "on_end",
    "host",
    "engine",
];
const HTTP_KEYS: [&str; 2] = ["allow", "ca_file"];

/// The errors of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and can't be read.
    #[error("{path} can't be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A line of it is wrong.
    #[error("{path}:{line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The error and what to do about it.
        message: String,
    },
    /// The environment variable does not fit.
    #[error("FANLIGHT_MAX_CONCURRENT_RUNS=`{0}` is not a whole number from 1")]
    Variable(String),
}

/// Parses `FANLIGHT_MAX_CONCURRENT_RUNS`.
pub(super) fn cap(text: &str) -> Result<u32, ConfigError> {
    text.trim().parse().ok().filter(|cap| *cap >= 1).ok_or_else(|| ConfigError::Variable(text.to_owned()))
}

/// An error and its position.
type SpannedError = (Range<usize>, String);

pub(super) fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    read(text).map_err(|(span, message)| {
        let line = text.get(..span.start.min(text.len())).map_or(1, |it| it.matches('\n').count() + 1);
        ConfigError::Line { path: path.to_owned(), line, message }
    })
}

fn read(text: &str) -> Result<Config, SpannedError> {
    let table = DeTable::parse(text)
        .map_err(|error| (error.span().unwrap_or(0..0), error.message().to_owned()))?
        .into_inner();
    let mut config = Config::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "max_concurrent_runs" => config.max_concurrent_runs = integer(&value, 1)?,
            "keep_values" => config.keep_values = integer(&value, 0)?,
            "cache_size" => config.cache_bytes = size(&value)?,
            "linger" => config.linger = duration(&value)?,
            "grace" => config.grace = duration(&value)?,
            "writable" => config.writable = folders(&value)?,
            "pass_env" => config.pass_env = texts(&value)?.into_iter().map(|(_, text)| text).collect(),
            "pools" => pools(&value, &mut config.pools)?,
            "resources" => config.resources = resources::resources(&value)?,
            "http" => config.http = http(&value)?,
            "secrets" => config.secrets.sources = secrets::sources(&value)?,
            "provider" => provider::providers(&value, &mut config.providers)?,
            "mcp" => config.mcp = mcp::servers(&value)?,
            "prune" => config.prune = Some(prune::prune(&value)?),
            "engine" => config.engines = engine::engines(&value)?,
            "on_end" => config.on_end = on_end::on_end(&value)?,
            "host" => config.hosts = host::hosts(&value)?,
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
    }
    Ok(config)
}

fn unknown_key(unknown: &str, known: &[&str]) -> String {
    match near(unknown, known.iter().copied()) {
        Some(near) => format!("unknown key `{unknown}` (did you mean `{near}`?)"),
        None => format!("unknown key `{unknown}` (known are {})", known.join(", ")),
    }
}

fn http(value: &Spanned<DeValue<'_>>) -> Result<HttpSettings, SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        return Err((
            value.span(),
            "`http` is a table, such as `allow = [\"localhost\"]` below `[http]`".to_owned(),
        ));
    };
    let mut settings = HttpSettings::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "allow" => settings.allow = texts(value)?.into_iter().map(|(_, text)| text).collect(),
            "ca_file" => {
                let path = value.get_ref().as_str().map(PathBuf::from).filter(|path| path.is_absolute());
                let wrong = || (value.span(), "`ca_file` is the absolute path of a file".to_owned());
                settings.ca_file = Some(path.ok_or_else(wrong)?);
            }
            unknown => return Err((key.span(), unknown_key(unknown, &HTTP_KEYS))),
        }
    }
    Ok(settings)
}

fn integer(value: &Spanned<DeValue<'_>>, least: u32) -> Result<u32, SpannedError> {
    value
        .get_ref()
        .as_integer()
        .and_then(|it| u32::from_str_radix(&it.as_str().replace('_', ""), it.radix()).ok())
        .filter(|it| *it >= least)
        .ok_or_else(|| (value.span(), format!("expected a whole number, at least {least}")))
}

fn pools(value: &Spanned<DeValue<'_>>, pools: &mut BTreeMap<String, u32>) -> Result<(), SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        return Err((
            value.span(),
            "`pools` is a table of numbers, such as `gpu = 1` below `[pools]`".to_owned(),
        ));
    };
    for (name, size) in table {
        pools.insert(name.get_ref().to_string(), integer(size, 1)?);
    }
    Ok(())
}

fn duration(value: &Spanned<DeValue<'_>>) -> Result<Duration, SpannedError> {
    value.get_ref().as_str().and_then(units::duration).ok_or_else(|| {
        (value.span(), "expected a duration, such as \"500ms\", \"10s\", \"5m\" or \"2h\"".to_owned())
    })
}

/// Reads a number of bytes, with a unit.
fn size(value: &Spanned<DeValue<'_>>) -> Result<u64, SpannedError> {
    value
        .get_ref()
        .as_str()
        .and_then(units::size)
        .ok_or_else(|| (value.span(), "expected a size, such as \"500 MB\", \"4 GiB\" or \"0\"".to_owned()))
}

fn texts(value: &Spanned<DeValue<'_>>) -> Result<Vec<(Range<usize>, String)>, SpannedError> {
    let wrong = |span| (span, "expected a list of texts, such as [\"HOME\", \"LANG\"]".to_owned());
    let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span()))?;
    list.iter()
        .map(|it| match it.get_ref().as_str() {
            Some(text) => Ok((it.span(), text.to_owned())),
            None => Err(wrong(it.span())),
        })
        .collect()
}

fn folders(value: &Spanned<DeValue<'_>>) -> Result<Vec<PathBuf>, SpannedError> {
    texts(value)?
        .into_iter()
        .map(|(span, text)| {
            let path = PathBuf::from(&text);
            if path.is_absolute() {
                Ok(path)
            } else {
                Err((span, format!("`{text}` is not an absolute path")))
            }
        })
        .collect()
}
