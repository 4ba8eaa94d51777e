//! Why a process ended.

use fanlight_shared::sanitise;
use fanlight_shared::value::cut;

use super::End;
use crate::plugin::guard::Ended;

/// Returns why a process ended that nobody ended here.
pub(super) fn reason(ended: Option<&Ended>, tail: &[u8]) -> End {
    let tail = String::from_utf8_lossy(tail);
    let lines = tail.lines().map(|line| sanitise::line(line).trim().to_owned());
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join(" / ");
    let last = if last.is_empty() { String::new() } else { format!(": {}", cut(&last, 400)) };
    /// The signals by which a person or the system ends a process; one that crashes gets others.
    const EXTERNAL: [i32; 5] = [1, 2, 3, 9, 15];
    match ended {
        Some(Ended::Code(code)) => End::Fault(format!("it ended with exit code {code}{last}")),
        Some(Ended::Signal(signal)) if EXTERNAL.contains(signal) => {
            End::Outside(format!("the plugin's process was ended from outside (signal {signal})"))
        }
        Some(Ended::Signal(signal)) => End::Fault(format!("it crashed with signal {signal}{last}")),
        Some(Ended::Unstarted(why)) => End::Fault(sanitise::line(why)),
        None => End::Outside("the plugin's process was ended from outside".to_owned()),
    }
}
