//! Reads `config.toml`; errors name the line.

mod mcp;
mod on_end;
mod provider;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::problem::near;
use fanlight_shared::run::RunStatus;
use fanlight_shared::units;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PruneSettings;
use super::{Config, HttpSettings};
use crate::secret::{Source, check_name};

const KEYS: [&str; 14] = [
    "max_concurrent_runs",
    "pools",
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
];
const PRUNE_KEYS: [&str; 4] = ["older_than", "keep", "max_size", "states"];
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
            "http" => config.http = http(&value)?,
            "secrets" => config.secrets.sources = secrets(&value)?,
            "provider" => provider::providers(&value, &mut config.providers)?,
            "mcp" => config.mcp = mcp::servers(&value)?,
            "prune" => config.prune = Some(prune(&value)?),
            "on_end" => config.on_end = on_end::on_end(&value)?,
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

fn prune(value: &Spanned<DeValue<'_>>) -> Result<PruneSettings, SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        return Err((
            value.span(),
            "`prune` is a table, such as `older_than = \"30d\"` below `[prune]`".to_owned(),
        ));
    };
    let mut settings = PruneSettings::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "older_than" => settings.older_than = Some(duration(value)?),
            "keep" => settings.keep = Some(integer(value, 0)?),
            "max_size" => settings.max_bytes = Some(size(value)?),
            "states" => settings.states = states(value)?,
            unknown => return Err((key.span(), unknown_key(unknown, &PRUNE_KEYS))),
        }
    }
    if settings == PruneSettings::default() {
        return Err((value.span(), "`[prune]` has no condition, and would delete every run".to_owned()));
    }
    Ok(settings)
}

fn states(value: &Spanned<DeValue<'_>>) -> Result<Vec<RunStatus>, SpannedError> {
    const STATES: [RunStatus; 3] = [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];
    let state = |(span, text): (Range<usize>, String)| {
        let state = STATES.into_iter().find(|state| state.word() == text);
        state.ok_or_else(|| (span, format!("`{text}` is not one of completed, failed, cancelled")))
    };
    texts(value)?.into_iter().map(state).collect()
}

