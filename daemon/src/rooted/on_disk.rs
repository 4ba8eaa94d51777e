//! Recognises files of the kernel, which aren't the user's.

use std::os::fd::AsFd;
use std::path::Path;

/// Refuses a file or folder of a virtual file system, such as `/proc` and `/sys`: its files aren't the user's, and may
/// contain the daemon's own environment.
///
/// # Errors
/// A sentence.
#[cfg(target_os = "linux")]
pub(crate) fn check_on_disk(file: impl AsFd, path: &Path) -> Result<(), String> {
    /// proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, configfs, bpf, efivarfs, devpts, selinuxfs, pstorefs.
    const VIRTUAL_FILE_SYSTEMS: [u64; 13] = [
        0x9fa0,
        0x6265_6572,
        0x0027_e0eb,
        0x6367_7270,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0x6265_6570,
        0xcafe_4a11,
        0xde5e_81e4,
        0x1cd1,
        0xf97c_ff8c,
        0x6165_676c,
    ];
    let shown = path.display();
    let stat = rustix::fs::fstatfs(file).map_err(|error| format!("{shown} can't be read: {error}"))?;
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
    let kind = stat.f_type as u64 & 0xffff_ffff;
    if VIRTUAL_FILE_SYSTEMS.contains(&kind) {
        return Err(format!("{shown} belongs to the kernel, not to a disk; name a file of your own"));
    }
    Ok(())
}

/// Accepts everything: other systems have no such files.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn check_on_disk(_: impl AsFd, _: &Path) -> Result<(), String> {
    Ok(())
}
