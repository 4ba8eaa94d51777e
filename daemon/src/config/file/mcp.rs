//! Reads `[mcp.NAME]`.

use std::collections::BTreeMap;

use fanlight_shared::document::is_name;
use toml::Spanned;
use toml::de::DeValue;

use super::provider::{find, secret, url, variable};
use super::{SpannedError, texts, unknown_key};
use crate::config::{KeySource, McpSettings};

const KEYS: [&str; 5] = ["command", "pass_env", "url", "key", "key_env"];

/// Reads the MCP servers of the config.
pub(super) fn servers(value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, McpSettings>, SpannedError> {
    let wrong = || "`mcp` is a table of tables, such as `command = [\"uvx\", \"mcp-server-time\"]` below `[mcp.time]`";
    let table = value.get_ref().as_table().ok_or_else(|| (value.span(), wrong().to_owned()))?;
    let mut servers = BTreeMap::new();
    for (name, value) in table {
        let text = name.get_ref();
        if !is_name(text) {
            let wrong = format!(
                "`{text}` can't be the name of an MCP server: only lowercase letters, digits and `_`"
            );
            return Err((name.span(), wrong));
        }
        servers.insert(text.to_string(), server(value)?);
    }
    Ok(servers)
}

fn server(value: &Spanned<DeValue<'_>>) -> Result<McpSettings, SpannedError> {
    let wrong = || (value.span(), "`command` is a list of the program and its arguments".to_owned());
    let mut settings = McpSettings::default();
    let table = value.get_ref().as_table().ok_or_else(wrong)?;
    for (key, value) in table {
        let words = || Ok(texts(value)?.into_iter().map(|(_, text)| text).collect::<Vec<_>>());
        match key.get_ref().as_ref() {
            "command" => settings.command = words()?,
            "pass_env" => settings.pass_env = words()?,
            "url" => settings.url = Some(url(value)?),
            "key" if find(table, "key_env").is_some() => {
                return Err((key.span(), "`key` and `key_env` are both given".to_owned()));
            }
            "key" => settings.key = Some(KeySource::Secret(secret(value)?)),
            "key_env" => settings.key = variable(value)?.map(KeySource::Variable),
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
    }
    let is_process = find(table, "command").is_some() || find(table, "pass_env").is_some();
    match &settings.url {
        Some(_) if is_process => {
            return Err((value.span(), "a server has either a `command` or a `url`".to_owned()));
        }
        Some(_) => return Ok(settings),
        None if settings.key.is_some() => {
            let why = "a `key` is sent to a `url`; a program gets the variables of `pass_env`";
            return Err((value.span(), why.to_owned()));
        }
        None => {}
    }
    if settings.command.first().is_none_or(String::is_empty) {
        return Err(wrong());
    }
    if settings.command.iter().any(|word| word.contains('\0')) {
        return Err((value.span(), "`command` has a NUL character".to_owned()));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::file::parse;
    use crate::config::{KeySource, McpSettings};

    #[test]
    fn servers_have_a_command_and_variables() {
        let text = "[mcp.time]\ncommand = [\"uvx\", \"mcp-server-time\"]\npass_env = [\"TZ\"]\n[mcp.b]\ncommand = [\"b\"]";
        let servers = parse(Path::new("config.toml"), text).unwrap().mcp;
        let command = vec!["uvx".to_owned(), "mcp-server-time".to_owned()];
        let time = McpSettings { command, pass_env: vec!["TZ".to_owned()], ..McpSettings::default() };
        assert_eq!(servers["time"], time);
        assert_eq!(servers["b"].pass_env, [""; 0]);
        let text = "[mcp.docs]\nurl = \"http://10.0.0.5/mcp\"\nkey = \"secrets.docs\"";
        let docs = &parse(Path::new("config.toml"), text).unwrap().mcp["docs"];
        assert_eq!(docs.url.as_deref(), Some("http://10.0.0.5/mcp"));
        assert_eq!(docs.key, Some(KeySource::Secret("docs".into())));
    }

    #[test]
    fn a_wrong_server_is_refused_with_its_line() {
        for (text, expected) in [
            ("mcp = 3", "`mcp` is a table of tables"),
            ("[mcp.Time]\ncommand = [\"a\"]", "can't be the name of an MCP server"),
            ("[mcp.time]\n", "`command` is a list"),
            ("[mcp.time]\ncommand = []", "`command` is a list"),
            ("[mcp.time]\ncommand = \"uvx time\"", "expected a list of texts"),
            ("[mcp.time]\ncommand = [\"a\"]\nenv = []", "unknown key `env`"),
            ("[mcp.time]\ncommand = [\"a\"]\nurl = \"http://a\"", "either a `command` or a `url`"),
            ("[mcp.time]\ncommand = [\"a\"]\nkey_env = \"A\"", "a `key` is sent to a `url`"),
            ("[mcp.time]\nurl = \"http://a\"\nkey = \"sk-1\"", "`key` names a secret"),
        ] {
            let error = parse(Path::new("config.toml"), text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("config.toml:"), "{error}");
        }
    }
}
