//! The messages of a server's websocket. They show how far a graph is; its history alone says how it ended.

use serde_json::Value as Json;

/// The binary message with a picture, and the formats of such pictures, which ComfyUI numbers.
const PREVIEW: u32 = 1;

/// A message about one graph.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Message {
    /// The queue of the server changed.
    Queue,
    /// The results of these nodes were made before.
    Cached(Vec<String>),
    /// This node began; `None`: the graph has ended.
    Executing(Option<String>),
    /// How far the node is, from 0 to 1.
    Progress(f64),
    /// The picture so far: JPEG or PNG.
    Preview(Vec<u8>),
}

impl Message {
    /// Reads a text message; `None` for one of another kind or about another graph.
    pub(crate) fn of_text(text: &str, prompt: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let data = json.get("data")?;
        let kind = json.get("type")?.as_str()?;
        if kind == "status" {
            return Some(Self::Queue);
        }
        // Older servers don't say which graph makes progress: it is one of this connection.
        match data.get("prompt_id").and_then(Json::as_str) {
            Some(other) if other != prompt => return None,
            None if kind != "progress" => return None,
            _ => {}
        }
        Some(match kind {
            "execution_cached" => {
                let nodes = data.get("nodes")?.as_array()?;
                Self::Cached(nodes.iter().filter_map(|node| node.as_str().map(str::to_owned)).collect())
            }
            "executing" => Self::Executing(match data.get("node")? {
                Json::Null => None,
                node => Some(node.as_str()?.to_owned()),
            }),
            "progress" => {
                let (value, max) = (data.get("value")?.as_f64()?, data.get("max")?.as_f64()?);
                (max > 0.0).then(|| Self::Progress((value / max).clamp(0.0, 1.0)))?
            }
            _ => return None,
        })
    }

    /// Reads a binary message: four bytes each for its kind and the format of the picture, and the picture.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first_chunk::<4>()?;
        let (_, picture) = rest.split_first_chunk::<4>()?;
        (u32::from_be_bytes(*kind) == PREVIEW && !picture.is_empty()).then(|| Self::Preview(picture.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_about_another_graph_are_not_taken() {
        let of = |text: &str| Message::of_text(text, "p");
        let executing =
            |prompt: &str| format!(r#"{{"type":"executing","data":{{"node":"3","prompt_id":"{prompt}"}}}}"#);
        assert_eq!(of(&executing("p")), Some(Message::Executing(Some("3".into()))));
        assert_eq!(of(&executing("q")), None);
        let ended = r#"{"type":"executing","data":{"node":null,"prompt_id":"p"}}"#;
        assert_eq!(of(ended), Some(Message::Executing(None)));
        let progress = r#"{"type":"progress","data":{"value":5,"max":20}}"#;
        assert_eq!(of(progress), Some(Message::Progress(0.25)));
        let cached = r#"{"type":"execution_cached","data":{"nodes":["4"],"prompt_id":"p"}}"#;
        assert_eq!(of(cached), Some(Message::Cached(vec!["4".into()])));
        for nothing in
            ["", "{}", "[]", r#"{"type":"progress","data":{"value":1,"max":0}}"#, r#"{"type":3,"data":{}}"#]
        {
            assert_eq!(of(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_picture_follows_its_kind_and_format() {
        assert_eq!(Message::of_bytes(b"\0\0\0\x01\0\0\0\x01jpeg"), Some(Message::Preview(b"jpeg".to_vec())));
        for other in [&b"\0\0\0\x03\0\0\0\x01text"[..], b"\0\0\0\x01\0\0\0\x01", b"\0\0", b""] {
            assert_eq!(Message::of_bytes(other), None);
        }
    }
}
