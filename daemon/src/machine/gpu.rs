//! The GPUs of this machine, as `nvidia-smi` names them.

mod load;

use std::io;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use fanlight_shared::resources::{GPU_PARTS, GpuSlot};
use fanlight_shared::sanitise;

pub(crate) use load::GpuLoad;

/// How long `nvidia-smi` may take: it waits for a driver that starts.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often it is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The variable that says which GPUs of the machine this daemon may use.
const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// A GPU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gpu {
    /// Its number or name, for `CUDA_VISIBLE_DEVICES`.
    pub id: String,
    /// Its unique id, if it is known.
    pub uuid: Option<String>,
    /// The name of its model, if it is known.
    pub name: Option<String>,
}

impl Gpu {
    /// Returns a part of it for an attempt.
    pub(crate) fn slot(&self, part: u32) -> GpuSlot {
        let Self { id, uuid, name } = self.clone();
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
pub(super) fn find() -> Result<&'static [Gpu], String> {
    SYSTEM.find(|| {
        let all = ask("nvidia-smi")?;
        Ok(match std::env::var(VISIBLE) {
            Ok(visible) => only(all, &visible),
            Err(_) => all,
        })
    })
}

/// Returns the GPUs that [`find`] has found. Never blocks on the system.
///
/// # Errors
/// Why it has found none.
pub(super) fn known() -> Result<&'static [Gpu], String> {
    SYSTEM.known()
}

/// What was found, once it was.
struct Found {
    gpus: OnceLock<Vec<Gpu>>,
    /// Why the last try failed.
    failure: Mutex<Option<String>>,
    /// Held while the system is asked.
    asking: Mutex<()>,
}

impl Found {
    const fn new() -> Self {
        Self { gpus: OnceLock::new(), failure: Mutex::new(None), asking: Mutex::new(()) }
    }

    fn find(&self, ask: impl FnOnce() -> Result<Vec<Gpu>, String>) -> Result<&[Gpu], String> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gpus) = self.gpus.get() {
            return Ok(gpus);
        }
        match ask() {
            Ok(gpus) => Ok(self.gpus.get_or_init(|| gpus)),
            Err(why) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                Err(why)
            }
        }
    }

    fn known(&self) -> Result<&[Gpu], String> {
        let failure = || self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self.gpus.get() {
            Some(gpus) => Ok(gpus),
            None => Err(failure().unwrap_or_else(|| "its GPUs have not been looked for".to_owned())),
        }
    }
}

/// Asks a program for the GPUs; there are none if it doesn't exist.
fn ask(program: &str) -> Result<Vec<Gpu>, String> {
    let Some(text) = query(program, "index,uuid,name,memory.total", TIMEOUT)? else { return Ok(Vec::new()) };
    let unexpected =
        |line: String| format!("`nvidia-smi` said something unexpected: {}", sanitise::line(&line));
    parse(&text).map_err(unexpected)
}

/// Asks a program for fields of each GPU; `None` if it doesn't exist or there are no GPUs.
fn query(program: &str, fields: &str, timeout: Duration) -> Result<Option<String>, String> {
    let failed = |why: &str| format!("`nvidia-smi` {why}");
    let mut command = Command::new(program);
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
            let _ = child.wait();
            return Err(failed("did not answer"));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    let output = child.wait_with_output().map_err(|error| failed(&format!("can't be read: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().starts_with("No devices were found") {
        return Ok(None);
    }
    if !output.status.success() {
        let line = sanitise::line(text.lines().next().unwrap_or_default());
        return Err(failed(&format!("failed: {line}")));
    }
    Ok(Some(text.into_owned()))
}

/// Reads lines of index, id, name and memory.
///
/// # Errors
/// The line that is different.
fn parse(text: &str) -> Result<Vec<Gpu>, String> {
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
        })
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| gpu(line).ok_or_else(|| line.to_owned())).collect()
}

