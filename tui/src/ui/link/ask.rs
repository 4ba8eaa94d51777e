//! Requests: an effect that needs the daemon becomes a call, its response a message. Any number may run at once.

mod cancel;
mod fork;
mod trials;

use std::collections::HashMap;
use std::time::Duration;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version};
use fanlight_shared::rpc::frame::ROWS_LIMIT;
use fanlight_shared::rpc::metrics::{self, Curve, Series};
use fanlight_shared::rpc::{ErrorCode, RpcError, assets, models, questions, runs, sweeps, workflows};
use indexmap::IndexMap;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ui::document::Source;
use crate::ui::effect::{CurvesOf, Effect, MAX_TEXT_BYTES};
use crate::ui::files;
use crate::ui::message::{FileText, Measured, Response, Why};
use crate::ui::picture::PictureOf;
use crate::{download, elsewhere, environment, node_types};

/// How long an action of the user waits for a daemon that is away.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of open questions that are read.
const MAX_QUESTIONS: usize = 10_000;
/// The maximum number of names of metrics that are shown, and of their curves.
const MAX_NAMES: usize = 50;
const MAX_CURVES: usize = 2_000;

/// Carries out an effect that needs the daemon. Returns `None` if there is nothing to report.
pub(in crate::ui) async fn ask(
    mut connected: watch::Receiver<Option<Client>>,
    effect: Effect,
) -> Option<Response> {
    let request = Box::new(effect);
    let now = connected.borrow().clone();
    let client = match now {
        Some(client) => Some(client),
        // Repeated when the daemon is back.
        None if request.reads() => None,
        // The user is often faster than a starting daemon.
        None => {
            let there = timeout(TIMEOUT, connected.wait_for(Option::is_some)).await;
            there.ok().and_then(|it| it.ok().and_then(|it| it.clone()))
        }
    };
    let Some(client) = client else { return Some(away(request)) };
    call(&client, (*request).clone()).await.unwrap_or_else(|error| Some(failed(request, &error)))
}

fn away(request: Box<Effect>) -> Response {
    Response::Failed { request, error: "the daemon is away".to_owned(), why: Why::Away }
}

fn failed(request: Box<Effect>, error: &ClientError) -> Response {
    let why = match error {
        ClientError::Disconnected(_) => Why::Away,
        ClientError::Rpc(error) if error.is(ErrorCode::NotFound) => Why::Gone,
        _ => Why::Other,
    };
    Response::Failed { request, error: error.to_string(), why }
}

