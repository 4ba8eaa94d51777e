//! Fetches the rest of responses that did not fit into one message.

use super::{Client, ClientError};
use crate::id::{RunId, Version};
use crate::rpc::{runs, values, workflows};
use crate::value::{Value, Values};

impl Client {
    /// Submits runs, and returns all of them.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn start(&self, start: runs::Start) -> Result<runs::Started, ClientError> {
        let request_key = start.request_key.clone();
        let started = self.call(start).await?;
        self.all_started(started, request_key).await
    }

    /// Fetches the runs that the response to a submission left out.
    async fn all_started(
        &self,
        mut started: runs::Started,
        request_key: String,
    ) -> Result<runs::Started, ClientError> {
        if started.more == 0 {
            return Ok(started);
        }
        let mut list =
            runs::List { request_key: Some(request_key), limit: Some(1000), ..runs::List::default() };
        let known = started.runs.len();
        // The list begins with the newest run; stop at the ones that are already here.
        let mut more = Vec::new();
        loop {
            let page = self.call(list.clone()).await?;
            more.extend(page.rows);
            list.cursor = page.cursor;
            if list.cursor.is_none() {
                break;
            }
        }
        more.sort_by_key(|run| run.index);
        started.runs.extend(more.into_iter().skip(known));
        started.more = 0;
        Ok(started)
    }

    /// Returns a run with the whole text of its file, all its nodes and edges; `runs.items` has its items.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn run(&self, name: &str) -> Result<runs::Detail, ClientError> {
        let mut detail = self.call(runs::Get { run: name.to_owned() }).await?;
        if detail.document_bytes.take().is_some() {
            detail.document = self.document(&detail.run.version).await?;
        }
        if detail.state.nodes_left + detail.state.edges_left > 0 {
            let mut list = runs::Nodes { run_id: detail.run.id, cursor: None };
            loop {
                let page = self.call(list.clone()).await?;
                detail.state.take_nodes(page.nodes);
                detail.state.take_edges(page.edges);
                list.cursor = page.cursor;
                if list.cursor.is_none() {
                    break;
                }
            }
        }
        Ok(detail)
    }

    /// Returns a workflow with the whole text of its newest version.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn workflow(&self, name: &str) -> Result<workflows::Detail, ClientError> {
        let mut detail = self.call(workflows::Get { workflow: name.to_owned() }).await?;
        if detail.document_bytes.take().is_some() {
            detail.document = self.document(&detail.workflow.version).await?;
        }
        Ok(detail)
    }

    /// Returns the text of a version of a workflow.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn document(&self, version: &Version) -> Result<String, ClientError> {
        let read = workflows::Read { version: version.clone(), offset: 0, limit: None };
        let (_, bytes) = self.bytes(&read).await?;
        String::from_utf8(bytes).map_err(|error| ClientError::BadResponse(error.to_string()))
    }

    /// Returns all params of a run, unshortened.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn params(&self, run_id: RunId) -> Result<Values, ClientError> {
        let (_, bytes) = self.read_json(run_id, values::Source::Params).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::BadResponse(error.to_string()))
    }

    /// Returns the full value of a port.
    ///
    /// # Errors
    /// As [`Client::call`], or the value was not kept.
    pub async fn port_value(&self, run_id: RunId, port: values::Port) -> Result<Value, ClientError> {
        let (_, bytes) = self.read_json(run_id, values::Source::Port(port)).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::BadResponse(error.to_string()))
    }

    async fn read_json(&self, run_id: RunId, of: values::Source) -> Result<(String, Vec<u8>), ClientError> {
        self.bytes(&values::Read { run_id, of, offset: 0, limit: None }).await
    }
}
