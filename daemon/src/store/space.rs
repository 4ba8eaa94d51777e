//! Work that waits for disk space: it is retried until there is space, and a banner says why.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::file_error::FileError;

/// The first wait before another try; doubled up to [`MAX_INTERVAL`].
const MIN_INTERVAL: Duration = Duration::from_millis(100);
const MAX_INTERVAL: Duration = Duration::from_secs(2);

/// The free space below which no attempt begins, in bytes; on a small disk, a quarter of the disk. A command that can't
/// write would fail, so it had better not begin.
const RESERVE: u64 = 64 << 20;

/// Checks that the disk of `folder` has space for another attempt, which writes at least this many bytes, beside those of
/// `running` ones. Blocks.
///
/// # Errors
/// [`FileError::Full`]; another error if the whole disk would not be enough.
pub(super) fn check_space(folder: &Path, bytes_needed: u64, running: u64) -> Result<(), FileError> {
    // If the free space is unknown, attempts begin.
    let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let (free, all) = (bytes(disk.f_bavail), bytes(disk.f_blocks));
    if has_reserve(free.saturating_sub(bytes_needed), all, running) {
        return Ok(());
    }
    let folder = folder.display();
    if bytes_needed == 0 && has_reserve(free, all, 0) {
        let free = free / 1_000_000;
        return Err(FileError::Full(format!(
            "the disk that holds {folder} has {free} MB free, which the running commands may need"
        )));
    }
    if bytes_needed > 0 {
        let why = format!(
            "the disk that holds {folder} has {} MB free, and {} MB more are needed",
            free / 1_000_000,
            bytes_needed.div_ceil(1_000_000)
        );
        return Err(if bytes_needed > all { FileError::Other(why) } else { FileError::Full(why) });
    }
    Err(FileError::Full(format!("the disk that holds {folder} is almost full; free some space")))
}

/// Returns whether this much free space of a disk is enough for another attempt beside `running` ones.
fn has_reserve(free: u64, all: u64, running: u64) -> bool {
    free >= RESERVE.min(all / 4).saturating_mul(running + 1)
}

/// The space that is set aside for one running command, as long as this lives. Commands that pass the same check together
/// would fill the disk together.
pub(crate) struct Reserved {
    inner: Arc<Inner>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        *self.inner.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

/// The work that waits for space, and the reason: cheap to clone.
#[derive(Clone)]
pub(crate) struct Space {
    inner: Arc<Inner>,
}

struct Inner {
    /// How many wait.
    waiting: Mutex<usize>,
    /// The commands that space is set aside for.
    running: Mutex<u64>,
    shortage: watch::Sender<Option<String>>,
    /// Held during a retry, so that waiters don't repeatedly take each other's last space.
    turn: tokio::sync::Mutex<()>,
}

impl Default for Space {
    fn default() -> Self {
        let (shortage, _) = watch::channel(None);
        Self {
            inner: Arc::new(Inner {
                waiting: Mutex::default(),
                running: Mutex::default(),
                shortage,
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }
}

impl Space {
    /// Returns the reason why work waits for space; `None` while none does.
    pub(super) fn shortage(&self) -> watch::Receiver<Option<String>> {
        self.inner.shortage.subscribe()
    }

    /// Sets space on the disks of these folders aside for another command. Blocks.
    ///
    /// # Errors
    /// [`FileError::Full`]: there is too little beside what is set aside for others.
    pub(super) fn reserve(&self, folders: [&Path; 2]) -> Result<Reserved, FileError> {
        let mut running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        folders.into_iter().try_for_each(|folder| check_space(folder, 0, *running))?;
        *running += 1;
        Ok(Reserved { inner: Arc::clone(&self.inner) })
    }

    /// Does the work, repeating it while the disk is full.
    ///
    /// # Errors
    /// The error of the work; [`FileError::Full`] only after a cancel, which ends the wait.
    pub(crate) async fn retry<T, F>(
        &self,
        cancel: &CancellationToken,
        mut work: impl FnMut() -> F,
    ) -> Result<T, FileError>
    where
        F: Future<Output = Result<T, FileError>>,
    {
        let mut why = match work().await {
            Err(FileError::Full(why)) => why,
            done => return done,
        };
        let waiting = Waiting::begin(&self.inner);
        let mut pause = MIN_INTERVAL;
        loop {
            waiting.explain(&why);
            let again = async {
                tokio::time::sleep(pause).await;
                self.inner.turn.lock().await
            };
            let _turn = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(FileError::Full(why)),
                turn = again => turn,
            };
            match work().await {
                Err(FileError::Full(still)) => why = still,
                done => return done,
            }
            pause = (pause * 2).min(MAX_INTERVAL);
        }
    }
}

/// One that waits.
struct Waiting<'a> {
    inner: &'a Inner,
}

impl<'a> Waiting<'a> {
    fn begin(inner: &'a Inner) -> Self {
        *inner.waiting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self { inner }
    }

