//! Limits the size of values while an expression is evaluated.

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::{Evaluation, Stop, present};
use crate::expression::{SIZE_LIMIT, convert};
use crate::value::Extent;

impl Evaluation<'_> {
    /// Returns the result of an operator, filter or function: materialised if it is lazy, and refused if it is too
    /// large.
    pub(super) fn made(&self, value: Jinja) -> Result<Jinja, Stop> {
        let value = present(value)?;
        let value = match value.kind() {
            ValueKind::Iterable => {
                let mut items = Vec::new();
                for item in value.try_iter()?.checked() {
                    self.state.consume_fuel(1)?;
                    items.push(item?);
                    bounded(items.len() * Extent::OF_NOTHING.size)?;
                }
                Jinja::from(items)
            }
            _ => value,
        };
        let extent = self.extent(&value)?;
        bounded(extent.size)?;
        extent.check_depth().map_err(Stop::Wrong)?;
        Ok(value)
    }

    /// Measures a value with everything in it; an absent element makes the whole value absent.
    fn extent(&self, value: &Jinja) -> Result<Extent, Stop> {
        self.state.consume_fuel(1)?;
        if let Some(extent) = convert::extent(value) {
            self.state.consume_fuel((extent.size / FUEL_BYTES) as u64)?;
            return Ok(extent);
        }
        let mut extent = Extent::OF_NOTHING;
        match value.kind() {
            ValueKind::Undefined => return Err(Stop::Absent),
            ValueKind::Seq | ValueKind::Iterable => {
                extent.depth = 1;
                for item in value.try_iter()?.checked() {
                    extent.add(self.extent(&item?)?);
                    bounded(extent.size)?;
                }
            }
            ValueKind::Map => {
                extent.depth = 1;
                for key in value.try_iter()?.checked() {
                    let key = key?;
                    extent.add(self.extent(&value.get_item(&key)?)?);
                    extent.add(self.extent(&key)?);
                    bounded(extent.size)?;
                }
            }
            _ => {}
        }
        Ok(extent)
    }
}

/// How many bytes one unit of fuel covers, as in minijinja.
const FUEL_BYTES: usize = 64;

pub(super) fn bounded(size: usize) -> Result<(), Stop> {
    if size > SIZE_LIMIT {
        let limit = SIZE_LIMIT >> 20;
        return Err(Stop::Wrong(format!("the result is larger than {limit} MiB; do this in a command")));
    }
    Ok(())
}