async fn call(client: &Client, effect: Effect) -> Result<Option<Response>, ClientError> {
    let done = |what: &str| Ok(Some(Response::Done(what.to_owned())));
    Ok(Some(match effect {
        Effect::Start(submission) => {
            let mut start = submission.start;
            // The file may have changed since: that is another request.
            let request_key = start.request_key;
            start.request_key = format!("{request_key}.{}", Version::of(&start.document).as_str());
            if let Some(workflow) = files::workflow_of(&start.document, &node_types::of(Some(client)).await) {
                start.environment = environment::submitted(&workflow, &[], client.is_elsewhere())
                    .map_err(|failure| RpcError::new(ErrorCode::BadParams, failure.message()))?;
                start = elsewhere::sent(client, &workflow, start).await?;
            }
            Response::Started { request_key, started: client.start(start).await?, others: None }
        }
        Effect::Cancel(cancel) => {
            let answer = client.call(cancel).await?;
            return done(&cancel::outcome(&answer));
        }
        Effect::Answer(mut answer) => {
            if answer.request_key.is_empty() {
                answer.request_key = SubmissionId::new().to_string();
            }
            client.call((*answer).clone()).await?;
            Response::Answered(answer)
        }
        Effect::ListQuestions => {
            let mut list = questions::List { limit: Some(ROWS_LIMIT), ..questions::List::default() };
            let mut questions = Vec::new();
            loop {
                let page = client.call(list.clone()).await?;
                questions.extend(page.rows);
                list.cursor = page.cursor;
                if list.cursor.is_none() || questions.len() >= MAX_QUESTIONS {
                    break Response::Questions(questions);
                }
            }
        }
        Effect::Fork(requests) => {
            let mut sent = Vec::with_capacity(requests.len());
            for request in requests {
                sent.push(elsewhere::sent_again(client, request).await?);
            }
            fork::all(sent, |request| client.call(request)).await?
        }
        Effect::Resume(request) => {
            let request_key = request.request_key.clone();
            Response::Started { request_key, started: client.call(*request).await?, others: None }
        }
        Effect::DeleteRuns(delete) => {
            client.call(delete).await?;
            return done("deleted");
        }
        Effect::Label(label) => {
            client.call(label).await?;
            return done("labelled");
        }
        Effect::SetQueue(set) => {
            let queue = client.call(set).await?;
            let paused = if queue.paused { ", paused" } else { "" };
            return done(&format!("{} runs at once{paused}", queue.max_concurrent_runs));
        }
        Effect::ReadSweep { name, request, best } => {
            let mut list = sweeps::Runs { sweep: name, cursor: None, limit: Some(ROWS_LIMIT) };
            let mut runs = Vec::new();
            loop {
                let page = client.call(list.clone()).await?;
                runs.extend(page.rows);
                list.cursor = page.cursor;
                if list.cursor.is_none() {
                    break;
                }
            }
            let name = list.sweep;
            let (mut found, mut search) = (None, None);
            if best {
                let detail = client.call(sweeps::Get { sweep: name.clone() }).await?;
                search = trials::search(detail.search, detail.sweep.search);
                found = Some((detail.best, detail.sweep.spent));
            }
            Response::Sweep { name, request, runs, best: found, search }
        }
        Effect::ReadTrials(name) => trials::read(client, name).await?,
        Effect::SetSweep(set) => {
            let sweep = client.call(set).await?;
            let now = if sweep.paused.is_some() { "is paused; active runs continue" } else { "continues" };
            return done(&format!("the sweep {} {now}", sweep.name));
        }
        Effect::ListRuns { to, list } => Response::Runs { to, page: client.call(list).await? },
        Effect::GetRun(run) => {
            let detail = client.run(&run.to_string()).await?;
            let workflow = files::workflow_of(&detail.document, &node_types::of(Some(client)).await);
            Response::Run { detail: Box::new(detail), workflow }
        }
        Effect::GetParams(run) => Response::Params(run, client.params(run).await?),
        Effect::ListAssets { to, list } => Response::Assets { to, page: client.call(list).await? },
        Effect::GetRecipe(asset) => {
            let detail = client.call(assets::Get { asset: asset.to_string() }).await?;
            Response::Recipe(asset, Box::new(detail.recipe))
        }
        Effect::Star(star) => {
            client.call(star).await?;
            return Ok(None);
        }
        Effect::DeleteAssets(assets) => {
            let count = assets.len();
            client.call(assets::Delete { assets }).await?;
            return done(&format!("{count} deleted"));
        }
        Effect::GetPreviewText(asset) => {
            let (_, bytes) = client.thumbnail(asset).await?;
            Response::PreviewText(asset, String::from_utf8_lossy(&bytes).into_owned())
        }
        Effect::GetText(asset) => Response::Text(asset, text(client, asset).await?),
        Effect::GetManifest(asset) => {
            let manifest = client.read_asset(asset, None).await?;
            let manifest = serde_json::from_slice(&manifest).map_err(|error| {
                ClientError::BadResponse(format!("the list of files is damaged: {error}"))
            })?;
            Response::Manifest(asset, manifest)
        }
        Effect::GetFile(asset, hash) => {
            let bytes = client.read_asset(asset, Some(hash)).await?;
            Response::File(asset, hash, FileText::of(bytes))
        }
        Effect::ReadLog(read) => {
            let part = client.call(read.clone()).await?;
            Response::Log(Box::new(read), Box::new(part))
        }
        Effect::ReadMetrics(of) => {
            let read = metrics(client, &of).await?;
            Response::Metrics(of, read)
        }
        Effect::ReadTable(request) => {
            let page = client.call(request.clone()).await?;
            Response::Table(request, Box::new(page))
        }
        Effect::ListValues(list) => {
            let page = client.call(list.clone()).await?;
            Response::Values(Box::new(list), Box::new(page))
        }
        Effect::ListWorkflows => {
            let mut rows = client.call(workflows::List::default()).await?.rows;
            for row in &mut rows {
                row.path = row.path.take().map(|path| client.path_here(&path));
            }
            Response::Workflows(rows)
        }
        Effect::ListModels(provider) => {
            Response::Models(client.call(models::List { provider: Some(provider) }).await?.providers)
        }
        Effect::ReadWorkflow(request) => {
            let Source::Stored(id) = &request.source else { return Ok(None) };
            let mut detail = client.workflow(&id.to_string()).await?;
            detail.workflow.path = detail.workflow.path.map(|path| client.path_here(&path));
            let document = Box::new(files::stored(detail, &node_types::of(Some(client)).await));
            Response::Document { request, document }
        }
        Effect::SaveAs(asset, path) => match save(client, asset, &path).await? {
            Some(note) => Response::Done(note),
            None => Response::Saved(path),
        },
        Effect::OpenOutside(asset) => {
            let detail = client.call(assets::Get { asset: asset.to_string() }).await?;
            let bytes = client.read_asset(asset, None).await?;
            files::open_outside(&detail.asset.name, &bytes).map_err(ClientError::Write)?;
            return Ok(None);
        }
        _ => return Ok(None),
    }))
}

