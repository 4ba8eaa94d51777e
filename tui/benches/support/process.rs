//! Figures of a process from `/proc`.

pub(crate) fn field(pid: u32, name: &str) -> u64 {
    number(&std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default(), name) * 1024
}

fn number(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

pub(crate) fn resident(pid: u32) -> u64 {
    field(pid, "VmRSS:")
}

/// Returns the voluntary context switches of its threads, which is how often they woke up.
pub(crate) fn switches(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let status = threads.map(|it| std::fs::read_to_string(it.path().join("status")).unwrap_or_default());
    status.map(|it| number(&it, "voluntary_ctxt_switches:")).sum()
}

pub(crate) fn children(pid: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().count()
}

/// Returns the CPU time of all its threads so far, in seconds.
pub(crate) fn busy(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may contain blanks; numbers follow it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    ticks / 100.0
}

pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
