//! The system's `ssh` as everything here calls it: the user's config, agent and jump hosts work as they do in a shell.

use std::path::Path;

use crate::id::BlobHash;
use crate::sanitise;

/// The exit status of `ssh` itself.
pub const FAILED: i32 = 255;
/// The longest path of a socket in bytes.
const MAX_SOCKET_BYTES: usize = 100;
/// What `ssh` adds to the path of its control socket while it makes it.
const SUFFIX_BYTES: usize = 17;

/// Returns the options that all invocations have, with the socket through which they share one connection. A `quiet` one asks
/// for no password.
#[must_use]
pub fn options(control: &Path, quiet: bool) -> Vec<String> {
    // `ssh` reads `%` as the beginning of a token.
    let control = control.to_string_lossy().replace('%', "%%");
    let mut options = vec![
        "ControlMaster=auto".to_owned(),
        format!("ControlPath={control}"),
        // The next command needs no new login; afterwards `ssh` ends and removes its socket.
        "ControlPersist=60".to_owned(),
        "ServerAliveInterval=15".to_owned(),
        "ServerAliveCountMax=3".to_owned(),
        "ConnectTimeout=20".to_owned(),
        "StreamLocalBindUnlink=yes".to_owned(),
        // The user's own forwards and commands for this host are for sessions of theirs.
        "ClearAllForwardings=yes".to_owned(),
        "RemoteCommand=none".to_owned(),
        "PermitLocalCommand=no".to_owned(),
    ];
    if quiet {
        options.push("BatchMode=yes".to_owned());
    }
    options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect()
}

/// Returns the control socket for this destination in a folder, which all processes with that destination share.
///
/// # Errors
/// Its path is too long for a socket.
pub fn control(folder: &Path, destination: &str) -> Result<std::path::PathBuf, String> {
    let hash = BlobHash::of(destination.as_bytes()).to_string();
    let control = folder.join(hash.chars().take(16).collect::<String>());
    if control.as_os_str().len() + SUFFIX_BYTES > MAX_SOCKET_BYTES {
        return Err(format!(
            "the socket path `{}` is too long for `ssh`: set XDG_RUNTIME_DIR to a shorter path",
            control.display()
        ));
    }
    Ok(control)
}

/// Returns why `ssh` itself [failed](FAILED), and what to do. `name` is the host in messages.
#[must_use]
pub fn failure(name: &str, destination: &str, stderr: &str) -> String {
    let last = last_line(stderr);
    if last.contains("Permission denied") || last.contains("Too many auth") {
        return format!("the login at `{name}` was refused ({last}): `ssh {destination}` must work first");
    }
    if last.contains("Host key verification failed") {
        return format!(
            "`{name}` has a host key that is not known here: confirm it with `ssh {destination}` first"
        );
    }
    if last.is_empty() {
        return format!("`{name}` can't be reached through `ssh`");
    }
    format!("`{name}` can't be reached through `ssh`: {last}")
}

/// Returns the last line of a program's messages that says something, safe to show.
#[must_use]
pub fn last_line(stderr: &str) -> String {
    let says = |line: &&str| !line.is_empty() && !line.starts_with("hint:");
    let last = stderr.lines().map(str::trim).rfind(says).unwrap_or_default();
    sanitise::line(last.strip_prefix("error: ").unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_ssh_could_not_use_is_refused() {
        let folder = Path::new("/run/user/1000/fanlight/ssh");
        assert_eq!(control(folder, "box"), control(folder, "box"));
        assert_ne!(control(folder, "box"), control(folder, "bix"));
        let error = control(Path::new(&format!("/{}", "x".repeat(90))), "box").unwrap_err();
        assert!(error.contains("too long for `ssh`"), "{error}");
    }

    #[test]
    fn what_ssh_says_becomes_what_to_do() {
        let refused = failure("box", "ada@box", "ada@box: Permission denied (publickey).\n");
        assert!(refused.contains("`ssh ada@box` must work first"), "{refused}");
        assert!(failure("box", "box", "").ends_with("can't be reached through `ssh`"));
        assert_eq!(last_line("one\nerror: two\n\nhint: x\n"), "two");
    }
}
