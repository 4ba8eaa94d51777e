//! The limit on open files of the daemon.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The minimum for the database, the clients and the commands of one run.
const MIN_OPEN_FILES: u64 = 256;

/// The system allows too few open files.
#[derive(Debug, thiserror::Error)]
#[error(
    "only {limit} files may be open at once, and the daemon needs {needed}: raise the limit before it is started, \
     with `ulimit -n 1024` in a new shell, or in the limits of your system (`ulimit -Hn` shows them)"
)]
pub struct TooFewFiles {
    /// The limit of the system.
    limit: u64,
    /// The number that is needed.
    needed: u64,
}

/// The limit that this process was started with.
static INHERITED: OnceLock<Rlimit> = OnceLock::new();

/// Raises the limit of this process as far as the system allows.
///
/// # Errors
/// It allows too few.
pub(crate) fn raise() -> Result<(), TooFewFiles> {
    let inherited = *INHERITED.get_or_init(|| getrlimit(Resource::Nofile));
    check(inherited.maximum)?;
    // A soft limit that can't be raised is only lower than it could be.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: inherited.maximum, maximum: inherited.maximum });
    Ok(())
}

/// Returns the original limit, which commands get: many programs expect it.
pub(crate) fn inherited() -> Option<Rlimit> {
    INHERITED.get().copied()
}

fn check(hard: Option<u64>) -> Result<(), TooFewFiles> {
    match hard {
        Some(limit) if limit < MIN_OPEN_FILES => Err(TooFewFiles { limit, needed: MIN_OPEN_FILES }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_is_reported_with_the_command_that_raises_it() {
        let said = check(Some(64)).unwrap_err().to_string();
        assert!(said.contains("64") && said.contains("ulimit -n 1024"), "{said}");
        check(Some(MIN_OPEN_FILES)).unwrap();
        check(None).unwrap();
    }
}