/// Returns those GPUs that a value of `CUDA_VISIBLE_DEVICES` names, in its order. As in CUDA, the first that doesn't exist ends
/// the list.
fn only(all: Vec<Gpu>, visible: &str) -> Vec<Gpu> {
    let named = |name: &str| {
        let is = |gpu: &&Gpu| {
            gpu.id == name
                || name.starts_with("GPU-") && gpu.uuid.as_deref().is_some_and(|it| it.starts_with(name))
        };
        all.iter().find(is).cloned()
    };
    visible.split(',').map_while(|name| named(name.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As two drivers wrote it.
    const RECORDED: &str = "0, GPU-5a3c1f0e-77aa-2b53-9e0e-8c1f6b1d2e3f, NVIDIA H200, 143771\n\
                            1, GPU-0d9e8c7b-1111-2222-3333-444455556666, NVIDIA GB10, [N/A]\n";

    #[test]
    fn gpus_are_read_from_recorded_output() {
        let gpus = parse(RECORDED).unwrap();
        assert_eq!(gpus.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["0", "1"]);
        assert_eq!(gpus[0].uuid.as_deref(), Some("GPU-5a3c1f0e-77aa-2b53-9e0e-8c1f6b1d2e3f"));
        assert_eq!(gpus[1].name.as_deref(), Some("NVIDIA GB10"));
        assert_eq!(parse(""), Ok(Vec::new()));
        for line in
            ["Failed to initialize NVML: Driver/library version mismatch", "0, x, y, 1", "a, GPU-1, y, 1"]
        {
            assert_eq!(parse(line), Err(line.to_owned()));
        }
    }

    #[test]
    fn a_daemon_that_may_use_some_gpus_gives_only_those() {
        let ids = |visible: &str| {
            only(parse(RECORDED).unwrap(), visible).into_iter().map(|it| it.id).collect::<Vec<_>>().join(",")
        };
        assert_eq!((ids("1,0"), ids("0"), ids("GPU-0d9e")), ("1,0".into(), "0".into(), "1".into()));
        assert_eq!((ids(""), ids("-1"), ids("0,7,1")), (String::new(), String::new(), "0".into()));
    }

    #[test]
    fn a_slot_is_recognised_by_its_unique_id_although_its_number_changed() {
        let gpus = parse(RECORDED).unwrap();
        let slot = GpuSlot { id: "0".into(), ..gpus[1].slot(250) };
        assert!(gpus[1].has(&slot) && !gpus[0].has(&slot));
        let declared = Gpu { id: "0".into(), uuid: None, name: None };
        assert!(declared.has(&slot));
    }

    #[test]
    fn a_failure_is_not_kept_and_gpus_are() {
        let found = Found::new();
        assert!(found.known().unwrap_err().contains("not been looked for"));
        assert_eq!(found.find(|| Err("no driver yet".into())), Err("no driver yet".into()));
        assert_eq!(found.known(), Err("no driver yet".into()));
        assert_eq!(found.find(|| parse(RECORDED)).map(<[_]>::len), Ok(2));
        assert_eq!(found.find(|| panic!("they are known")).map(<[_]>::len), Ok(2));
        assert_eq!(found.known().map(<[_]>::len), Ok(2));
    }

    #[test]
    fn a_program_that_is_missing_fails_or_lies_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let program = |script: &str| {
            let path = folder.path().join("smi");
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(&path, mode).unwrap();
            ask(&path.to_string_lossy())
        };
        assert_eq!(ask("/nonexistent/nvidia-smi"), Ok(Vec::new()));
        assert_eq!(program("echo No devices were found; exit 6"), Ok(Vec::new()));
        assert_eq!(program("echo no driver; exit 9"), Err("`nvidia-smi` failed: no driver".into()));
        assert!(program("echo hello").unwrap_err().contains("said something unexpected: hello"));
        assert_eq!(program("echo '0, GPU-1, A100, 81920'").unwrap().len(), 1);
    }
}
