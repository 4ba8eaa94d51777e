//! Inputs with which a node type is tried.

use std::path::Path;

use fanlight_shared::media::MediaKind;
use fanlight_shared::node_type::{InputSpec, NodeTypeSpec};
use fanlight_shared::sanitise;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::{Value as Json, json};

use crate::media;
use crate::plugin::manifest::Example;
use crate::store::{Op, Store};

/// An orange square of 8 pixels.
const PNG: [u8; 74] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0, 75,
    109, 41, 220, 0, 0, 0, 17, 73, 68, 65, 84, 120, 218, 99, 56, 17, 160, 129, 21, 49, 12, 45, 9, 0, 106,
    153, 80, 1, 178, 33, 239, 190, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];
/// The sample rate of the generated sound, and its length in bytes: a tenth of a second of 16 bits.
const RATE: u32 = 16_000;
const SOUND_BYTES: u32 = RATE / 10 * 2;

/// Returns values for the inputs of a type: defaults, and short ones of the declared types. Blocks.
///
/// # Errors
/// A sentence: there is none for an input.
pub(super) fn generate(spec: &NodeTypeSpec, store: &Store, folder: &Path) -> Result<Values, String> {
    let mut values = Values::new();
    for (name, input) in spec.inputs.iter().filter(|(_, input)| !input.optional) {
        let value = match &input.default {
            Some(default) => default.clone(),
            None => {
                let value = value(&input.ty, input, store, folder);
                let value = value.and_then(|value| input.check(value));
                value.map_err(|why| format!("there is no value for the input `{name}`: {why}"))?
            }
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn value(ty: &Type, input: &InputSpec, store: &Store, folder: &Path) -> Result<Value, String> {
    let (min, max) = (input.min.unwrap_or(f64::MIN), input.max.unwrap_or(f64::MAX));
    Ok(match ty {
        Type::Text | Type::Choice | Type::Any => {
            let first = input.choices.first().map_or("a text", String::as_str);
            Value::from_json(first.into())
        }
        #[allow(clippy::cast_possible_truncation)]
        Type::Int => Value::from_json((1.0_f64.max(min.ceil()).min(max.floor()) as i64).into()),
        Type::Float => Value::from_json(0.5_f64.max(min).min(max).into()),
        Type::Bool => Value::from_json(true.into()),
        Type::Json => Value::from_json(json!({ "a": [1, 2] })),
        Type::List(of) => {
            let one = value(of, input, store, folder)?;
            Value::List(vec![one.clone(), one])
        }
        Type::Media(kind) => {
            let path = folder.join(ty.to_string());
            let failed = |error: std::io::Error| format!("a file can't be written: {error}");
            match kind {
                MediaKind::Video => return Err("no video can be generated".into()),
                MediaKind::Dir => {
                    std::fs::create_dir_all(&path).map_err(failed)?;
                    std::fs::write(path.join("a.txt"), "a text\n").map_err(failed)?;
                }
                kind => {
                    std::fs::create_dir_all(folder).map_err(failed)?;
                    std::fs::write(&path, file(*kind)).map_err(failed)?;
                }
            }
            import(&path, *kind, store)?
        }
    })
}

fn file(kind: MediaKind) -> Vec<u8> {
    match kind {
        MediaKind::Image => PNG.to_vec(),
        MediaKind::Audio => silence(),
        MediaKind::File | MediaKind::Dir | MediaKind::Video => b"a text\n".to_vec(),
    }
}

/// Returns a WAV file with one channel.
fn silence() -> Vec<u8> {
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + SOUND_BYTES).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(RATE.to_le_bytes());
    wav.extend((2 * RATE).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(SOUND_BYTES.to_le_bytes());
    wav.resize(wav.len() + SOUND_BYTES as usize, 0);
    wav
}

fn import(path: &Path, kind: MediaKind, store: &Store) -> Result<Value, String> {
    let (media, published) = media::import(path, kind, store.blobs())?;
    let ops = published.into_iter().map(Op::Blob).collect();
    store.commit_blocking(ops).map_err(|error| error.to_string())?;
    Ok(Value::from(media))
}

/// Returns the inputs of an example, with those that it leaves out. A file is a path in the plugin's folder. Blocks.
///
/// # Errors
/// A sentence: an input is unknown, missing or wrong.
pub(super) fn of_example(
    spec: &NodeTypeSpec,
    example: &Example,
    store: &Store,
    folder: &Path,
) -> Result<Values, String> {
    if let Some(name) = example.inputs.keys().find(|name| !spec.inputs.contains_key(*name)) {
        return Err(format!("there is no input `{}`", sanitise::line(name)));
    }
    let mut values = Values::new();
    for (name, input) in &spec.inputs {
        let value = match example.inputs.get(name) {
            Some(given) => taken(given, &input.ty, store, folder)
                .and_then(|value| input.check(value))
                .map_err(|why| format!("the input `{name}`: {why}"))?,
            None if input.optional => continue,
            None => input.default.clone().ok_or_else(|| format!("the input `{name}` is missing"))?,
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn taken(given: &Json, ty: &Type, store: &Store, folder: &Path) -> Result<Value, String> {
    match (ty, given) {
        (Type::Media(kind), Json::String(path)) => import(&folder.join(path), *kind, store),
        (Type::Media(_), _) => Err("a file is given by its path, as a text".into()),
        (Type::List(of), Json::Array(items)) if of.has_media() => {
            let items = items.iter().map(|item| taken(item, of, store, folder));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        (_, given) => Ok(Value::from_json(given.clone())),
    }
}
