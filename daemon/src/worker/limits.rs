//! The limits of workers.

/// Address space of a worker, in bytes.
pub(super) const MEMORY: u64 = 2 << 30;
/// Files that a worker may have open.
const OPEN_FILES: u64 = 256;

/// Sets the limits of this process.
pub(super) fn enter() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // What a program that a worker starts writes is private too.
    rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o077));
    let limit = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Core, limit(0))?;
    // A limit can't be raised above the one that this process has.
    let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(OPEN_FILES);
    setrlimit(Resource::Nofile, limit(OPEN_FILES.min(allowed)))?;
    // macOS counts the shared cache of libraries here, so that no process would start below this limit.
    #[cfg(target_os = "linux")]
    setrlimit(Resource::As, limit(MEMORY))?;
    Ok(())
}