/// Reads metrics, each with its curve, in the order in which they were first reported.
async fn metrics(client: &Client, of: &CurvesOf) -> Result<Measured, ClientError> {
    let run_ids: Vec<RunId> = of.runs.iter().map(|(run, _)| *run).collect();
    let (node, item) = (of.node.clone(), of.item);
    let mut list = metrics::List {
        run_ids: run_ids.clone(),
        node: node.clone(),
        item,
        name: of.name.clone(),
        limit: Some(1000),
        ..metrics::List::default()
    };
    let (mut found, mut further) = (IndexMap::<String, Vec<Series>>::new(), false);
    let mut count = 0;
    loop {
        let page = client.call(list.clone()).await?;
        for series in page.rows {
            if count == MAX_CURVES || (found.len() == MAX_NAMES && !found.contains_key(&series.name)) {
                further = true;
                continue;
            }
            count += 1;
            found.entry(series.name.clone()).or_default().push(series);
        }
        list.cursor = page.cursor;
        if list.cursor.is_none() || count == MAX_CURVES {
            further |= list.cursor.is_some();
            break;
        }
    }
    let mut curves = Vec::new();
    for (name, all) in found {
        let (run_ids, node) = (run_ids.clone(), node.clone());
        let (axis, width) = (of.axis, of.width);
        let mut read = metrics::Read { run_ids, name, node, item, axis, width, ..metrics::Read::default() };
        let mut read_curves = HashMap::new();
        loop {
            let page = client.call(read.clone()).await?;
            let place = |curve: &Curve| (curve.run_id, curve.node.clone(), curve.item);
            read_curves.extend(page.rows.into_iter().map(|curve| (place(&curve), curve)));
            read.cursor = page.cursor;
            if read.cursor.is_none() {
                break;
            }
        }
        curves.extend(all.into_iter().filter_map(|series| {
            let curve = read_curves.remove(&(series.run_id, series.node.clone(), series.item))?;
            Some((series, curve))
        }));
    }
    Ok(Measured { curves, further })
}

async fn text(client: &Client, asset: AssetId) -> Result<String, ClientError> {
    let mut bytes = Vec::new();
    let read = assets::Read { asset, file: None, offset: 0, limit: Some(MAX_TEXT_BYTES) };
    client.read_asset_into(read, &mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Saves an asset under a name that nothing has: a folder with everything below it, a program so that it can be executed.
async fn save(
    client: &Client,
    asset: AssetId,
    path: &std::path::Path,
) -> Result<Option<String>, ClientError> {
    let detail = client.call(assets::Get { asset: asset.to_string() }).await?;
    let media = detail.asset.value.as_media();
    download::to_path(client, asset, media, path, true).await.map_err(ClientError::Write)
}

/// Fetches the bytes of a picture: its stored preview, or all of it.
pub(in crate::ui) async fn picture(
    client: Option<Client>,
    of: PictureOf,
    thumbnail: bool,
) -> Result<Vec<u8>, String> {
    let client = client.ok_or_else(|| "the daemon is away".to_owned())?;
    let bytes = match of {
        PictureOf::Asset(asset) if thumbnail => client.thumbnail(asset).await.map(|(_, bytes)| bytes),
        PictureOf::Asset(asset) => client.read_asset(asset, None).await,
        PictureOf::Blob(hash) => client.read_blob(hash).await,
        // The painter makes it from two pictures.
        PictureOf::Difference(..) => return Err("a difference is not stored".to_owned()),
    };
    bytes.map_err(|error| error.to_string())
}

/// Reads runs that the registry lost track of, one after the other. If a request fails, the rest is left out.
pub(in crate::ui) async fn check_runs(
    connected: watch::Receiver<Option<Client>>,
    mut runs: Vec<RunId>,
    say: impl Fn(Response),
) {
    let client = connected.borrow().clone();
    let Some(client) = client else { return say(away(Box::new(Effect::CheckRuns(runs)))) };
    for at in 0..runs.len() {
        let run = runs[at];
        match client.call(runs::Get { run: run.to_string() }).await {
            Ok(detail) => say(Response::Known(run, Some(Box::new(detail.run)))),
            Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => say(Response::Known(run, None)),
            Err(error) => return say(failed(Box::new(Effect::CheckRuns(runs.split_off(at))), &error)),
        }
    }
}
