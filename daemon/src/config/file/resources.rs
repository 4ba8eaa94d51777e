//! `[resources]`: what attempts may use of the machine.

use fanlight_shared::resources::Resources;
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::{SpannedError, unknown_key};
use crate::machine::{Gpu, ResourceSettings};

const KEYS: [&str; 3] = ["cpus", "memory", "gpus"];
const GPU_KEYS: [&str; 2] = ["id", "name"];

pub(super) fn resources(value: &Spanned<DeValue<'_>>) -> Result<ResourceSettings, SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        let message = "`resources` is a table, such as `cpus = 8` below `[resources]`";
        return Err((value.span(), message.to_owned()));
    };
    let mut settings = ResourceSettings::default();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let mut read = Resources::default();
        match name {
            "cpus" | "memory" => {
                let set = read.set(name, &plain(value.get_ref()));
                set.map_err(|why| (value.span(), format!("`{name}` {why}")))?;
            }
            "gpus" => settings.gpus = Some(gpus(value)?.into()),
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
        settings.cpus = settings.cpus.or(Some(read.cpus).filter(|it| *it > 0));
        settings.memory = settings.memory.or(Some(read.memory).filter(|it| *it > 0));
    }
    Ok(settings)
}

/// Reads GPUs: ids, or tables with an id and a name.
fn gpus(value: &Spanned<DeValue<'_>>) -> Result<Vec<Gpu>, SpannedError> {
    let wrong =
        |span| (span, "`gpus` is a list such as `[0, 1]` or `[{ id = \"0\", name = \"A100\" }]`".to_owned());
    let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span()))?;
    let mut gpus: Vec<Gpu> = Vec::new();
    for item in list {
        let mut gpu = Gpu::default();
        match item.get_ref().as_table() {
            Some(table) => {
                for (key, value) in table {
                    let text = plain(value.get_ref()).to_text().map_err(|why| (value.span(), why))?;
                    match key.get_ref().as_ref() {
                        "id" => gpu.id = text,
                        "name" => gpu.name = Some(sanitise::line(&text)),
                        unknown => return Err((key.span(), unknown_key(unknown, &GPU_KEYS))),
                    }
                }
            }
            None => match plain(item.get_ref()) {
                Value::Int(number) => gpu.id = number.to_string(),
                Value::Text(id) => gpu.id = id,
                _ => return Err(wrong(item.span())),
            },
        }
        // It becomes a part of a list with commas in a variable.
        let is_id = |id: &str| {
            !id.is_empty() && id.len() <= 100 && id.bytes().all(|it| it.is_ascii_graphic() && it != b',')
        };
        if !is_id(&gpu.id) {
            return Err((item.span(), "a GPU has an `id` without blanks and commas, such as `0`".to_owned()));
        }
        if gpus.iter().any(|other| other.id == gpu.id) {
            return Err((item.span(), format!("the GPU `{}` is there twice", gpu.id)));
        }
        gpus.push(gpu);
    }
    Ok(gpus)
}

/// Returns a number or a text as a value of a workflow file, which has the same rules.
fn plain(value: &DeValue<'_>) -> Value {
    if let Some(text) = value.as_str() {
        return Value::from(text);
    }
    let integer =
        value.as_integer().and_then(|it| i64::from_str_radix(&it.as_str().replace('_', ""), it.radix()).ok());
    let float = || value.as_float().and_then(|it| it.as_str().replace('_', "").parse().ok());
    integer.map(Value::Int).or_else(|| float().map(Value::Float)).unwrap_or_default()
}
