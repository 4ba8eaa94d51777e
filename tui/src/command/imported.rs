//! What an imported run comes without: the variables that it was submitted with stay in the home that it comes from.

use fanlight_shared::client::Client;
use fanlight_shared::document;
use fanlight_shared::environment::Environment;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::Run;

use crate::failure::Failure;
use crate::{environment, node_types, output};

/// Returns the variables for a run that continues one without any: those that a submission of its file from here has. A run
/// with variables passes its own on.
pub(super) async fn variables(client: &Client, run: &Run) -> Result<Environment, Failure> {
    if client.is_elsewhere() {
        return Ok(Environment::default());
    }
    let detail = client.call(runs::Get { run: run.id.to_string() }).await?;
    if !detail.environment.is_empty() {
        return Ok(Environment::default());
    }
    let document = client.document(&run.version).await?;
    let workflow =
        document::read(&document, &node_types::of(Some(client)).await).map(|checked| checked.workflow);
    let asked_for = workflow.as_ref().map(|workflow| workflow.passed_variables()).unwrap_or_default();
    let environment = environment::asked_for(std::iter::once("PATH").chain(asked_for))?;
    let names: Vec<&str> = environment.names().collect();
    if !names.is_empty() {
        let (name, names) = (run.name(), names.join(", "));
        output::note(&format!(
            "{name} comes without the variables that it was submitted with; its commands get {names} from here"
        ));
    }
    Ok(environment)
}
