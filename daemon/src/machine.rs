//! What this machine has for attempts that state their `resources`: from the config, else from the system.

mod gpu;
mod memory;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::resources::{CPU_PARTS, Resources, shown_bytes, shown_cpus, shown_gpus};

pub(crate) use gpu::{Gpu, GpuLoad};

/// The part of the configuration that is about resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceSettings {
    /// CPUs in thousandths, instead of those of the machine.
    pub cpus: Option<u32>,
    /// Memory in bytes, instead of that of the machine.
    pub memory: Option<u64>,
    /// GPUs, instead of those that `nvidia-smi` names.
    pub gpus: Option<Arc<[Gpu]>>,
}

/// The resources of this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Machine {
    /// CPUs, in thousandths.
    pub(crate) cpus: u32,
    /// Memory, in bytes.
    pub(crate) memory: u64,
    /// The GPUs of the config; `None` for those of the system.
    declared: Option<Arc<[Gpu]>>,
}

impl Machine {
    /// Returns what the settings say, and for the rest what the system allows this process.
    pub(crate) fn of(settings: &ResourceSettings) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, |it| it.get() as u32);
        Self {
            cpus: settings.cpus.unwrap_or_else(|| cores().saturating_mul(CPU_PARTS)),
            memory: settings.memory.unwrap_or_else(memory::available),
            declared: settings.gpus.clone(),
        }
    }

    /// Finds its GPUs. Blocks until the system has named them once, so it is not for the engine's loop.
    ///
    /// # Errors
    /// The system has GPUs and can't name them now.
    pub(crate) fn find_gpus(&self) -> Result<Arc<[Gpu]>, String> {
        self.declared.clone().map_or_else(gpu::find, Ok)
    }

    /// Returns its GPUs, if they were found, with those that are lost since. Devices keep their places in the list, which is
    /// the same one until it changes.
    ///
    /// # Errors
    /// Why they are not known.
    pub(crate) fn gpus(&self) -> Result<Arc<[Gpu]>, String> {
        self.declared.clone().map_or_else(gpu::known, Ok)
    }

    /// Takes over what an earlier daemon has found of its GPUs, before they are looked for.
    pub(crate) fn remember_gpus(&self, stored: &str) {
        if self.declared.is_none() {
            gpu::remember(stored);
        }
    }

    /// Returns what the next daemon needs to know of its GPUs, if any were found.
    pub(crate) fn remembered_gpus(&self) -> Option<String> {
        if self.declared.is_some() { None } else { gpu::remembered() }
    }

    /// Returns why there may be more GPUs than are known.
    pub(crate) fn gpu_trouble(&self) -> Option<String> {
        if self.declared.is_some() { None } else { gpu::trouble() }
    }

    /// Checks that an attempt can ever have these resources.
    ///
    /// # Errors
    /// What it needs, and what there is.
    pub(crate) fn check(&self, needed: &Resources) -> Result<(), String> {
        let hint = "`[resources]` of the config may say otherwise";
        if needed.cpus > self.cpus {
            let (needed, all) = (shown_cpus(needed.cpus.into()), shown_cpus(self.cpus.into()));
            return Err(format!("`resources` needs {needed}, and this machine has {all}; {hint}"));
        }
        if needed.memory > self.memory {
            let (needed, all) = (shown_bytes(needed.memory), shown_bytes(self.memory));
            return Err(format!("`resources` needs {needed} of memory, and this machine has {all}; {hint}"));
        }
        if needed.gpus.devices() > 0 {
            let wanted = needed.gpus.shown();
            let gpus = self.gpus().map_err(|why| format!("`resources` needs {wanted}, and {why}"))?;
            if needed.gpus.devices() > gpus.len() {
                let all = if gpus.is_empty() { "none".to_owned() } else { shown_gpus(gpus.len()) };
                let trouble = self.gpu_trouble().map(|why| format!(" ({why})")).unwrap_or_default();
                return Err(format!(
                    "`resources` needs {wanted}, and this machine has {all}{trouble}; {hint}"
                ));
            }
        }
        Ok(())
    }
}

/// Asks the system again for the GPUs that it has named, unless the config declares them: some may be lost, or be back.
pub(crate) async fn look_for_gpus_again(settings: &ResourceSettings) {
    if settings.gpus.is_none() {
        // If that fails, they stay as they were.
        let _ = tokio::task::spawn_blocking(gpu::look_again).await;
    }
}

/// Checks that the disk of a folder has this much free space. If the free space is unknown, it is enough.
///
/// # Errors
/// What is needed, and what there is.
pub(crate) async fn check_disk(folder: PathBuf, needed: u64) -> Result<(), String> {
    let shown = folder.display().to_string();
    let free = tokio::task::spawn_blocking(move || free_space(&folder)).await.ok().flatten();
    match free {
        Some(free) if free < needed => Err(format!(
            "`resources` needs {} of free disk space, and the disk that holds {shown} has {}",
            shown_bytes(needed),
            shown_bytes(free)
        )),
        _ => Ok(()),
    }
}

fn free_space(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use fanlight_shared::resources::Gpus;

    use super::*;

    #[test]
    fn what_the_config_does_not_say_comes_from_the_system() {
        let system = Machine::of(&ResourceSettings::default());
        assert!(system.cpus >= CPU_PARTS && system.memory > 1 << 20, "{system:?}");
        let settings = ResourceSettings { cpus: Some(500), ..ResourceSettings::default() };
        assert_eq!(Machine::of(&settings), Machine { cpus: 500, ..system });
    }

    #[test]
    fn a_need_that_can_never_be_met_names_what_there_is() {
        let gpu = Gpu { id: "0".into(), ..Gpu::default() };
        let declared = Some(Arc::from([gpu]));
        let machine = Machine { cpus: 4000, memory: 8_000_000_000, declared };
        let check = |cpus, memory| machine.check(&Resources { cpus, memory, ..Resources::default() });
        assert_eq!(check(4000, 8_000_000_000), Ok(()));
        assert!(
            check(4001, 0)
                .unwrap_err()
                .starts_with("`resources` needs 4.001 CPUs, and this machine has 4 CPUs")
        );
        let gpus = |gpus| machine.check(&Resources { gpus, ..Resources::default() });
        assert_eq!((gpus(Gpus::Whole(1)), gpus(Gpus::Part(999))), (Ok(()), Ok(())));
        let error = gpus(Gpus::Whole(2)).unwrap_err();
        assert!(error.starts_with("`resources` needs 2 GPUs, and this machine has 1 GPU; "), "{error}");
        let none = Machine { declared: Some(Arc::from([])), ..machine.clone() };
        let error = none.check(&Resources { gpus: Gpus::Part(500), ..Resources::default() }).unwrap_err();
        assert!(error.starts_with("`resources` needs 0.5 of a GPU, and this machine has none; "), "{error}");
        let memory = check(0, 64_000_000_000).unwrap_err();
        assert!(
            memory.starts_with("`resources` needs 64 GB of memory, and this machine has 8 GB"),
            "{memory}"
        );
    }

    #[tokio::test]
    async fn a_disk_without_the_needed_space_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check_disk(folder.path().to_owned(), 1).await, Ok(()));
        let error = check_disk(folder.path().to_owned(), u64::MAX).await.unwrap_err();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
        assert_eq!(check_disk("/nonexistent".into(), u64::MAX).await, Ok(()));
    }
}
