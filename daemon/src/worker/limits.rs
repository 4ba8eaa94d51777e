//! The limits of workers.

use std::time::Duration;

use image::Limits;

/// Address space of a worker, in bytes.
pub(super) const MEMORY: u64 = 2 << 30;
/// Files that a worker may have open.
const OPEN_FILES: u64 = 256;
/// How long one request may take.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(5 * 60);
/// Longest side of a picture, in pixels.
pub(crate) const SIDE: u32 = 16_384;
/// Pixels of a picture.
pub(crate) const PIXELS: u64 = 100_000_000;
/// What a decoder may allocate, in bytes: a picture of [`PIXELS`] with four bytes each, and as much again.
const DECODER: u64 = 800 << 20;

/// Takes the limits upon this process.
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

/// The limits of one decoder.
pub(super) fn decoder() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(DECODER);
    limits
}

/// Checks the size of a picture before it is made or decoded.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("a picture of {width} × {height} pixels has nothing in it"));
    }
    if width > SIDE || height > SIDE || u64::from(width) * u64::from(height) > PIXELS {
        let millions = PIXELS / 1_000_000;
        return Err(format!(
            "a picture of {width} × {height} pixels is too large; at most {SIDE} a side and {millions} million pixels are taken"
        ));
    }
    Ok(())
}
