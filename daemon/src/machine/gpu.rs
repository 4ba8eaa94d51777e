//! The GPUs of this machine, as `nvidia-smi` names them.

mod found;
mod load;

use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fanlight_shared::resources::{GPU_PARTS, GpuSlot};
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;
use serde::{Deserialize, Serialize};

use crate::supervisor::record::boot_id;
use found::{Found, Named, Remembered};
pub(crate) use load::GpuLoad;

/// How long `nvidia-smi` may take: it waits for a driver that starts.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often it is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The program that names them.
const PROGRAM: &str = "nvidia-smi";
/// The variable that says which GPUs of the machine this daemon may use.
const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// A GPU.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Gpu {
    /// Its number or name, for `CUDA_VISIBLE_DEVICES`.
    pub id: String,
    /// Its unique id, if it is known.
    pub uuid: Option<String>,
    /// The name of its model, if it is known.
    pub name: Option<String>,
    /// Since when the system that has named it before is known not to do so, if it doesn't.
    pub lost: Option<Time>,
}

impl Gpu {
    /// Returns a part of it for an attempt.
    pub(crate) fn slot(&self, part: u32) -> GpuSlot {
        let Self { id, uuid, name, lost: _ } = self.clone();
        GpuSlot { id, uuid, name, part: part.min(GPU_PARTS) }
    }

    /// Returns whether a slot is a part of it.
    pub(crate) fn has(&self, slot: &GpuSlot) -> bool {
        match (&self.uuid, &slot.uuid) {
            (Some(own), Some(other)) => own == other,
            _ => self.id == slot.id,
        }
    }
}

/// The GPUs that this daemon may use.
static SYSTEM: Found = Found::new();

/// Finds the GPUs that this daemon may use. Blocks until they were found once.
///
/// # Errors
/// The system can't name them now; it is asked again by the next call.
pub(super) fn find() -> Result<Arc<[Gpu]>, String> {
    SYSTEM.find(|known, count| ask(PROGRAM, known, count))
}

/// Asks the system again for the GPUs that [`find`] has found. Blocks.
pub(super) fn look_again() {
    SYSTEM.look_again(|known, count| ask(PROGRAM, known, count));
}

/// Returns the GPUs that [`find`] has found, with those that are lost. Never blocks on the system.
///
/// # Errors
/// Why it has found none.
pub(super) fn known() -> Result<Arc<[Gpu]>, String> {
    SYSTEM.known()
}

/// What is stored of the GPUs that were found.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The boot of the machine. One that is still lost after a reboot may have been taken out, and is not waited for; and
    /// another machine with this home has GPUs of its own.
    boot: Option<String>,
    /// The value of `CUDA_VISIBLE_DEVICES` of that daemon.
    visible: Option<String>,
    #[serde(flatten)]
    found: Remembered,
}

/// Takes over what [`remembered`] of an earlier daemon said, unless this one may use others.
pub(super) fn remember(stored: &str) {
    match serde_json::from_str::<Stored>(stored) {
        Ok(Stored { boot, visible, found }) if (&boot, &visible) == (&boot_id(), &visible_now()) => {
            SYSTEM.remember(found);
        }
        Ok(_) => {}
        Err(error) => tracing::warn!("the GPUs that an earlier daemon has found can't be read: {error}"),
    }
}

/// Returns what the next daemon needs to know of the GPUs that were found, if there are any.
pub(super) fn remembered() -> Option<String> {
    let found = SYSTEM.remembered()?;
    serde_json::to_string(&Stored { boot: boot_id(), visible: visible_now(), found }).ok()
}

fn visible_now() -> Option<String> {
    std::env::var(VISIBLE).ok()
}

/// Returns why there may be more GPUs than [`known`] returns. Never blocks on the system.
pub(super) fn trouble() -> Option<String> {
    SYSTEM.trouble()
}

/// Asks a program for the GPUs; there are none if it doesn't exist. One device can make it fail for all: those that are known
/// are then asked for one by one. `count` is how many would be all of the machine.
fn ask(program: &str, known: &[Gpu], count: usize) -> Result<Named, String> {
    let (all, trouble) = match ask_for(program, None) {
        Ok(named) => named,
        Err(Refusal::Silent(why)) => return Err(why),
        Err(Refusal::Failed(why)) if known.is_empty() => return Err(why),
        Err(Refusal::Failed(why)) => {
            let mut all = Vec::new();
            for uuid in known.iter().filter_map(|gpu| gpu.uuid.as_deref()) {
                match ask_for(program, Some(uuid)) {
                    Ok((gpus, _)) => all.extend(gpus),
                    Err(Refusal::Failed(_)) => {}
                    Err(Refusal::Silent(why)) => return Err(why),
                }
            }
            (all, Some(why))
        }
    };
    let is_whole = trouble.is_none() && all.len() >= count;
    let known = if is_whole { &[] } else { known };
    let usable = match visible_now() {
        Some(visible) => only(all.clone(), &still_valid(&visible, known))?,
        None => all.clone(),
    };
    Ok(Named { all, usable, is_whole, trouble })
}

