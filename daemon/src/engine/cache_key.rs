//! The key of a result that later nodes reuse: everything that it depends on.

use fanlight_shared::media::JSON;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::CommandOutput;

use crate::executor::{Argument, CommandWork, Program, Surroundings, WorkDir};
use crate::node_type::NodeType;
use crate::store::{CacheKey, PartsDigest};

/// The parts of a key by name: everything that a result depends on.
pub(super) struct KeyParts(Vec<(String, Vec<u8>)>);

impl KeyParts {
    fn add(&mut self, name: String, part: Vec<u8>) {
        self.0.push((name, part));
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, part)| (name.as_str(), part.as_slice()))
    }

    /// Returns the key.
    pub(super) fn key(&self) -> CacheKey {
        CacheKey::of(self.iter())
    }

    /// Returns a digest of each part, which later shows in what two keys differ.
    pub(super) fn digest(&self) -> PartsDigest {
        PartsDigest::of(self.iter())
    }
}

/// Returns the parts of the key of the result of a node of this type with these inputs, or `None` if they can't be compared.
/// `limit`: the size above which its values become handles.
pub(super) fn of_native(node_type: &NodeType, inputs: &Values, limit: usize) -> Option<KeyParts> {
    let spec = &node_type.spec;
    let mut parts = KeyParts(vec![
        ("type".to_owned(), spec.name.clone().into_bytes()),
        ("version".to_owned(), spec.version.to_string().into_bytes()),
        // What a type computes may change with any version of the program.
        ("program".to_owned(), env!("CARGO_PKG_VERSION").as_bytes().to_vec()),
        ("limit".to_owned(), limit.to_string().into_bytes()),
    ]);
    for (name, value) in inputs {
        parts.add(format!("input {name}"), canonical(value)?);
    }
    for (name, ty) in node_type.declared_outputs() {
        parts.add(format!("output {name}"), ty.to_string().into_bytes());
    }
    Some(parts)
}

/// Returns the parts of the key of the result of a command with these surroundings, or `None` if its inputs can't be compared.
pub(super) fn of_command(command: &CommandWork, seen: &Surroundings, limit: usize) -> Option<KeyParts> {
    let CommandWork { program, inputs, env, dir, outputs, metrics: _, remember: _ } = command;
    if !matches!(dir, None | Some(WorkDir::Copy { .. })) {
        return None;
    }
    let mut parts = KeyParts(vec![
        ("type".to_owned(), b"command".to_vec()),
        ("program".to_owned(), env!("CARGO_PKG_VERSION").as_bytes().to_vec()),
        ("limit".to_owned(), limit.to_string().into_bytes()),
    ]);
    if dir.is_some() {
        // What is in the copy is a part of what was seen.
        parts.add("dir".to_owned(), b"copy".to_vec());
    }
    match program {
        Program::Script { text, shell } => {
            parts.add("script".to_owned(), text.clone().into_bytes());
            parts.add("shell".to_owned(), format!("{shell:?}").into_bytes());
        }
        Program::Arguments(arguments) => {
            for (at, argument) in arguments.iter().enumerate() {
                let argument = match argument {
                    Argument::Text(text) => Value::from(text.as_str()),
                    Argument::Media(media) => Value::from(media.clone()),
                };
                parts.add(format!("argument {at}"), canonical(&argument)?);
            }
        }
    }
    for (name, value) in inputs {
        parts.add(format!("input {name}"), canonical(value)?);
    }
    for (name, value) in env {
        parts.add(format!("env {name}"), value.clone().into_bytes());
    }
    for (name, output) in outputs {
        let CommandOutput { source, ty, name: _, take_unchanged, span: _ } = output;
        let file = output.file_name();
        let declared = format!("{source:?} {ty} {file:?} {take_unchanged}");
        parts.add(format!("output {name}"), declared.into_bytes());
    }
    parts.0.extend(seen.parts.iter().map(|(name, part)| (format!("seen {name}"), part.clone())));
    Some(parts)
}

