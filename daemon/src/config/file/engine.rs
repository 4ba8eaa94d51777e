//! Reads `[engine.NAME]`.

mod ray;

use std::collections::BTreeMap;
use std::path::PathBuf;

use fanlight_shared::document::is_name;
use fanlight_shared::workflow::LOCAL_ENGINE;
use toml::Spanned;
use toml::de::DeValue;

use super::provider::find;
use super::{SpannedError, duration, integer, unknown_key};
use crate::config::engine::{KEEP_INPUTS, MAX_IN_FLIGHT, POLL};
use crate::config::{EngineKind, EngineSettings, Stage};

/// The keys of one kind of engine only.
const ONLY_SLURM: [&str; 5] = ["via", "partition", "account", "qos", "keep_inputs"];
const ONLY_RAY: [&str; 4] = ["address", "token", "token_env", "token_file"];

const KEYS: [&str; 15] = [
    "kind",
    "address",
    "token",
    "token_env",
    "token_file",
    "via",
    "partition",
    "account",
    "qos",
    "workdir",
    "stage",
    "prelude",
    "max_in_flight",
    "poll",
    "keep_inputs",
];

/// Reads the engines of the config.
pub(super) fn engines(
    value: &Spanned<DeValue<'_>>,
) -> Result<BTreeMap<String, EngineSettings>, SpannedError> {
    let wrong = "`engine` is a table of tables, such as `kind = \"slurm\"` below `[engine.cluster]`";
    let table = value.get_ref().as_table().ok_or_else(|| (value.span(), wrong.to_owned()))?;
    let mut engines = BTreeMap::new();
    for (name, value) in table {
        let text = name.get_ref().as_ref();
        if text == LOCAL_ENGINE {
            return Err((name.span(), "the engine `local` is this machine; choose another name".to_owned()));
        }
        if !is_name(&text.replace('-', "_")) {
            let wrong = format!("`{text}` can't be the name of an engine; use names such as `cluster`");
            return Err((name.span(), wrong));
        }
        engines.insert(text.to_owned(), engine(text, value)?);
    }
    Ok(engines)
}

