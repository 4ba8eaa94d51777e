//! The filter `tojson`.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value as Jinja};

use super::convert;
use crate::value::Value;

/// How many bytes of text one unit of fuel covers, as in minijinja.
const FUEL_BYTES: usize = 64;

/// Returns a value as JSON. NaN and the infinities become texts, as wherever a value becomes JSON; minijinja's filter
/// makes them null.
pub(super) fn tojson(
    state: &State<'_, '_>,
    value: Jinja,
    indent: Option<Jinja>,
    options: Kwargs,
) -> Result<Jinja, Error> {
    let value = with_named_floats(state, &value)?.unwrap_or(value);
    let text = minijinja::filters::tojson(&value, indent, options)?;
    state.consume_fuel((text.len().unwrap_or_default() / FUEL_BYTES) as u64)?;
    Ok(text)
}

/// Returns a value in which such floats are texts; `None` if it has none.
fn with_named_floats(state: &State<'_, '_>, value: &Jinja) -> Result<Option<Jinja>, Error> {
    state.consume_fuel(1 + (value.as_str().map_or(0, str::len) / FUEL_BYTES) as u64)?;
    match value.kind() {
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) if !number.is_finite() => Ok(Value::Float(number).to_text().ok().map(Jinja::from)),
            _ => Ok(None),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            let (mut items, mut changed) = (Vec::new(), false);
            for item in value.try_iter()?.checked() {
                let item = item?;
                let named = with_named_floats(state, &item)?;
                changed |= named.is_some();
                items.push(named.unwrap_or(item));
            }
            // An iterator may give its items only once.
            Ok((changed || value.kind() == ValueKind::Iterable).then(|| Jinja::from(items)))
        }
        ValueKind::Map => {
            let (mut fields, mut changed) = (Vec::new(), false);
            for key in value.try_iter()?.checked() {
                let key = key?;
                let field = value.get_item(&key)?;
                let named = with_named_floats(state, &field)?;
                changed |= named.is_some();
                fields.push((key.to_string(), named.unwrap_or(field)));
            }
            Ok(changed.then(|| convert::object(fields)))
        }
        _ => Ok(None),
    }
}
