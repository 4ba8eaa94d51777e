//! A home on another computer: `--host ada@box`, `FANLIGHT_HOST`, or a `[host.NAME]` of the config.
//!
//! The system's `ssh` starts the daemon there and forwards its socket, so that keys, agents, jump hosts and the user's own
//! `ssh_config` work as they do elsewhere.

mod sockets;
mod ssh;
mod there;

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use fanlight_shared::home::Home;

use crate::embedded;
use crate::failure::Failure;
pub(crate) use there::Host;

static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
static HOST: OnceLock<Arc<Host>> = OnceLock::new();

/// Sets the host that the user chose by a flag; without one, `FANLIGHT_HOST` does. Only the first call counts.
pub(crate) fn choose(flag: Option<String>) {
    let variable = || std::env::var("FANLIGHT_HOST").ok();
    let _ = CHOSEN.set(flag.or_else(variable).filter(|name| !name.is_empty()));
}

/// Returns whether the user chose a home on another computer.
pub(crate) fn is_chosen() -> bool {
    matches!(CHOSEN.get(), Some(Some(_)))
}

/// Returns the home on another computer that the user chose.
///
/// # Errors
/// The name can't be a destination of `ssh`, or the config can't be read.
pub(crate) fn chosen(home: &Home) -> Result<Option<Arc<Host>>, Failure> {
    let Some(Some(name)) = CHOSEN.get() else { return Ok(None) };
    if let Some(host) = HOST.get() {
        return Ok(Some(Arc::clone(host)));
    }
    let settings = embedded::host(home, name)?;
    let host = Host::new(home.clone(), name, settings).map_err(Failure::usage)?;
    Ok(Some(Arc::clone(HOST.get_or_init(|| Arc::new(host)))))
}

/// Runs this command line on the chosen host.
pub(crate) async fn run_there(home: &Home) -> Result<(), Failure> {
    let Some(host) = chosen(home)? else { return Ok(()) };
    let arguments = without_flag(std::env::args_os().skip(1));
    let arguments: Option<Vec<String>> = arguments.into_iter().map(|it| it.into_string().ok()).collect();
    let arguments = arguments.ok_or_else(|| Failure::usage("the command line is not UTF-8"))?;
    host.run(&arguments).await
}

/// Removes what the connection left on this computer.
pub(crate) fn close() {
    if let Some(host) = HOST.get() {
        host.close();
    }
}

/// Returns a command line without `--host NAME`.
fn without_flag(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            kept.push(argument);
            kept.extend(arguments);
            break;
        }
        if argument == "--host" {
            arguments.next();
        } else if !argument.as_encoded_bytes().starts_with(b"--host=") {
            kept.push(argument);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_does_not_reach_the_other_computer() {
        let line = |text: &str| {
            let kept = without_flag(text.split(' ').map(OsString::from));
            kept.iter().map(|it| it.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("--host box daemon stop --cancel"), "daemon stop --cancel");
        assert_eq!(line("daemon --host=a@b status"), "daemon status");
        assert_eq!(line("secrets set x -- --host y"), "secrets set x -- --host y");
    }
}
