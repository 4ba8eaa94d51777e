//! Workers as an executor.

use std::sync::Arc;

use fanlight_shared::event::NodeError;
use fanlight_shared::media::Media;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::Workers;
use crate::attempt::{Attempt, Outcome};
use crate::content;
use crate::executor::{Capabilities, Execution, Executor, Previewer, Task, Work, misplaced};
use crate::file_error::FileError;
use crate::media::Checker;

impl Executor for Workers {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shares_files: true, ..Capabilities::default() }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let Work::Native(native, inputs) = &*work else { return misplaced(&work) };
        let (workers, native, inputs) = (self.clone(), Arc::clone(native), inputs.clone());
        let room = self.blobs().clone();
        Task::open(attempt, &room, move |attempt| {
            Box::pin(async move {
                let blobs = workers.blobs().clone();
                let reading = Arc::clone(&native);
                let read = move || content::read_inputs(inputs, &reading.spec, false, &blobs);
                let read = tokio::task::spawn_blocking(read).await;
                match read.unwrap_or_else(|error| Err(format!("its inputs could not be read: {error}"))) {
                    Ok(inputs) => workers.run(attempt, native, inputs).await,
                    Err(error) => Outcome::failed(NodeError::new(error)),
                }
            })
        })
    }
}

impl Checker for Workers {
    fn check(&self, media: Media, cancel: CancellationToken) -> BoxFuture<'_, Result<(), FileError>> {
        Box::pin(Workers::check(self, media, cancel))
    }
}

impl Previewer for Workers {
    fn preview(&self, media: Media) -> BoxFuture<'_, Option<(String, Vec<u8>)>> {
        Box::pin(Workers::preview(self, media))
    }
}
