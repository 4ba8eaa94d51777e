//! Where the values of secrets come from.

use std::collections::{BTreeMap, BTreeSet};

use super::command;
use super::file::{SecretFile, SecretFileError};
use super::values::{Secrets, check_value};

/// The name of Fanlight's entries in a keyring.
const SERVICE: &str = "fanlight";

/// The source of a secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Source {
    /// The file of secrets.
    #[default]
    File,
    /// The keyring of the system, which its own program reads.
    Keyring,
    /// A variable in the daemon's environment.
    Env(String),
    /// The standard output of a program with arguments.
    Command(Vec<String>),
}

impl Source {
    /// Returns its description for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::File => "file".into(),
            Self::Keyring => "keyring".into(),
            Self::Env(name) => format!("the daemon's variable {name}"),
            // Its arguments may be private.
            Self::Command(words) => format!("the command {}", words.first().map_or("", String::as_str)),
        }
    }
}

/// The sources of all secrets: the file, and those that the config names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecretSettings {
    /// The file, for every name without another source.
    pub file: SecretFile,
    /// Other sources by name.
    pub sources: BTreeMap<String, Source>,
}

impl SecretSettings {
    fn source(&self, name: &str) -> &Source {
        self.sources.get(name).unwrap_or(&Source::File)
    }

    /// Returns all names with their sources. Blocks.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn list(&self) -> Result<BTreeMap<String, Source>, SecretFileError> {
        let mut all: BTreeMap<String, Source> =
            self.file.read()?.into_keys().map(|name| (name, Source::File)).collect();
        all.extend(self.sources.clone());
        Ok(all)
    }

    /// Checks that a secret exists, as far as that is known without asking for its value. Blocks.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check(&self, name: &str) -> Result<(), String> {
        match self.source(name) {
            Source::File => self.in_file(name).map(drop),
            Source::Env(variable) if std::env::var_os(variable).is_none() => Err(unset(name, variable)),
            Source::Env(_) | Source::Keyring | Source::Command(_) => Ok(()),
        }
    }

    /// Returns the values of these secrets.
    ///
    /// # Errors
    /// A sentence: there is no such secret, its source failed, or its value can't be masked. It contains no value.
    pub async fn resolve(&self, names: &BTreeSet<String>) -> Result<Secrets, String> {
        let mut values = Vec::with_capacity(names.len());
        for name in names {
            let value = self.value(name).await?;
            check_value(&value).map_err(|why| format!("the secret `{name}` {why}"))?;
            values.push((name.clone(), value));
        }
        Ok(values.into_iter().collect())
    }

    async fn value(&self, name: &str) -> Result<String, String> {
        match self.source(name) {
            Source::File => {
                let (settings, name) = (self.clone(), name.to_owned());
                tokio::task::spawn_blocking(move || settings.in_file(&name))
                    .await
                    .map_err(|_| "the file of secrets can't be read; see the daemon's log")?
            }
            Source::Env(variable) => match std::env::var(variable) {
                Ok(value) => Ok(value),
                Err(std::env::VarError::NotPresent) => Err(unset(name, variable)),
                Err(std::env::VarError::NotUnicode(_)) => {
                    Err(format!("the secret `{name}`: the daemon's variable {variable} is not UTF-8 text"))
                }
            },
            Source::Keyring => output(name, &keyring(name)).await,
            Source::Command(words) => output(name, words).await,
        }
    }

    fn in_file(&self, name: &str) -> Result<String, String> {
        let mut entries = self.file.read().map_err(|error| format!("the secret `{name}`: {error}"))?;
        entries.remove(name).ok_or_else(|| {
            let near = fanlight_shared::problem::near(name, entries.keys().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("there is no secret `{name}`; type `fanlight secrets set {name}`{near}")
        })
    }
}

fn unset(name: &str, variable: &str) -> String {
    format!(
        "the secret `{name}`: the variable {variable} is not set in the daemon's environment; set it, then type \
         `fanlight daemon stop` so that the next command starts a daemon with it"
    )
}

async fn output(name: &str, words: &[String]) -> Result<String, String> {
    let program = words.first().map_or("", String::as_str);
    command::output(words).await.map_err(|why| format!("the secret `{name}`: `{program}` {why}"))
}

/// Returns the command that prints an entry of the system's keyring.
fn keyring(name: &str) -> Vec<String> {
    let words: &[&str] = if cfg!(target_os = "macos") {
        &["security", "find-generic-password", "-s", SERVICE, "-a", name, "-w"]
    } else {
        &["secret-tool", "lookup", "service", SERVICE, "name", name]
    };
    words.iter().map(ToString::to_string).collect()
}

/// Returns the line of shell that stores an entry in the system's keyring; it asks for the value.
#[must_use]
pub fn keyring_store(name: &str) -> String {
    if cfg!(target_os = "macos") {
        format!("security add-generic-password -U -s {SERVICE} -a {name} -w")
    } else {
        format!("secret-tool store --label='{SERVICE} {name}' service {SERVICE} name {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &std::path::Path, sources: &[(&str, Source)]) -> SecretSettings {
        let sources = sources.iter().map(|(name, source)| ((*name).to_owned(), source.clone())).collect();
        SecretSettings { file: SecretFile::at(folder.join("secrets.toml")), sources }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn each_secret_comes_from_its_source_and_others_from_the_file() {
        let temp = tempfile::tempdir().unwrap();
        let printed = Source::Command(["printf", "from a command"].map(str::to_owned).to_vec());
        let env = Source::Env("PATH".into());
        let settings = settings(temp.path(), &[("printed", printed), ("path", env)]);
        settings.file.set("kept", "from the file").unwrap();
        let found = settings.resolve(&names(&["kept", "printed", "path"])).await.unwrap();
        assert_eq!(
            (found.get("kept"), found.get("printed")),
            (Some("from the file"), Some("from a command"))
        );
        assert_eq!(found.get("path"), std::env::var("PATH").ok().as_deref());
        assert_eq!(settings.list().unwrap().into_keys().collect::<Vec<_>>(), ["kept", "path", "printed"]);
    }

    #[tokio::test]
    async fn a_secret_that_is_missing_or_too_short_is_named_with_what_to_type() {
        let temp = tempfile::tempdir().unwrap();
        let short = Source::Command(["printf", "abc"].map(str::to_owned).to_vec());
        let settings =
            settings(temp.path(), &[("short", short), ("unset", Source::Env("FL_NO_SUCH".into()))]);
        settings.file.set("token", "12345678").unwrap();
        let missing = settings.resolve(&names(&["tokn"])).await.unwrap_err();
        assert_eq!(
            missing,
            "there is no secret `tokn`; type `fanlight secrets set tokn`; did you mean `token`?"
        );
        assert_eq!(settings.check("tokn"), Err(missing));
        assert!(
            settings
                .check("unset")
                .unwrap_err()
                .contains("FL_NO_SUCH is not set in the daemon's environment")
        );
        let short = settings.resolve(&names(&["short"])).await.unwrap_err();
        assert!(short.contains("`short` is shorter than 8 bytes") && !short.contains("abc"), "{short}");
        assert!(settings.check("short").is_ok(), "it is not asked for its value");
    }
}
