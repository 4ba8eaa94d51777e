//! One transaction of the writer, and what follows its commit.

use fanlight_shared::id::BlobHash;

use super::durability::write_nothing;
use super::{Writer, answer};
use crate::store::apply::Applied;
use crate::store::{After, Batch, StoreError, closed};

impl Writer {
    /// Applies batches in one transaction. Most batches can't fail by themselves and get no savepoint; if one does,
    /// everything is undone and done again with one for each.
    pub(super) fn transaction(&self, group: &[Batch]) -> Result<Applied, StoreError> {
        match self.attempt(group, false) {
            Ok(Some(applied)) => Ok(applied),
            Ok(None) => match self.attempt(group, true)? {
                Some(applied) => Ok(applied),
                None => Err(StoreError::Other("a batch could not be undone".into())),
            },
            Err(error) => Err(error),
        }
    }

    /// Tries the transaction. Returns `None` if a batch without a savepoint failed by itself.
    fn attempt(&self, group: &[Batch], careful: bool) -> Result<Option<Applied>, StoreError> {
        let outcome = (|| {
            self.durability.begin(&self.db, group.iter().all(|batch| batch.early))?;
            let mut applied = Applied::default();
            for batch in group {
                if !self.apply.batch(&self.db, batch, careful, &mut applied)? {
                    return Ok(None);
                }
                if applied.failed.is_some() {
                    // What was decided after it builds on it.
                    break;
                }
            }
            if !self.apply.finish(&self.db, &mut applied)? {
                return Ok(None);
            }
            self.durability.commit(&self.db)?;
            Ok(Some(applied))
        })();
        if !matches!(outcome, Ok(Some(_))) {
            self.undo();
        }
        outcome
    }

    pub(super) fn undo(&self) {
        self.apply.forget();
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!("a transaction can't be undone: {error}");
        }
    }

    /// Writes something that changes nothing.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        self.durability.begin(&self.db, false)?;
        write_nothing(&self.db)?;
        self.durability.commit(&self.db)
    }

    /// Unlinks bytes after the commit, then notifies callers in order.
    pub(super) fn notify(&self, group: Vec<Batch>, applied: Applied) {
        let Applied { answers, unlink, claimed, published, failed } = applied;
        unlink.into_iter().for_each(|hash| self.blobs.unlink(hash));
        self.apply.settle(published, &claimed);
        // Ops are dropped before callers are notified, so that a caller sees only what the commit left.
        let afters: Vec<Option<After>> = group.into_iter().map(|batch| batch.after).collect();
        let mut answers = answers.into_iter();
        for after in afters {
            answer(after, answers.next().unwrap_or_else(|| Err(closed())));
        }
        if let Some(failed) = failed {
            self.fail(failed);
        }
    }

    /// Removes bytes whose publication has ended, unless they are referenced.
    pub(super) fn release(&self, released: Vec<(BlobHash, bool)>) {
        // A reference counts when it is on the disk.
        if !released.is_empty()
            && self.durability.is_pending()
            && let Err(error) = self.probe()
        {
            self.undo();
            // The next start finds their rows or their marks.
            return tracing::debug!("some blobs stay for now: {error}");
        }
        for (hash, made) in released {
            let outcome = (|| {
                if self.apply.is_referenced(&self.db, hash)? || self.blobs.registry().is_open(hash) {
                    return Ok(Vec::new());
                }
                self.durability.begin(&self.db, false)?;
                let unlink = self.apply.sweep(&self.db, hash, made)?;
                self.durability.commit(&self.db)?;
                Ok::<_, StoreError>(unlink)
            })();
            match outcome {
                Ok(unlink) => {
                    unlink.into_iter().for_each(|hash| self.blobs.unlink(hash));
                    if made {
                        self.blobs.registry().unmark(hash);
                    }
                }
                Err(error) => {
                    self.undo();
                    // The next start finds its row or its mark.
                    tracing::debug!("a blob stays for now: {error}");
                }
            }
        }
    }
}
