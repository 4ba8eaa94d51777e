//! Finds the runs of a submission that have a result already.

use fanlight_shared::document::ranges::check_params;
use fanlight_shared::id::BlobHash;
use fanlight_shared::rpc::{ErrorCode, RpcError, runs};

use super::child_files;
use super::errors::refused;
use super::submit::{Files, canonical, check_count, read};
use crate::config::Config;
use crate::node_type::NodeTypeSet;
use crate::store::Store;

/// Returns the sets with which a run has completed. Blocks: reads files.
pub(super) fn find(
    request: &runs::Missing,
    config: &Config,
    store: &Store,
    types: &NodeTypeSet,
) -> Result<runs::MissingResponse, RpcError> {
    check_count(&request.sets)?;
    let path = request.path.as_deref().map(canonical).transpose()?;
    let path = path.as_deref();
    let workflow = read(&request.document, types)?;
    let like = request.extends.as_deref().map(|sweep| store.run_of_sweep(sweep)).transpose();
    let children = match like.map_err(|error| refused(&error))? {
        Some(run) => store.child_versions(run).map_err(|error| refused(&error))?,
        None => {
            let files = child_files::read(&workflow, path, &request.files, config, types, false)?;
            child_files::versions(&files)
        }
    };
    let mut known = store
        .results(workflow.id, request.path.as_deref(), &workflow.version, &children)
        .map_err(|error| refused(&error))?;
    let mut found: Vec<runs::Places> = Vec::new();
    let mut files = Files::new(store.blobs());
    for (place, set) in (0_u32..).zip(&request.sets) {
        if known.is_empty() {
            break;
        }
        let params = check_params(&workflow, &set.params)
            .map_err(|errors| RpcError::new(ErrorCode::BadParams, errors.join("\n")))?;
        let params = files.import(&workflow, params, path)?;
        let params = files.store_large(params)?;
        let text = serde_json::to_vec(&params).map_err(|error| RpcError::internal(error.to_string()))?;
        let hash = BlobHash::of(&text);
        let Some(runs) = known.get_mut(&hash) else { continue };
        *runs -= 1;
        if *runs == 0 {
            known.remove(&hash);
        }
        match found.last_mut().filter(|last| last.to == place) {
            Some(last) => last.to = place + 1,
            None => found.push(runs::Places { from: place, to: place + 1 }),
        }
    }
    Ok(runs::MissingResponse { found })
}
