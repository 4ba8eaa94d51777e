//! `[resources]`: what attempts may use of the machine.

use fanlight_shared::resources::Resources;
use fanlight_shared::value::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::{SpannedError, unknown_key};
use crate::machine::ResourceSettings;

const KEYS: [&str; 2] = ["cpus", "memory"];

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
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
        settings.cpus = settings.cpus.or(Some(read.cpus).filter(|it| *it > 0));
        settings.memory = settings.memory.or(Some(read.memory).filter(|it| *it > 0));
    }
    Ok(settings)
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
