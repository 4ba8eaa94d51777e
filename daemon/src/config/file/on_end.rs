//! Reads `[[on_end]]`.

use fanlight_shared::on_end::{EndAction, EndOf, OnEnd, WantedBy};
use fanlight_shared::run::RunStatus;
use toml::Spanned;
use toml::de::DeValue;

use super::{SpannedError, texts, unknown_key};
use crate::secret::check_name;

const KEYS: [&str; 7] = ["of", "states", "command", "webhook", "token", "notify", "secrets"];
const ENDS: [RunStatus; 3] = [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];

/// Reads what to do at ends.
pub(super) fn on_end(value: &Spanned<DeValue<'_>>) -> Result<Vec<OnEnd>, SpannedError> {
    let wrong =
        "`on_end` is a list of tables, such as `command = [\"/usr/local/bin/tell\"]` below `[[on_end]]`";
    let list = value.get_ref().as_array().ok_or_else(|| (value.span(), wrong.to_owned()))?;
    list.iter().map(one).collect()
}

fn one(value: &Spanned<DeValue<'_>>) -> Result<OnEnd, SpannedError> {
    let whole = value.span();
    let wrong = |words: &str| (whole.clone(), words.to_owned());
    let table = value.get_ref().as_table().ok_or_else(|| wrong("`on_end` is a list of tables"))?;
    let (mut of, mut states, mut secrets, mut token, mut actions) =
        (None, Vec::new(), Vec::new(), None, Vec::new());
    for (key, value) in table {
        let text = || {
            let text = value.get_ref().as_str().map(str::to_owned);
            text.ok_or_else(|| (value.span(), format!("`{}` is a text", key.get_ref())))
        };
        match key.get_ref().as_ref() {
            "of" => {
                let word = text()?;
                let found = [EndOf::Run, EndOf::Sweep].into_iter().find(|of| of.word() == word);
                let wrong = || (value.span(), "`of` is \"run\" or \"sweep\"".to_owned());
                of = Some(found.ok_or_else(wrong)?);
            }
            "states" => {
                for (span, word) in texts(value)? {
                    let state = ENDS.into_iter().find(|state| state.word() == word);
                    let wrong = || (span, format!("`{word}` is not completed, failed or cancelled"));
                    states.push(state.ok_or_else(wrong)?);
                }
            }
            "command" => {
                let words: Vec<String> = texts(value)?.into_iter().map(|(_, text)| text).collect();
                if words.first().is_none_or(String::is_empty) || words.iter().any(|word| word.contains('\0'))
                {
                    let wrong = "`command` is a list of the program and its arguments";
                    return Err((value.span(), wrong.to_owned()));
                }
                actions.push(EndAction::Command(words));
            }
            "webhook" => actions.push(EndAction::Webhook { url: text()?, token: None }),
            "notify" => match value.get_ref().as_bool() {
                Some(true) => actions.push(EndAction::Notify),
                _ => return Err((value.span(), "`notify` is true, or left out".to_owned())),
            },
            "token" => {
                let name = text()?;
                check_name(&name).map_err(|why| (value.span(), why))?;
                token = Some(name);
            }
            "secrets" => {
                for (span, name) in texts(value)? {
                    check_name(&name).map_err(|why| (span, why))?;
                    secrets.push(name);
                }
            }
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
    }
    let [mut action] = <[EndAction; 1]>::try_from(actions)
        .map_err(|_| wrong("`on_end` has exactly one of `command`, `webhook` and `notify = true`"))?;
    match (&mut action, token) {
        (EndAction::Webhook { token, .. }, given) => *token = given,
        (_, Some(_)) => return Err(wrong("`token` is for a `webhook`")),
        (_, None) => {}
    }
    if !secrets.is_empty() && !matches!(action, EndAction::Command(_)) {
        return Err(wrong("`secrets` are for a `command`"));
    }
    Ok(OnEnd { of, states, action, secrets, wanted_by: WantedBy::Config })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::file::parse;

    fn read(text: &str) -> Result<Vec<OnEnd>, String> {
        parse(Path::new("config.toml"), text).map(|config| config.on_end).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_a_webhook_and_a_notification_are_read() {
        let text = "[[on_end]]\nof = \"sweep\"\nstates = [\"failed\"]\ncommand = [\"tell\", \"me\"]\nsecrets = [\"token\"]\n\
                    [[on_end]]\nwebhook = \"https://example.com/x\"\ntoken = \"hook\"\n[[on_end]]\nnotify = true\n";
        let all = read(text).unwrap();
        assert_eq!(all[0].of, Some(EndOf::Sweep));
        assert_eq!(all[0].states, [RunStatus::Failed]);
        assert_eq!(all[0].action, EndAction::Command(vec!["tell".to_owned(), "me".to_owned()]));
        let (url, token) = ("https://example.com/x".to_owned(), Some("hook".to_owned()));
        assert_eq!(all[1].action, EndAction::Webhook { url, token });
        assert_eq!((all[2].of, &all[2].action), (None, &EndAction::Notify));
        let stored = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Vec<OnEnd>>(&stored).unwrap(), all);
    }

    #[test]
    fn a_wrong_one_is_refused_with_its_line() {
        for (text, expected) in [
            ("on_end = 3", "is a list of tables"),
            ("[[on_end]]\n", "exactly one of"),
            ("[[on_end]]\nnotify = true\ncommand = [\"a\"]", "exactly one of"),
            ("[[on_end]]\ncommand = []", "`command` is a list"),
            ("[[on_end]]\nnotify = true\nof = \"node\"", "`of` is"),
            ("[[on_end]]\nnotify = true\nstates = [\"queued\"]", "`queued` is not"),
            ("[[on_end]]\nnotify = true\ntoken = \"a\"", "`token` is for"),
            ("[[on_end]]\nnotify = true\nsecrets = [\"a\"]", "`secrets` are for"),
            ("[[on_end]]\nnotifi = true", "did you mean `notify`?"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected) && error.contains("config.toml:"), "{text}: {error}");
        }
    }
}