/// Reads the sources of secrets by name.
fn secrets(value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, Source>, SpannedError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KeySource, ProviderKind};

    fn wrong(text: &str) -> String {
        parse(Path::new("/c/config.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn every_setting_can_be_set() {
        let text = "max_concurrent_runs = 2\nkeep_values = 0\nlinger = \"5m\"\ngrace = \"500ms\"\n\
                    writable = [\"/data\"]\npass_env = [\"CUDA_HOME\"]\n[pools]\ngpu = 1\ncpu = 3\n";
        let config = parse(Path::new("config.toml"), text).unwrap();
        assert_eq!((config.max_concurrent_runs, config.keep_values), (2, 0));
        assert_eq!((config.linger, config.grace), (Duration::from_secs(300), Duration::from_millis(500)));
        assert_eq!((config.pools["gpu"], config.pools["cpu"]), (1, 3));
        assert!(config.pools.contains_key("process"), "a pool that is not named keeps its default");
        assert_eq!(config.writable, [PathBuf::from("/data")]);
        let http = "[http]\nallow = [\"localhost\"]\nca_file = \"/etc/ca.pem\"\n";
        let http = parse(Path::new("config.toml"), http).unwrap().http;
        assert_eq!((http.allow, http.ca_file), (vec!["localhost".into()], Some("/etc/ca.pem".into())));
        assert_eq!(config.pass_env, ["CUDA_HOME"]);
    }

    #[test]
    fn pruning_needs_a_condition() {
        let text = "[prune]\nolder_than = \"30d\"\nkeep = 20\nmax_size = \"5 GB\"\nstates = [\"failed\"]\n";
        let prune = parse(Path::new("config.toml"), text).unwrap().prune.unwrap();
        assert_eq!(prune.older_than, Some(Duration::from_secs(30 * 86_400)));
        assert_eq!((prune.keep, prune.max_bytes), (Some(20), Some(5_000_000_000)));
        assert_eq!(prune.states, [RunStatus::Failed]);
        assert!(wrong("[prune]\n").contains("would delete every run"));
        assert!(wrong("[prune]\nstates = [\"running\"]").contains("`running` is not one of"));
        assert!(wrong("[prune]\nolder = \"1d\"").contains("did you mean `older_than`?"));
        assert_eq!(parse(Path::new("config.toml"), "").unwrap().prune, None);
    }

    #[test]
    fn a_size_has_a_unit() {
        let size = |text: &str| {
            parse(Path::new("/c/config.toml"), &format!("cache_size = {text}"))
                .map(|config| config.cache_bytes)
        };
        assert_eq!((size("\"0\""), size("\"500 MB\"")), (Ok(0), Ok(500_000_000)));
        assert_eq!((size("\"4GiB\""), size("\"20 KiB\"")), (Ok(4 << 30), Ok(20 << 10)));
        for text in ["4", "\"\"", "\"4 gigs\"", "\"-1\"", "\"1.5 GB\"", "\"99999999999 GB\""] {
            assert!(size(text).unwrap_err().to_string().contains("expected a size"), "{text}");
        }
    }

    #[test]
    fn a_secret_has_one_source_and_a_value_in_its_place_is_not_shown() {
        let text = "[secrets]\na = \"file\"\nb = \"keyring\"\nc = { env = \"C\" }\nd = { command = [\"pass\", \"d\"] }\n";
        let sources = parse(Path::new("config.toml"), text).unwrap().secrets.sources;
        assert_eq!((&sources["a"], &sources["b"]), (&Source::File, &Source::Keyring));
        assert_eq!(sources["c"], Source::Env("C".into()));
        assert_eq!(sources["d"], Source::Command(vec!["pass".into(), "d".into()]));
        for value in [
            "\"hunter22\"",
            "{ env = \"A\", command = [\"a\"] }",
            "{ command = [] }",
            "{ hunter22 = 1 }",
            "1",
        ] {
            let error = wrong(&format!("[secrets]\na = {value}\n"));
            assert!(
                error.contains(":2: the source of a secret is") && !error.contains("hunter22"),
                "{error}"
            );
        }
        assert!(wrong("[secrets]\n\"a-b\" = \"file\"").contains("can't be the name"));
    }

    #[test]
    fn a_provider_is_known_by_its_name_or_described() {
        let text = "[provider.openai]\nkey_env = \"MY_KEY\"\nrequests_per_minute = 60\n\
                    [provider.house]\nurl = \"http://10.0.0.5:8000/v1/\"\nmodels = [\"qwen3\"]\nconcurrent = 2\n\
                    [provider.house.prices]\n\"qwen3\" = { input = 0.5, output = 1 }\n";
        let config = parse(Path::new("config.toml"), text).unwrap();
        let openai = &config.providers["openai"];
        assert_eq!(openai.key, Some(KeySource::Variable("MY_KEY".into())));
        assert_eq!((openai.requests_per_minute, openai.is_original), (Some(60), true));
        let house = &config.providers["house"];
        assert_eq!((house.kind, house.url.as_str()), (ProviderKind::OpenAi, "http://10.0.0.5:8000/v1"));
        assert_eq!((house.concurrent, &house.key, house.prices["qwen3"].output), (Some(2), &None, 1.0));
        assert!(config.providers.contains_key("anthropic"), "others are known by name");
        let comfy = &config.providers["comfy"];
        assert_eq!((comfy.kind, comfy.urls().count(), comfy.concurrent), (ProviderKind::Comfy, 1, Some(1)));
        let farm = "[provider.farm]\nkind = \"comfy\"\nurls = [\"http://a:8188/\", \"http://b:8188\"]\n";
        let config = parse(Path::new("config.toml"), farm).unwrap();
        let farm = &config.providers["farm"];
        assert!(farm.urls().eq(["http://a:8188", "http://b:8188"]) && farm.concurrent == Some(2));
        assert_eq!(config.pool_sizes()["api.farm"], 2);
        let secret = "[provider.openai]\nkey = \"secrets.openai\"\n";
        let config = parse(Path::new("config.toml"), secret).unwrap();
        assert_eq!(config.providers["openai"].key, Some(KeySource::Secret("openai".into())));
    }

    #[test]
    fn a_provider_that_is_not_well_described_is_named() {
        assert!(wrong("[provider.house]\nmodels = []").contains("`house` has no `url`"));
        assert!(wrong("[provider.House]\n").contains("`House` can't be the name"));
        assert!(
            wrong("[provider.house]\nurl = \"localhost\"").starts_with("/c/config.toml:2: `url` is a URL")
        );
        assert!(wrong("[provider.openai]\nurls = [\"http://a\"]").contains("give its `url`"));
        assert!(wrong("[provider.comfy]\nurls = []").contains("`urls` is a list"));
        assert!(wrong("[provider.comfy]\nurls = [\"http://a\", \"http://a/\"]").contains("listed twice"));
        assert!(wrong("[provider.comfy]\nurl = \"http://a\"\nurls = [\"http://b\"]").contains("both given"));
        assert!(wrong("[provider.openai]\nkind = \"antropic\"").contains("did you mean `anthropic`?"));
        assert!(wrong("[provider.openai]\nkey_env = \"sk-1\"").contains("not the key itself"));
        let error = wrong("[provider.openai]\nkey = \"sk-1\"");
        assert!(error.contains(":2: `key` names a secret") && !error.contains("sk-1"), "{error}");
        let both = wrong("[provider.openai]\nkey = \"secrets.a\"\nkey_env = \"A\"");
        assert!(both.contains("`key` and `key_env` are both given"), "{both}");
        assert!(wrong("[provider.openai]\nmodel = \"x\"").contains("did you mean `models`?"));
        assert!(wrong("[provider.openai.prices]\n\"x\" = { input = 1 }").contains("a price is"));
        assert!(wrong("[provider.openai.prices]\n\"x\" = { input = -1, output = 1 }").contains("an amount"));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_near_match() {
        assert_eq!(
            wrong("grace = \"1s\"\nmax_concurent_runs = 3\n"),
            "/c/config.toml:2: unknown key `max_concurent_runs` (did you mean `max_concurrent_runs`?)"
        );
        assert!(wrong("colour = 1").contains("known are max_concurrent_runs, pools"));
    }

    #[test]
    fn bad_values_are_reported_with_their_line() {
        assert_eq!(wrong("max_concurrent_runs = 0"), "/c/config.toml:1: expected a whole number, at least 1");
        assert!(wrong("\nlinger = 600").starts_with("/c/config.toml:2: expected a duration"));
        assert!(wrong("linger = \"10 parsecs\"").contains("expected a duration"));
        assert!(wrong("writable = [\"data\"]").contains("`data` is not an absolute path"));
        assert!(wrong("[pools]\ngpu = \"one\"").starts_with("/c/config.toml:2:"));
        assert!(wrong("grace = = 1").starts_with("/c/config.toml:1:"));
    }

    #[test]
    fn the_cap_of_the_environment_is_a_whole_number() {
        assert_eq!(cap("3"), Ok(3));
        assert!(cap("0").is_err());
        assert!(cap("many").unwrap_err().to_string().contains("`many` is not a whole number"));
    }
}
