//! GPUs: how many an attempt needs, and those that it has.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{shown_thousandths, wrong};
use crate::value::Value;

/// The parts of one GPU in which its memory is counted.
pub const GPU_PARTS: u32 = 1000;
/// The most GPUs that an attempt may have: each is named in its event.
const MAX_GPUS: f64 = 64.0;

/// The GPUs that an attempt needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Gpus {
    /// None.
    #[default]
    None,
    /// A part of one, in thousandths of its memory.
    Part(u32),
    /// So many whole ones.
    Whole(u32),
}

impl Gpus {
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let wanted = || wrong("a number of whole GPUs, or a part of one such as `0.25`", value);
        let gpus = value.as_float().filter(|gpus| *gpus > 0.0).ok_or_else(wanted)?;
        if gpus > MAX_GPUS {
            return Err(format!("must be at most {MAX_GPUS}, got `{gpus}`"));
        }
        // Within range, because of the checks above.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        match gpus {
            gpus if gpus < 1.0 => Ok(Self::Part((gpus * f64::from(GPU_PARTS)).ceil() as u32)),
            gpus if gpus.fract() == 0.0 => Ok(Self::Whole(gpus as u32)),
            _ => Err(wanted()),
        }
    }

    /// Returns the number of devices.
    #[must_use]
    pub fn devices(self) -> usize {
        match self {
            Self::None => 0,
            Self::Part(_) => 1,
            Self::Whole(count) => count as usize,
        }
    }

    /// Returns it for people: `1 GPU`, `0.25 of a GPU`.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::None => "no GPU".to_owned(),
            Self::Part(part) => format!("{} of a GPU", shown_thousandths(part.into())),
            Self::Whole(count) => shown_gpus(count as usize),
        }
    }
}

/// Returns a number of GPUs for people.
#[must_use]
pub fn shown_gpus(count: usize) -> String {
    if count == 1 { "1 GPU".to_owned() } else { format!("{count} GPUs") }
}

/// A GPU, or a part of one, that an attempt has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct GpuSlot {
    /// Its number or name, as in `CUDA_VISIBLE_DEVICES`.
    pub id: String,
    /// Its unique id, which it keeps when the machine numbers its GPUs differently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The name of its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The part of its memory, in thousandths; all of it by default.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub part: u32,
}

fn whole() -> u32 {
    GPU_PARTS
}

fn is_whole(part: &u32) -> bool {
    *part == GPU_PARTS
}

impl GpuSlot {
    /// Returns these slots for people: `GPU 0, 1`, `GPU 3 (0.25)`.
    #[must_use]
    pub fn shown(slots: &[Self]) -> Option<String> {
        let slot = |slot: &Self| match slot.part {
            GPU_PARTS => slot.id.clone(),
            part => format!("{} ({})", slot.id, shown_thousandths(part.into())),
        };
        let slots = slots.iter().map(slot).collect::<Vec<_>>().join(", ");
        (!slots.is_empty()).then(|| format!("GPU {slots}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_whole_ones_or_a_part_of_one() {
        let read = |value: Value| Gpus::read(&value);
        assert_eq!((read(2.into()), read(1.0.into())), (Ok(Gpus::Whole(2)), Ok(Gpus::Whole(1))));
        assert_eq!((read(0.25.into()), read(0.000_1.into())), (Ok(Gpus::Part(250)), Ok(Gpus::Part(1))));
        for value in [Value::Float(1.5), 0.into(), "1".into(), Value::Float(f64::NAN), Value::Int(-1)] {
            assert!(read(value).unwrap_err().starts_with("must be a number of whole GPUs"));
        }
        assert_eq!(read(65.into()), Err("must be at most 64, got `65`".into()));
    }

    #[test]
    fn a_slot_names_its_device_and_its_part() {
        let slot = |id: &str, part| GpuSlot { id: id.into(), uuid: None, name: None, part };
        assert_eq!(GpuSlot::shown(&[]), None);
        assert_eq!(GpuSlot::shown(&[slot("0", 1000), slot("1", 1000)]), Some("GPU 0, 1".into()));
        assert_eq!(GpuSlot::shown(&[slot("3", 250)]), Some("GPU 3 (0.25)".into()));
        let stored = serde_json::to_string(&slot("3", 1000)).unwrap();
        assert_eq!(stored, r#"{"id":"3"}"#);
        assert_eq!(serde_json::from_str::<GpuSlot>(&stored).unwrap(), slot("3", 1000));
    }
}
