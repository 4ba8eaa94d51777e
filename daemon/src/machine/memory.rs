//! The memory that this process and what it starts may use: that of the machine, or less if a cgroup limits it.

use std::fs;
use std::path::{Path, PathBuf};

/// The memory of a system that doesn't say how much it has: no limit.
const UNKNOWN: u64 = i64::MAX as u64;

/// Returns the memory in bytes.
pub(super) fn available() -> u64 {
    let machine = of_machine().unwrap_or(UNKNOWN);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limits(&groups, Path::new("/sys/fs/cgroup")).into_iter().fold(machine, u64::min)
}

#[cfg(target_os = "linux")]
fn of_machine() -> Option<u64> {
    total(&fs::read_to_string("/proc/meminfo").ok()?)
}

#[cfg(not(target_os = "linux"))]
fn of_machine() -> Option<u64> {
    let output = std::process::Command::new("/usr/sbin/sysctl").args(["-n", "hw.memsize"]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Returns the memory that `/proc/meminfo` tells.
#[cfg(target_os = "linux")]
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Returns the limits of the cgroups that `/proc/self/cgroup` names, and of those above them.
fn limits(groups: &str, mounted: &Path) -> Vec<u64> {
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (root, file) = match controllers {
            "" => (mounted.to_owned(), "memory.max"),
            it if it.split(',').any(|it| it == "memory") => (mounted.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        let mut folder: PathBuf = root.join(path.trim_start_matches('/'));
        loop {
            // Without a limit it holds the word `max`, or a number larger than any memory.
            let limit = fs::read_to_string(folder.join(file)).ok();
            limits.extend(limit.and_then(|limit| limit.trim().parse::<u64>().ok()));
            if folder == root || !folder.pop() {
                break;
            }
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_memory_of_the_machine_is_read() {
        assert_eq!(total("MemTotal:       24566100 kB\nMemFree: 1 kB\n"), Some(24_566_100 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn a_limit_of_the_cgroup_or_of_one_above_it_counts() {
        let mounted = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = mounted.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("user/app/memory.max", "max\n");
        write("user/memory.max", "4000000\n");
        write("memory/job/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/memory.limit_in_bytes", "5000000\n");
        assert_eq!(limits("0::/user/app\n", mounted.path()), [4_000_000]);
        let old = limits("9:cpu,memory:/job\n3:pids:/job\n", mounted.path());
        assert_eq!(old, [9_223_372_036_854_771_712, 5_000_000]);
        assert_eq!(limits("0::/gone\nnonsense\n", mounted.path()), Vec::<u64>::new());
    }
}
