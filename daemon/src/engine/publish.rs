//! Stores the values of a node, and its assets.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::AssetId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexMap;

use super::active::{ActiveRun, Made};
use super::context::{After, Context};
use super::key::Key;
use crate::content;
use crate::store::{Bodies, NewAsset, Op};

impl ActiveRun {
    /// Stores the values of an attempt, in the transaction that finishes its node. Returns them shortened for
    /// telemetry.
    pub(super) fn publish(
        &mut self,
        context: &mut Context,
        key: Key,
        values: Values,
        bodies: Bodies,
        made: Made,
    ) -> IndexMap<String, Value> {
        if values.is_empty() {
            return IndexMap::new();
        }
        let shown = shorten_all(&values);
        let node = self.plan.nodes[key.node].name.clone();
        for (port, value) in &shown {
            context.after(After::Daemon(DaemonEvent::OutputUpdate {
                workflow_id: self.run.workflow_id,
                run_id: self.run.id,
                node: node.clone(),
                item: key.item,
                port: port.clone(),
                value: value.clone(),
            }));
        }
        context.op(Op::Values {
            run: self.run.id,
            node,
            item: key.item,
            values: values.clone(),
            bodies,
            cache_key: made.cache_key,
        });
        self.publish_assets(context, key.node, key.item, &values, &made);
        if let Some(instance) = self.instance_mut(key.node, key.item) {
            instance.values = Some(values);
        }
        shown
    }

    /// Makes assets: every media value unless the node has `keep: false`; all values with `keep: true`; and every port
    /// that is a workflow output. Ports of a node with `each` that aren't media wait for the whole list.
    pub(super) fn publish_assets(
        &mut self,
        context: &mut Context,
        node: usize,
        item: ItemPath,
        values: &Values,
        made: &Made,
    ) {
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        for (port, value) in values {
            let is_output = plan.output_ports.contains(port);
            let media = value.media();
            if !media.is_empty() && plan.keeps_media(port) {
                let media: Vec<Value> = media.into_iter().cloned().map(Value::from).collect();
                for (ordinal, value) in media.into_iter().enumerate() {
                    self.add_asset(context, &plan.name, item, port, ordinal, value, made);
                }
            } else if media.is_empty()
                && (is_output && item.is_whole() || plan.node.keep == Some(true))
                && !is_deferred(value)
            {
                self.add_asset(context, &plan.name, item, port, 0, value.clone(), made);
            }
        }
    }

    /// Makes assets of the lists of a node with `each` that are workflow outputs and not media.
    pub(super) fn publish_lists(&mut self, context: &mut Context, node: usize, lists: &Values) {
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        let made = Made::default();
        for (port, list) in lists.iter().filter(|(port, list)| {
            plan.output_ports.contains(*port) && !list.has_media() && !is_deferred(list)
        }) {
            self.add_asset(context, &plan.name, ItemPath::WHOLE, port, 0, list.clone(), &made);
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn add_asset(
        &self,
        context: &mut Context,
        node: &str,
        item: ItemPath,
        port: &str,
        ordinal: usize,
        value: Value,
        made: &Made,
    ) {
        let kind = AssetKind::of(&value);
        let (mime, bytes, name) = match &value {
            Value::Media(media) => (media.mime.clone(), media.bytes, media.name.clone()),
            Value::Large(large) if large.is_text() => {
                ("text/plain; charset=utf-8".to_owned(), large.bytes, format!("{port}.txt"))
            }
            Value::Large(large) => ("application/json".to_owned(), large.bytes, format!("{port}.json")),
            Value::Text(text) => {
                ("text/plain; charset=utf-8".to_owned(), text.len() as u64, format!("{port}.txt"))
            }
            other => {
                let json = other.to_json().to_string();
                ("application/json".to_owned(), json.len() as u64, format!("{port}.json"))
            }
        };
        let asset = Asset {
            id: AssetId::new(),
            workflow: self.run.workflow.clone(),
            run: self.run.name(),
            node: node.to_owned(),
            item,
            port: port.to_owned(),
            kind,
            mime,
            bytes,
            name,
            created_at: Time::now(),
            starred: false,
            ordinal: ordinal as u32,
            workflow_id: self.run.workflow_id,
            run_id: self.run.id,
            preview: if value.has_media() { PreviewState::Pending } else { PreviewState::None },
            value,
        };
        let preview = asset.value.as_media().cloned().map(|media| (asset.id, media));
        context.op(Op::Asset(Box::new(NewAsset {
            asset: asset.clone(),
            attempt: made.number,
            duration_ms: u64::try_from(made.duration.as_millis()).unwrap_or(u64::MAX),
            cost_usd: made.cost_usd,
        })));
        context.after(After::Daemon(DaemonEvent::AssetUpdate { asset: Box::new(asset) }));
        if let Some((asset, media)) = preview {
            context.preview_later(asset, media);
        }
    }
}

/// Returns whether a value becomes an asset only when its run ends, after its whole content was stored as one blob. An
/// incomplete value never becomes an asset.
pub(super) fn is_deferred(value: &Value) -> bool {
    match value {
        Value::Large(large) => large.cut,
        value => value.has_large() || value.memory() > content::LIMIT,
    }
}

/// The longest JSON of a value that telemetry carries unchanged, in bytes.
const TELEMETRY_VALUE_LIMIT: usize = 1024;

/// Shortens values for telemetry.
pub(super) fn shorten_all(values: &Values) -> IndexMap<String, Value> {
    values.iter().map(|(port, value)| (port.clone(), shorten(value))).collect()
}

/// Shortens a value for telemetry.
pub(super) fn shorten(value: &Value) -> Value {
    shorten_to(value, TELEMETRY_VALUE_LIMIT)
}

/// Returns a preview of a value of about `limit` bytes: text is cut, long lists keep their first items and the number
/// of others, large objects become text. `values.list` and `values.read` return the whole value.
fn shorten_to(value: &Value, limit: usize) -> Value {
    match value {
        Value::Text(text) if text.len() > limit => {
            let mut end = limit;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            Value::Text(format!("{}…", &text[..end]))
        }
        Value::Large(large) => Value::Text(format!("{}…", large.head)),
        Value::List(items) => {
            let most = (limit / 64).max(4);
            let mut first: Vec<Value> =
                items.iter().take(most).map(|item| shorten_to(item, limit / 4)).collect();
            if items.len() > most {
                first.push(Value::Text(format!("… {} more", items.len() - most)));
            }
            Value::List(first)
        }
        Value::Object(map) if map.len() > 16 || value.to_json().to_string().len() > limit => {
            Value::Text(cut(&value.to_json().to_string(), limit))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telemetry_carries_short_values() {
        let long = Value::from("grüße".repeat(1000));
        assert!(shorten(&long).as_text().is_some_and(|text| text.len() <= 1030));
        let list = Value::List((0..10_000).map(Value::Int).collect());
        let short = shorten(&list);
        let short = short.as_list().unwrap();
        assert_eq!((short.len(), short.last()), (17, Some(&Value::from("… 9984 more"))));
        assert_eq!(shorten(&Value::Int(1)), Value::Int(1));
    }
}