fn engine(name: &str, value: &Spanned<DeValue<'_>>) -> Result<EngineSettings, SpannedError> {
    let wrong = || (value.span(), format!("`[engine.{name}]` is a table, such as `kind = \"slurm\"`"));
    let table = value.get_ref().as_table().ok_or_else(wrong)?;
    let kind = find(table, "kind").ok_or_else(|| {
        (
            value.span(),
            format!("`[engine.{name}]` has no `kind`; write `kind = \"slurm\"` or `kind = \"ray\"`"),
        )
    })?;
    let is_ray = one_of(kind, "kind", &["slurm", "ray"])? == "ray";
    let (others, own) = if is_ray { (&ONLY_SLURM[..], "ray") } else { (&ONLY_RAY[..], "slurm") };
    if let Some((key, _)) = table.iter().find(|(key, _)| others.contains(&key.get_ref().as_ref())) {
        return Err((key.span(), format!("an engine of `kind = \"{own}\"` has no `{}`", key.get_ref())));
    }
    let mut settings = EngineSettings {
        kind: if is_ray { EngineKind::Ray(ray::settings(name, value, table)?) } else { EngineKind::Slurm },
        via: None,
        stage: Stage::Shared,
        partition: None,
        account: None,
        qos: None,
        workdir: PathBuf::new(),
        prelude: String::new(),
        max_in_flight: MAX_IN_FLIGHT,
        poll: POLL,
        keep_inputs: KEEP_INPUTS,
    };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "kind" | "address" | "token" | "token_env" | "token_file" => {}
            "via" => settings.via = via(value)?,
            "stage" => {
                let is_rsync = one_of(value, "stage", &["shared", "rsync"])? == "rsync";
                if is_rsync && is_ray {
                    let why = "an engine of `kind = \"ray\"` has `stage = \"shared\"`: Ray carries no files back, so `workdir` \
                               is a folder that this machine and the nodes of the cluster share, and not \"rsync\"";
                    return Err((value.span(), why.to_owned()));
                }
                settings.stage = if is_rsync { Stage::Rsync } else { Stage::Shared };
            }
            "partition" => settings.partition = Some(word(value, "partition")?),
            "account" => settings.account = Some(word(value, "account")?),
            "qos" => settings.qos = Some(word(value, "qos")?),
            "workdir" => settings.workdir = folder(value)?,
            "prelude" => settings.prelude = text(value, "prelude")?,
            "max_in_flight" => settings.max_in_flight = integer(value, 1)?,
            "poll" => {
                settings.poll = duration(value)?;
                if settings.poll.as_millis() < 100 {
                    return Err((value.span(), "`poll` is at least 100ms".to_owned()));
                }
            }
            "keep_inputs" => {
                settings.keep_inputs = duration(value)?;
                // Less would remove what is on its way into the folder of an attempt.
                if settings.keep_inputs.as_secs() < 60 * 60 {
                    return Err((value.span(), "`keep_inputs` is at least 1h".to_owned()));
                }
            }
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
    }
    if settings.stage == Stage::Rsync && settings.via.is_none() {
        let why = format!("`[engine.{name}]` has `stage = \"rsync\"`, which needs `via = \"ssh://…\"`");
        return Err((value.span(), why));
    }
    if settings.workdir.as_os_str().is_empty() {
        let what = match settings.stage {
            Stage::Shared => "a folder that this machine and the nodes of the cluster see at the same path",
            Stage::Rsync => "a folder that the login node and the nodes of the cluster see at the same path",
        };
        return Err((value.span(), format!("`[engine.{name}]` has no `workdir`: {what}")));
    }
    Ok(settings)
}

fn text(value: &Spanned<DeValue<'_>>, key: &str) -> Result<String, SpannedError> {
    let text = value.get_ref().as_str().filter(|text| !text.contains('\0'));
    text.map(str::to_owned).ok_or_else(|| (value.span(), format!("`{key}` is a text")))
}

/// Reads the name of something of the cluster. It becomes the value of an option, and never another one.
fn word(value: &Spanned<DeValue<'_>>, key: &str) -> Result<String, SpannedError> {
    let text = text(value, key)?;
    let is_plain = !text.is_empty() && !text.contains(|it: char| it.is_whitespace() || it.is_control());
    if is_plain { Ok(text) } else { Err((value.span(), format!("`{key}` is a name without spaces"))) }
}

fn one_of(value: &Spanned<DeValue<'_>>, key: &str, known: &[&str]) -> Result<String, SpannedError> {
    let text = text(value, key)?;
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    let known = known.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" or ");
    Err((value.span(), format!("`{key}` is {known} in this version, not `{text}`")))
}

/// Reads where the commands of a cluster are. What it names becomes a word of `ssh`, and never an option.
fn via(value: &Spanned<DeValue<'_>>) -> Result<Option<String>, SpannedError> {
    let via = text(value, "via")?;
    if via == LOCAL_ENGINE {
        return Ok(None);
    }
    let is_destination = |it: &str| {
        let plain = |it: char| it.is_ascii_alphanumeric() || "-_.:@[]%".contains(it);
        !it.is_empty() && !it.starts_with('-') && it.chars().all(plain)
    };
    let wrong =
        || (value.span(), "`via` is `local`, or where `ssh` leads, such as `ssh://ada@login`".to_owned());
    via.strip_prefix("ssh://").filter(|it| is_destination(it)).ok_or_else(wrong)?;
    Ok(Some(via))
}

