//! Words of a command line for the login shell of another computer.

/// Returns a word so that a shell there reads it as it is: sh, bash, zsh, dash, fish and csh do.
///
/// # Errors
/// It has a control character: a line break would end the command in some of them.
pub fn word(text: &str) -> Result<String, String> {
    if text.contains(char::is_control) {
        return Err(format!("`{}` has a control character, so it can't be sent", text.escape_debug()));
    }
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./:,@+".contains(it);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let mut quoted = String::from("'");
    for letter in text.chars() {
        match letter {
            // Outside of the quotes: fish gives a backslash a meaning within them, csh gives one to `!`.
            '\'' | '\\' | '!' => quoted.extend(["'\\", letter.encode_utf8(&mut [0; 4]), "'"]),
            letter => quoted.push(letter),
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

/// Returns a path as [`word`] does, except that `~/` at its beginning is the user's folder there.
///
/// # Errors
/// As [`word`].
pub fn path(text: &str) -> Result<String, String> {
    match text.strip_prefix("~/") {
        Some(rest) => Ok(format!("\"$HOME\"/{}", word(rest)?)),
        None => word(text),
    }
}

/// Returns a command line of such words.
///
/// # Errors
/// As [`word`].
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String, String> {
    let words: Result<Vec<String>, String> = words.into_iter().map(word).collect();
    Ok(words?.join(" "))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const HOSTILE: [&str; 16] = [
        "",
        " ",
        "a b",
        "'",
        "''",
        "\\",
        "\\'",
        "a\\\\b",
        "$(touch /tmp/x)",
        "`id`",
        "$HOME",
        "; rm -rf ~ #",
        "!! && !ls",
        "~/x",
        "-oProxyCommand=id",
        "*?[a]{b,c}<>|&äø\"",
    ];

    #[test]
    fn hostile_words_arrive_as_they_are() {
        for shell in ["sh", "bash", "dash", "zsh", "fish", "csh"] {
            let line = format!("printf '%s\\n' {}", line(HOSTILE).unwrap());
            let Ok(output) = Command::new(shell).args(["-c", &line]).output() else { continue };
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text.lines().collect::<Vec<_>>(), HOSTILE, "{shell}: {line}");
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\nb", "a\0", "\u{1b}[2J"] {
            assert!(word(text).unwrap_err().contains("control character"), "{text:?}");
        }
    }

    #[test]
    fn a_path_may_begin_in_the_folder_of_the_user() {
        let line = format!("printf %s {}", path("~/a b/$(id)'").unwrap());
        let output = Command::new("sh").args(["-c", &line]).env("HOME", "/home/a d").output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "/home/a d/a b/$(id)'");
    }
}
