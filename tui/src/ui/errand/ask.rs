//! Errands to the daemon.

use std::sync::Arc;

use fanlight_shared::document;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{assets, runs, workflows};

use super::Errands;
use crate::ui::effect::Effect;
use crate::ui::message::Came;

/// The longest text that the viewer reads, in bytes.
const LONGEST_TEXT: u64 = 1 << 20;

impl Errands {
    /// Asks the daemon for what an effect wants of it.
    pub(super) fn request(&self, effect: Effect) {
        match effect {
            Effect::Start(mut start) => {
                if start.request_key.is_empty() {
                    start.request_key = RunId::new().to_string();
                }
                self.ask("start", *start, |started| Some(Came::Started(started)));
            }
            Effect::Cancel(cancel) => {
                let what = format!("cancel {}", super::runs(cancel.runs.len(), cancel.runs.first()));
                self.ask(what, cancel, |answer| match answer.cancelled.len() {
                    0 => Some(Came::Done("nothing to cancel: it had ended".to_owned())),
                    1 => None,
                    count => Some(Came::Done(format!("{count} runs cancelled"))),
                });
            }
            Effect::Resume(run) => {
                let request = runs::Resume { run, request_key: RunId::new().to_string() };
                self.ask("resume", request, |started| Some(Came::Started(started)));
            }
            Effect::DeleteRuns(delete) => {
                let done = format!("{} deleted", super::runs(delete.runs.len(), delete.runs.first()));
                self.ask("delete", delete, |_| Some(Came::Done(done)));
            }
            Effect::Label(label) => self.ask("label", label, |_| None),
            Effect::SetQueue(set) => self.ask("change the queue", set, |_| None),
            Effect::ListRuns { generation, list } => {
                self.ask("list runs", list, move |page| Some(Came::Runs { generation, page }));
            }
            Effect::GetRun(run) => self.get_run(run),
            Effect::LookAfter(runs) => self.look_after(runs),
            Effect::ListAssets { generation, list } => {
                self.ask("list products", list, move |page| Some(Came::Assets { generation, page }));
            }
            Effect::GetRecipe(asset) => {
                let request = assets::Get { asset: asset.to_string() };
                self.ask("read a recipe", request, move |detail| {
                    Some(Came::Recipe(asset, Box::new(detail.recipe)))
                });
            }
            Effect::Star(star) => self.ask("star", star, |_| None),
            Effect::DeleteAssets(assets) => {
                let done = match assets.len() {
                    1 => "1 product deleted".to_owned(),
                    count => format!("{count} products deleted"),
                };
                self.ask("delete", assets::Delete { assets }, |_| Some(Came::Done(done)));
            }
            Effect::GetPreviewText(asset) => {
                let this = self.clone();
                self.go("read a preview", async move {
                    let client = this.daemon.client().await?;
                    let (_, bytes) = client.thumbnail(asset).await.map_err(|error| super::sentence(&error))?;
                    Ok(vec![Came::PreviewText(asset, String::from_utf8_lossy(&bytes).into_owned())])
                });
            }
            Effect::GetText(asset) => {
                let this = self.clone();
                self.go("read a product", async move {
                    let client = this.daemon.client().await?;
                    let read = assets::Read { asset, file: None, offset: 0, limit: Some(LONGEST_TEXT) };
                    let mut bytes = Vec::new();
                    client.read_asset_into(read, &mut bytes).await.map_err(|error| super::sentence(&error))?;
                    Ok(vec![Came::Text(asset, String::from_utf8_lossy(&bytes).into_owned())])
                });
            }
            Effect::ReadLog(read) => {
                let asked = Box::new(read.clone());
                self.ask("read a log", read, move |part| Some(Came::Log(asked, Box::new(part))));
            }
            Effect::ListValues(list) => {
                let asked = Box::new(list.clone());
                self.ask("read values", list, move |page| Some(Came::Values(asked, Box::new(page))));
            }
            Effect::ListWorkflows => {
                self.ask("list workflows", workflows::List::default(), |page| Some(Came::Workflows(page.rows)));
            }
            Effect::ReadStored(workflow) => self.read_stored(workflow),
            other => tracing::debug!("an effect that nobody carries out: {other:?}"),
        }
    }

    fn get_run(&self, run: RunId) {
        let this = self.clone();
        self.go("read a run", async move {
            let detail = this.call(runs::Get { run: run.to_string() }).await?;
            let (catalogue, text) = (this.catalogue.clone(), detail.document.clone());
            let read = tokio::task::spawn_blocking(move || document::read(&text, &catalogue)).await;
            let workflow = read.ok().and_then(Result::ok).map(|checked| Arc::new(checked.workflow));
            Ok(vec![Came::Run { detail: Box::new(detail), workflow }])
        });
    }

    fn look_after(&self, lost: Vec<RunId>) {
        let this = self.clone();
        self.go("look after runs", async move {
            let mut came = Vec::with_capacity(lost.len());
            for run in lost {
                let found = this.call(runs::Get { run: run.to_string() }).await.ok();
                came.push(Came::Known(run, found.map(|detail| Box::new(detail.run))));
            }
            Ok(came)
        });
    }

    /// The newest file of a workflow that ever ran: as it lies on disk, else as it was stored.
    fn read_stored(&self, workflow: String) {
        let this = self.clone();
        self.go("open the workflow", async move {
            let detail = this.call(workflows::Get { workflow }).await?;
            let id = detail.workflow.id;
            let mut document = this.stored(&detail);
            document.workflow_id = Some(id);
            Ok(vec![Came::Document(Box::new(document))])
        });
    }
}