/// Returns a value as bytes. Media counts by its hash and by what else a node sees of it, wherever its bytes are. A file of
/// JSON counts as the text that earlier versions took it for, so that results which they stored are found.
fn canonical(value: &Value) -> Option<Vec<u8>> {
    let media = value.media();
    if media.iter().all(|media| media.source.is_none() && media.mime != JSON) {
        return serde_json::to_vec(value).ok();
    }
    let mut value = value.clone();
    let without_source = value.change_media(&mut |media| {
        media.source = None;
        if media.mime == JSON {
            "text/plain".clone_into(&mut media.mime);
        }
        Ok::<_, std::convert::Infallible>(())
    });
    without_source.ok()?;
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use fanlight_shared::media::SourceFile;

    use super::*;
    use crate::node_type::NodeTypes;

    fn key(of: &str, inputs: &[(&str, Value)]) -> CacheKey {
        let types = NodeTypes::built_in().now();
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        of_native(types.get(of).unwrap(), &inputs, 1).unwrap().key()
    }

    #[test]
    fn the_same_inputs_have_the_same_key_and_no_others() {
        let of = |value: Value| key("image.resize", &[("width", value)]);
        assert_eq!(of(Value::Int(1)), of(Value::Int(1)));
        let all = [
            of(Value::Int(1)),
            of(Value::Float(1.0)),
            of(Value::from("1")),
            of(Value::None),
            of(Value::List(vec![Value::Int(1)])),
            key("image.resize", &[("height", Value::Int(1))]),
            key("image.crop", &[("width", Value::Int(1))]),
            key("image.resize", &[]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }

    #[cfg(feature = "code")]
    #[test]
    fn declared_outputs_are_part_of_the_key() {
        use fanlight_shared::types::Type;
        let of = |outputs: &[(&str, Type)]| {
            let types = NodeTypes::built_in().now();
            let own = types.get("code.js").unwrap().declaring(outputs);
            of_native(&own, &Values::new(), 1).unwrap().key()
        };
        let all = [
            of(&[]),
            of(&[("value", Type::Any)]),
            of(&[("total", Type::Int)]),
            of(&[("total", Type::Float)]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }

    #[test]
    fn parts_of_a_key_do_not_run_into_each_other() {
        let one = CacheKey::of([("a", b"bc".as_slice()), ("d", b"")]);
        assert_ne!(one, CacheKey::of([("a", b"b".as_slice()), ("cd", b"")]));
        assert_ne!(one, CacheKey::of([("ab", b"c".as_slice()), ("d", b"")]));
    }

    #[test]
    fn media_counts_by_its_content_wherever_that_is() {
        let media: Value = serde_json::from_str(&format!(
            r#"{{"$media": {{"kind": "image", "hash": "{}", "mime": "image/png", "bytes": 1, "name": "a.png"}}}}"#,
            "ab".repeat(32)
        ))
        .unwrap();
        let change = |change: &dyn Fn(&mut fanlight_shared::media::Media)| {
            let mut value = media.clone();
            let _ = value.change_media(&mut |media| {
                change(media);
                Ok::<_, std::convert::Infallible>(())
            });
            key("image.resize", &[("image", value)])
        };
        let file = SourceFile { path: "/a".into(), modified_us: 1, changed_us: 1 };
        let same = change(&|_| {});
        assert_eq!(same, change(&|media| media.source = Some(Box::new(file.clone()))));
        let of = |mime: &str| change(&|media| media.mime = mime.to_owned());
        assert_eq!(of(JSON), of("text/plain"), "as earlier versions stored it");
        assert_ne!(of(JSON), same);
        assert_ne!(same, change(&|media| media.hash = fanlight_shared::id::BlobHash::of(b"other")));
        assert_ne!(same, change(&|media| media.name = "b.png".into()), "a node may pass the name on");
    }
}