    fn explain(&self, why: &str) {
        self.inner.shortage.send_if_modified(|shortage| {
            let changed = shortage.as_deref() != Some(why);
            if changed {
                tracing::warn!("attempts wait for space: {why}");
                *shortage = Some(why.to_owned());
            }
            changed
        });
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting -= 1;
        if *waiting == 0 && self.inner.shortage.send_replace(None).is_some() {
            tracing::info!("no attempt waits for space");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_a_quarter_of_a_small_disk_and_64_mib_of_any_other() {
        let mib = 1 << 20;
        assert!(has_reserve(64 * mib, 1 << 40, 0) && !has_reserve(64 * mib - 1, 1 << 40, 0));
        assert!(has_reserve(2 * mib, 8 * mib, 0) && !has_reserve(2 * mib - 1, 8 * mib, 0));
        assert!(
            check_space(Path::new("/nonexistent"), 0, 9).is_ok(),
            "what can't be found out keeps nothing back"
        );
    }

    #[test]
    fn each_running_command_keeps_a_reserve() {
        let mib = 1 << 20;
        assert!(has_reserve(20 * mib, 20 * mib, 3) && !has_reserve(20 * mib - 1, 20 * mib, 3));
        let space = Space::default();
        let running = || *space.inner.running.lock().unwrap();
        let folder = Path::new("/nonexistent");
        let both = [space.reserve([folder; 2]).ok(), space.reserve([folder; 2]).ok()];
        assert_eq!(running(), 2);
        drop(both);
        assert_eq!(running(), 0, "it is free for others once a command has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_meets_a_full_disk_is_done_once_there_is_space() {
        let space = Space::default();
        let shortage = space.shortage();
        let mut tries = 0;
        let cancel = CancellationToken::new();
        let done = space.retry(&cancel, || {
            tries += 1;
            let full = tries < 5;
            assert_eq!(shortage.borrow().is_some(), tries > 1, "everybody can see that it waits");
            async move { if full { Err(FileError::Full("the disk is full".into())) } else { Ok(7) } }
        });
        assert_eq!(done.await, Ok(7));
        assert_eq!((tries, shortage.borrow().clone()), (5, None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_shortage_is_reported_until_nobody_waits_and_a_cancel_ends_one_wait() {
        let space = Space::default();
        let mut shortage = space.shortage();
        let cancels = [CancellationToken::new(), CancellationToken::new()];
        let waits = cancels.clone().map(|cancel| {
            let space = space.clone();
            let full = || async { Err::<(), _>(FileError::Full("the disk is full".into())) };
            tokio::spawn(async move { space.retry(&cancel, full).await })
        });
        shortage.wait_for(Option::is_some).await.unwrap();
        let [first, second] = waits;
        cancels[0].cancel();
        assert!(matches!(first.await.unwrap(), Err(FileError::Full(_))));
        assert!(shortage.borrow().is_some());
        cancels[1].cancel();
        assert!(matches!(second.await.unwrap(), Err(FileError::Full(_))));
        assert_eq!(*shortage.borrow(), None);
    }

    #[tokio::test]
    async fn another_problem_is_reported_at_once() {
        let space = Space::default();
        let work = || async { Err::<(), _>(FileError::from("there is no such shell")) };
        let said = space.retry(&CancellationToken::new(), work).await;
        assert_eq!(said, Err(FileError::from("there is no such shell")));
    }
}
