//! Which product a sheet shows, and its values.

use fanlight_shared::client::sheet::Sheet;
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::media::Media;
use fanlight_shared::problem::near;
use fanlight_shared::rpc::{runs, values};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::value::Value;

use crate::failure::Failure;

/// Which product a sheet shows.
pub(super) enum Choice {
    /// An output of the workflow.
    Output(String),
    /// A port of a node.
    Port { node: String, port: String },
}

/// A cell of a sheet.
pub(super) enum Cell<'a> {
    /// No run has these values.
    Nothing,
    /// No run with these values has completed; this is the newest.
    NotDone(&'a Run),
    /// The newest completed run was deleted after the runs were listed.
    Deleted(&'a Run),
    /// The product of the newest completed run, if it has one, and how many others have completed.
    Product { run: &'a Run, others: usize, value: Option<Value> },
}

impl Choice {
    /// Returns what the user chose, or the only output.
    pub(super) fn of<'a>(
        outputs: impl Iterator<Item = &'a str>,
        given: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut names: Vec<&str> = Vec::new();
        outputs.for_each(|name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        match (given, &names[..]) {
            (Some(given), names) if names.contains(&given) => Ok(Self::Output(given.to_owned())),
            (Some(given), names) => match given.rsplit_once('.') {
                Some((node, port)) => Ok(Self::Port { node: node.to_owned(), port: port.to_owned() }),
                None => {
                    let near = near(given, names.iter().copied());
                    let hint = near.map_or_else(
                        || "`--output NODE.PORT` shows what a node made".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    Err(Failure::usage(format!("no completed run has an output `{given}`")).hint(hint))
                }
            },
            (None, [only]) => Ok(Self::Output((*only).to_owned())),
            (None, []) => Err(Failure::failed("no completed run has an output")
                .hint("`--output NODE.PORT` shows what a node made")),
            (None, names) => {
                let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                Err(Failure::usage(format!("there are several outputs: {}", listed.join(", ")))
                    .hint("choose one with `--output`"))
            }
        }
    }

    async fn value(&self, client: &Client, run: &Run) -> Result<Option<Value>, ClientError> {
        match self {
            Self::Output(name) => {
                let mut detail = client.call(runs::Get { run: run.id.to_string() }).await?;
                Ok(detail.state.outputs.shift_remove(name))
            }
            Self::Port { node, port } => {
                let (workflow_id, run_id) = (run.workflow_id, Some(run.id));
                let (node, port) = (node.clone(), port.clone());
                let limit = Some(1_000);
                let mut list = values::List { workflow_id, node, port, run_id, cursor: None, limit };
                let (mut whole, mut items) = (None, Vec::new());
                loop {
                    let page = client.call(list.clone()).await?;
                    for row in page.rows {
                        let value = match row.bytes {
                            Some(_) => {
                                let (node, port) = (list.node.clone(), list.port.clone());
                                let of = values::Port { node, item: row.item, port };
                                Some(client.port_value(run.id, of).await?)
                            }
                            None => row.value,
                        };
                        match row.item.0 {
                            None => whole = value,
                            Some(index) => {
                                // Those before it that made nothing.
                                items.resize(items.len().max(index as usize), Value::None);
                                items.push(value.unwrap_or_default());
                            }
                        }
                    }
                    list.cursor = page.cursor;
                    if list.cursor.is_none() {
                        break;
                    }
                }
                Ok(whole.or_else(|| (!items.is_empty()).then_some(Value::List(items))))
            }
        }
    }
}

/// Returns the cells of a sheet, row by row.
pub(super) async fn read<'a>(
    client: &Client,
    sheet: &Sheet,
    runs: &[&'a Run],
    choice: &Choice,
) -> Result<Vec<Cell<'a>>, Failure> {
    let (mut cells, mut any, mut completed) = (Vec::new(), false, false);
    for (column, row) in sheet.places() {
        cells.push(match sheet.found(column, row) {
            None => Cell::Nothing,
            Some(found) if found.state != RunStatus::Completed => Cell::NotDone(runs[found.run]),
            Some(found) => {
                let run = runs[found.run];
                match choice.value(client, run).await {
                    Err(error) if error.is_unknown() => Cell::Deleted(run),
                    value => {
                        let value = value?.filter(|value| *value != Value::None);
                        (any, completed) = (any || value.is_some(), true);
                        Cell::Product { run, others: found.others, value }
                    }
                }
            }
        });
    }
    match choice {
        Choice::Port { node, port } if completed && !any => {
            Err(Failure::failed(format!("no completed run has a value of `{node}.{port}`")))
        }
        _ => Ok(cells),
    }
}

/// Returns the media of a value: itself, or the first of a list.
pub(super) fn media(value: &Value) -> Option<&Media> {
    value.as_media().or_else(|| value.as_list()?.iter().find_map(Value::as_media))
}