/// Reads an absolute folder, in which `$USER` and `$HOME` stand for those of the daemon.
fn folder(value: &Spanned<DeValue<'_>>) -> Result<PathBuf, SpannedError> {
    let mut path = text(value, "workdir")?;
    for name in ["USER", "HOME"] {
        for form in [format!("${{{name}}}"), format!("${name}")] {
            if path.contains(&form) {
                let unset = || (value.span(), format!("`workdir`: the daemon has no variable {name}"));
                path = path.replace(&form, &std::env::var(name).map_err(|_| unset())?);
            }
        }
    }
    let path = PathBuf::from(path);
    let wrong = || (value.span(), "`workdir` is the absolute path of a folder".to_owned());
    Some(path).filter(|path| path.is_absolute()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use crate::config::file::parse;

    #[test]
    fn an_engine_has_a_profile() {
        let text = "[engine.cluster]\nkind = \"slurm\"\nvia = \"local\"\npartition = \"gpu\"\nworkdir = \"/scratch/ada\"\n\
                    stage = \"shared\"\nprelude = \"module load cuda\"\nmax_in_flight = 5\npoll = \"5s\"\n\
                    keep_inputs = \"2d\"";
        let config = parse(Path::new("config.toml"), text).unwrap();
        let engine = &config.engines["cluster"];
        assert_eq!(engine.via, None);
        let far =
            parse(Path::new("config.toml"), &text.replace("\"local\"", "\"ssh://ada@login:2222\"")).unwrap();
        assert_eq!(far.engines["cluster"].via.as_deref(), Some("ssh://ada@login:2222"));
        assert_eq!((engine.partition.as_deref(), engine.account.as_deref()), (Some("gpu"), None));
        assert_eq!((engine.max_in_flight, engine.poll), (5, Duration::from_secs(5)));
        assert_eq!(engine.keep_inputs, Duration::from_secs(172_800));
        assert_eq!(
            (engine.workdir.as_path(), engine.prelude.as_str()),
            (Path::new("/scratch/ada"), "module load cuda")
        );
        assert_eq!([config.check_engine("cluster"), config.check_engine("local")], [Ok(()), Ok(())]);
        assert!(config.check_engine("clutser").unwrap_err().contains("did you mean `cluster`?"));
    }

    #[test]
    fn a_wrong_engine_is_refused_with_its_line() {
        let valid = "kind = \"slurm\"\nworkdir = \"/w\"\n";
        for (text, expected) in [
            ("engine = 3".to_owned(), "`engine` is a table of tables"),
            ("[engine.local]\nkind = \"slurm\"".to_owned(), "is this machine"),
            ("[engine.Big]\nkind = \"slurm\"".to_owned(), "can't be the name of an engine"),
            ("[engine.a]\nworkdir = \"/w\"".to_owned(), "has no `kind`"),
            ("[engine.a]\nkind = \"pbs\"".to_owned(), "`kind` is `slurm` or `ray` in this version"),
            (format!("[engine.a]\n{valid}token_env = \"T\""), "of `kind = \"slurm\"` has no `token_env`"),
            ("[engine.a]\nkind = \"slurm\"".to_owned(), "has no `workdir`"),
            ("[engine.a]\nkind = \"slurm\"\nworkdir = \"w\"".to_owned(), "the absolute path of a folder"),
            (format!("[engine.a]\n{valid}partition = \"a b\""), "a name without spaces"),
            (format!("[engine.a]\n{valid}via = \"ada@login\""), "such as `ssh://ada@login`"),
            (format!("[engine.a]\n{valid}via = \"ssh://-oProxyCommand=id\""), "such as `ssh://ada@login`"),
            (format!("[engine.a]\n{valid}stage = \"rsync\""), "needs `via"),
            (format!("[engine.a]\n{valid}poll = \"1ms\""), "at least 100ms"),
            (format!("[engine.a]\n{valid}keep_inputs = \"5m\""), "at least 1h"),
            (format!("[engine.a]\n{valid}nodes = 3"), "unknown key `nodes`"),
        ] {
            let error = parse(Path::new("config.toml"), &text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("config.toml:"), "{error}");
        }
    }
}