/// Asks a program for all GPUs or one. If it fails, those that it named nevertheless are there, with why it failed.
fn ask_for(program: &str, one: Option<&str>) -> Result<(Vec<Gpu>, Option<String>), Refusal> {
    let Some(answer) = query(program, one, "index,uuid,name,memory.total", TIMEOUT)? else {
        return Ok((Vec::new(), None));
    };
    let (gpus, other) = parse(&answer.text);
    let said = sanitise::line(other.unwrap_or_default());
    match (answer.failed, other) {
        (true, _) if gpus.is_empty() => Err(Refusal::Failed(format!("`{PROGRAM}` failed: {said}"))),
        (true, _) => Ok((gpus, Some(format!("`{PROGRAM}` failed: {said}")))),
        (false, None) => Ok((gpus, None)),
        (false, Some(_)) => Err(Refusal::Failed(format!("`{PROGRAM}` said something unexpected: {said}"))),
    }
}

/// What a program answered.
struct Answer {
    text: String,
    /// Whether it ended with an exit code that says so.
    failed: bool,
}

/// Why there is no answer.
#[derive(PartialEq, Eq, Debug)]
enum Refusal {
    /// The program can't be started, or takes too long.
    Silent(String),
    /// It failed.
    Failed(String),
}

/// Asks a program for fields of each GPU or of one; `None` if it doesn't exist or there are no GPUs.
fn query(
    program: &str,
    one: Option<&str>,
    fields: &str,
    timeout: Duration,
) -> Result<Option<Answer>, Refusal> {
    let failed = |why: &str| Refusal::Silent(format!("`{PROGRAM}` {why}"));
    let mut command = Command::new(program);
    command.args(one.map(|uuid| format!("--id={uuid}")));
    command.args([&format!("--query-gpu={fields}"), "--format=csv,noheader,nounits"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&format!("can't be started: {error}"))),
    };
    let begun = Instant::now();
    // Its output is a few lines, which a pipe holds.
    while child.try_wait().is_ok_and(|ended| ended.is_none()) {
        if begun.elapsed() > timeout {
            let _ = child.kill();
            // One that waits in the driver may not die for long.
            std::thread::spawn(move || child.wait());
            return Err(failed("did not answer"));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    let output = child.wait_with_output().map_err(|error| failed(&format!("can't be read: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().starts_with("No devices were found") {
        return Ok(None);
    }
    Ok(Some(Answer { text: text.into_owned(), failed: !output.status.success() }))
}

/// Reads lines of index, id, name and memory. Returns also the first line that is different.
fn parse(text: &str) -> (Vec<Gpu>, Option<&str>) {
    let gpu = |line: &str| {
        let mut fields = line.splitn(3, ',');
        let (index, uuid, rest) = (fields.next()?.trim(), fields.next()?.trim(), fields.next()?);
        // The memory is a number of MiB, or not known where it is that of the machine.
        let (name, memory) = rest.rsplit_once(',')?;
        let known = memory.trim().parse::<u64>().is_ok() || memory.trim().starts_with('[');
        let is_id = uuid.starts_with("GPU-") && uuid.bytes().all(|it| it.is_ascii_graphic());
        (index.parse::<u32>().is_ok() && is_id && known).then(|| Gpu {
            id: index.to_owned(),
            uuid: Some(uuid.to_owned()),
            name: Some(sanitise::line(name.trim())),
            lost: None,
        })
    };
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    (lines().filter_map(gpu).collect(), lines().find(|line| gpu(line).is_none()))
}

/// Returns what a value of `CUDA_VISIBLE_DEVICES` says about devices that are not known yet. Once some are, a number may be
/// that of a device which belongs to others: the driver counts again when one is lost.
fn still_valid(visible: &str, known: &[Gpu]) -> String {
    let is_valid = |name: &&str| known.is_empty() || name.trim().starts_with("GPU-");
    visible.split(',').filter(is_valid).collect::<Vec<_>>().join(",")
}

/// Returns those GPUs that a value of `CUDA_VISIBLE_DEVICES` names, in its order. As in CUDA, the first that doesn't exist ends
/// the list.
///
/// # Errors
/// It names parts of GPUs.
fn only(all: Vec<Gpu>, visible: &str) -> Result<Vec<Gpu>, String> {
    if let Some(part) = visible.split(',').map(str::trim).find(|name| name.starts_with("MIG-")) {
        return Err(format!(
            "`{VISIBLE}` of the daemon names `{}`, a part of a GPU; write it as one of the `gpus` of `[resources]` in the config",
            sanitise::line(part)
        ));
    }
    let named = |name: &str| {
        let is = |gpu: &&Gpu| {
            gpu.id == name
                || name.starts_with("GPU-") && gpu.uuid.as_deref().is_some_and(|it| it.starts_with(name))
        };
        all.iter().find(is).cloned()
    };
    Ok(visible.split(',').map_while(|name| named(name.trim())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As two drivers wrote it.
    const RECORDED: &str = "0, GPU-5a3c1f0e-77aa-2b53-9e0e-8c1f6b1d2e3f, NVIDIA H200, 143771\n\
                            1, GPU-0d9e8c7b-1111-2222-3333-444455556666, NVIDIA GB10, [N/A]\n";

    #[test]
    fn gpus_are_read_from_recorded_output() {
        let gpus = parse(RECORDED).0;
        assert_eq!(gpus.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["0", "1"]);
        assert_eq!(gpus[0].uuid.as_deref(), Some("GPU-5a3c1f0e-77aa-2b53-9e0e-8c1f6b1d2e3f"));
        assert_eq!(gpus[1].name.as_deref(), Some("NVIDIA GB10"));
        assert_eq!(parse(""), (Vec::new(), None));
        for line in
            ["Failed to initialize NVML: Driver/library version mismatch", "0, x, y, 1", "a, GPU-1, y, 1"]
        {
            assert_eq!(parse(line), (Vec::new(), Some(line)));
        }
    }

    #[test]
    fn a_daemon_that_may_use_some_gpus_gives_only_those() {
        let ids = |visible: &str| ids(&only(parse(RECORDED).0, visible).unwrap());
        assert_eq!((ids("1,0"), ids("0"), ids("GPU-0d9e")), ("1,0".into(), "0".into(), "1".into()));
        assert_eq!((ids(""), ids("-1"), ids("0,7,1")), (String::new(), String::new(), "0".into()));
        let known = parse(RECORDED).0;
        assert_eq!(
            (still_valid("1,0", &[]).as_str(), still_valid("1, GPU-5a", &known).as_str()),
            ("1,0", " GPU-5a")
        );
        let parts = only(parse(RECORDED).0, "0,MIG-5a3c1f0e").unwrap_err();
        assert!(parts.contains("names `MIG-5a3c1f0e`, a part of a GPU"), "{parts}");
    }

    #[test]
    fn a_slot_is_recognised_by_its_unique_id_although_its_number_changed() {
        let gpus = parse(RECORDED).0;
        let slot = GpuSlot { id: "0".into(), ..gpus[1].slot(250) };
        assert!(gpus[1].has(&slot) && !gpus[0].has(&slot));
        let declared = Gpu { id: "0".into(), ..Gpu::default() };
        assert!(declared.has(&slot));
    }

    #[test]
    fn a_program_that_is_missing_fails_or_lies_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let program = |script: &str, known: &[Gpu]| {
            let path = folder.path().join("smi");
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(&path, mode).unwrap();
            let named = ask(&path.to_string_lossy(), known, known.len())?;
            assert_eq!(named.is_whole, named.trouble.is_none() && named.all.len() >= known.len());
            Ok::<_, String>((ids(&named.all), named.trouble))
        };
        let none = Ok((String::new(), None));
        assert_eq!(ask("/nonexistent/nvidia-smi", &[], 0).map(|named| named.all), Ok(Vec::new()));
        assert_eq!(program("echo No devices were found; exit 6", &[]), none);
        assert_eq!(program("echo no driver; exit 9", &[]), Err("`nvidia-smi` failed: no driver".into()));
        assert!(program("echo hello", &[]).unwrap_err().contains("said something unexpected: hello"));
        assert_eq!(program("echo '0, GPU-1, A100, 81920'", &[]), Ok(("0".into(), None)));
        // Of two devices, one is lost.
        let lost = "GPU0000:07:00.0: GPU is lost";
        let trouble = Some(format!("`nvidia-smi` failed: {lost}"));
        let both = format!("echo '{lost}'; echo '1, GPU-1, A100, 81920'; exit 15");
        assert_eq!(program(&both, &[]), Ok(("1".into(), trouble.clone())));
        let alone = format!(
            "case $1 in --id=GPU-0d*) echo '1, GPU-0d9e8c7b-1111-2222-3333-444455556666, A100, [N/A]';; *) echo '{lost}'; exit 15;; esac"
        );
        assert!(program(&alone, &[]).is_err());
        assert_eq!(program(&alone, &parse(RECORDED).0), Ok(("1".into(), trouble)));
    }

    fn ids(gpus: &[Gpu]) -> String {
        gpus.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(",")
    }
}
