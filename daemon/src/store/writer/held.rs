//! What waits while the store can't be written.

use super::{MAX_BATCH_BYTES, MAX_BATCH_ROWS, Message, Writer, answer};
use crate::store::{Batch, StoreError};

impl Writer {
    /// Refuses or holds what comes until it is time for another try; then tries what is held.
    pub(super) fn wait_for_space(&mut self) {
        let until = self.outage.next_try();
        loop {
            match self.inbox.recv_timeout(until.saturating_duration_since(std::time::Instant::now())) {
                Ok(Message::Batch(batch)) => {
                    let why = self.outage.reason().unwrap_or_else(|| StoreError::Full(self.database.clone()));
                    self.hold_or_refuse(batch, &why);
                }
                // Removing bytes that no row names needs no space, and makes some.
                Ok(Message::Released { hash, made }) => self.release(vec![(hash, made)]),
                Ok(Message::ReleaseMemory) => {}
                #[cfg(test)]
                Ok(Message::PageLimit(pages)) => self.limit_pages(pages),
                Ok(Message::Close) => {
                    self.closing = true;
                    break;
                }
                Err(_) => break,
            }
        }
        while !self.held.is_empty() {
            let (mut rows, mut bytes, mut count) = (0, 0, 0);
            for batch in &self.held {
                for op in &batch.ops {
                    let (more_rows, more_bytes) = op.weight();
                    rows += more_rows;
                    bytes += more_bytes;
                }
                count += 1;
                if rows >= MAX_BATCH_ROWS || bytes >= MAX_BATCH_BYTES {
                    break;
                }
            }
            self.held.make_contiguous();
            match self.transaction(&self.held.as_slices().0[..count]) {
                Ok(applied) => {
                    let done = applied.answers.len();
                    let failed = applied.failed.is_some();
                    let group = self.held.drain(..done).collect();
                    self.notify(group, applied);
                    if failed {
                        return;
                    }
                }
                Err(error) => {
                    let why = self.with_path(error);
                    self.outage.start(&why);
                    return;
                }
            }
        }
        match self.probe() {
            Ok(()) => self.outage.end(),
            Err(error) => {
                self.undo();
                let why = self.with_path(error);
                self.outage.start(&why);
            }
        }
    }

    pub(super) fn hold_or_refuse(&mut self, batch: Batch, why: &StoreError) {
        if batch.must {
            self.held.push_back(batch);
        } else {
            answer(batch.after, Err(why.clone()));
        }
    }
}
