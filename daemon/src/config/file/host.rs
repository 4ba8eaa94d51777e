//! Reads `[host.NAME]`.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::{SpannedError, unknown_key};
use crate::config::HostSettings;

const KEYS: [&str; 3] = ["ssh", "home", "program"];

/// Reads the homes on other computers.
pub(super) fn hosts(value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, HostSettings>, SpannedError> {
    let wrong = "`host` is a table of tables, such as `ssh = \"ada@box\"` below `[host.box]`";
    let table = value.get_ref().as_table().ok_or_else(|| (value.span(), wrong.to_owned()))?;
    let mut hosts = BTreeMap::new();
    for (name, value) in table {
        let table = value.get_ref().as_table().ok_or_else(|| (value.span(), wrong.to_owned()))?;
        let mut settings = HostSettings::default();
        for (key, value) in table {
            let place = match key.get_ref().as_ref() {
                "ssh" => &mut settings.ssh,
                "home" => &mut settings.home,
                "program" => &mut settings.program,
                unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
            };
            let text = value.get_ref().as_str().filter(|it| !it.is_empty() && !it.contains(char::is_control));
            let wrong = || (value.span(), format!("`{}` is a text of one line", key.get_ref()));
            *place = Some(text.ok_or_else(wrong)?.to_owned());
        }
        hosts.insert(name.get_ref().to_string(), settings);
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::HostSettings;
    use crate::config::file::parse;

    #[test]
    fn a_host_has_a_destination_a_home_and_a_program() {
        let text =
            "[host.box]\nssh = \"ada@box\"\nhome = \"/data/fl\"\nprogram = \"~/bin/fanlight\"\n[host.b]\n";
        let hosts = parse(Path::new("config.toml"), text).unwrap().hosts;
        let settings = HostSettings {
            ssh: Some("ada@box".into()),
            home: Some("/data/fl".into()),
            program: Some("~/bin/fanlight".into()),
        };
        assert_eq!(hosts["box"], settings);
        assert_eq!(hosts["b"], HostSettings::default());
    }

    #[test]
    fn a_wrong_host_is_refused_with_its_line() {
        for (text, expected) in [
            ("host = 3", "`host` is a table of tables"),
            ("[host]\nbox = \"ada@box\"", "`host` is a table of tables"),
            ("[host.box]\nssh = \"\"", "`ssh` is a text of one line"),
            ("[host.box]\nhome = 3", "`home` is a text of one line"),
            ("[host.box]\nprogam = \"a\"", "did you mean `program`?"),
        ] {
            let error = parse(Path::new("config.toml"), text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("config.toml:"), "{error}");
        }
    }
}
