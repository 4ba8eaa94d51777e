//! The login node of a cluster, whose commands are called through the system's `ssh`.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use fanlight_shared::home::Home;
use fanlight_shared::{quote, ssh};
use tokio::process::Command;

/// The program that reaches it.
pub(super) const SSH: &str = "ssh";
/// The program that carries files there and back.
pub(super) const RSYNC: &str = "rsync";
/// What precedes the output of a command: the shell there may greet first.
const MARK: &str = "fanlight: begin";

/// A login node.
#[derive(Clone, Debug)]
pub(super) struct Login {
    destination: String,
    home: Home,
}

impl Login {
    /// Creates it; nothing is called yet.
    pub(super) fn new(destination: &str, home: &Home) -> Self {
        Self { destination: destination.to_owned(), home: home.clone() }
    }

    /// Returns its name for people.
    pub(super) fn name(&self) -> &str {
        self.destination.trim_start_matches("ssh://")
    }

    /// Returns the command that calls a program there. All calls share one connection, also with `--host`.
    ///
    /// # Errors
    /// The folder of its socket can't be used, or a word can't be sent.
    pub(super) fn command(&self, program: &str, words: &[OsString]) -> Result<Command, String> {
        let mut line = format!("printf '%s\\n' {}; exec env LC_ALL=C {program}", quote::word(MARK)?);
        for word in words {
            let unsendable = || format!("`{}` is not UTF-8, so it can't be sent", word.display());
            line.push(' ');
            line.push_str(&quote::word(word.to_str().ok_or_else(unsendable)?)?);
        }
        let mut command = Command::new(SSH);
        command.args(ssh::options(&self.control()?, true));
        command.args(["-T", "--", &self.destination, &line]);
        Ok(command)
    }

    /// Returns the command that asks for an answer through a connection of its own.
    ///
    /// # Errors
    /// The folder of the socket can't be used.
    pub(super) fn probe(&self) -> Result<Command, String> {
        let mut command = Command::new(SSH);
        // The first value of an option counts.
        command.args(["-o", "ControlPath=none"]).args(ssh::options(&self.control()?, true));
        command.args(["-T", "--", &self.destination, &format!("printf '%s\\n' {}", quote::word(MARK)?)]);
        Ok(command)
    }

    /// Returns the command that lets the next call open a new connection. Calls that go on keep theirs.
    ///
    /// # Errors
    /// The folder of the socket can't be used.
    pub(super) fn leave(&self) -> Result<Command, String> {
        let mut command = Command::new(SSH);
        command.args(ssh::options(&self.control()?, true)).args(["-O", "stop", "--", &self.destination]);
        Ok(command)
    }

    /// Returns the destination as rsync has it, and the program that reaches it.
    ///
    /// # Errors
    /// The folder of the socket can't be used.
    pub(super) fn for_rsync(&self) -> Result<(String, String), String> {
        let (destination, port) = split_port(self.name());
        let mut words = vec![SSH.to_owned()];
        words.extend(ssh::options(&self.control()?, true));
        words.extend(port.iter().flat_map(|port| ["-p".to_owned(), (*port).to_owned()]));
        // rsync divides the words at spaces, unless they are quoted, and reads a doubled quote as one.
        let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', "''")));
        Ok((destination.to_owned(), quoted.collect::<Vec<_>>().join(" ")))
    }

    /// Returns the output of a command without what the shell said before it; `None` if the shell did not run it.
    pub(super) fn output(&self, text: &str) -> Option<String> {
        let mut lines = text.split_inclusive('\n');
        // A greeting may end without a line break, as one that sets the title of a window does.
        lines.any(|line| line.trim_end().ends_with(MARK)).then(|| lines.collect())
    }

    /// Returns why `ssh` itself failed.
    pub(super) fn failure(&self, stderr: &str) -> String {
        ssh::failure(self.name(), &self.destination, stderr)
    }

    fn control(&self) -> Result<PathBuf, String> {
        self.home.make_socket_folder().map_err(|error| error.to_string())?;
        let folder = self.home.socket.with_file_name("ssh");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| format!("the folder {} can't be used: {error}", folder.display()))?;
        ssh::control(&folder, self.name())
    }
}

/// Divides a destination such as `ada@login:2222`.
fn split_port(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((rest, port)) if !port.contains(']') && (!rest.contains(':') || rest.ends_with(']')) => {
            (rest, Some(port))
        }
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_port_is_divided_from_a_host() {
        assert_eq!(split_port("ada@login"), ("ada@login", None));
        assert_eq!(split_port("ada@login:2222"), ("ada@login", Some("2222")));
        assert_eq!(split_port("[::1]:22"), ("[::1]", Some("22")));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
    }

    #[test]
    fn a_greeting_is_not_the_output_of_a_command() {
        let login = Login::new("ssh://ada@login", &Home::below(Path::new("/h")).unwrap());
        assert_eq!(login.name(), "ada@login");
        assert_eq!(login.output("Welcome\r\nfanlight: begin\n7\n8").unwrap(), "7\n8");
        assert_eq!(login.output("\u{1b}]0;login\u{7}fanlight: begin\n7").unwrap(), "7");
        assert_eq!(login.output("This account is closed.\n"), None);
    }
}
