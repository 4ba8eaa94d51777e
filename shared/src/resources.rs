//! The resources that an attempt needs of its machine, evaluated: numbers, sizes and durations as people write them.

mod gpus;

use std::time::Duration;

use crate::time::read_duration;
use crate::units;
use crate::value::{Value, cut};

pub use gpus::{GPU_PARTS, GpuSlot, Gpus, shown_gpus};

/// The keys of `resources:`.
pub const RESOURCE_KEYS: [&str; 5] = ["cpus", "memory", "gpus", "time", "disk"];

/// The parts of one CPU in which CPUs are counted.
pub const CPU_PARTS: u32 = 1000;
/// The most CPUs that a node may ask for.
const MAX_CPUS: f64 = 100_000.0;
/// The least memory and disk space, in bytes: a smaller number is one without its unit.
const MIN_BYTES: u64 = 1_000_000;

/// The resources of one attempt. Zero and `None` ask for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Resources {
    /// CPUs, in thousandths.
    pub cpus: u32,
    /// Memory, in bytes.
    pub memory: u64,
    /// GPUs.
    pub gpus: Gpus,
    /// How long it takes at most.
    pub time: Option<Duration>,
    /// Free disk space before it starts, in bytes.
    pub disk: u64,
}

impl Resources {
    /// Sets a resource to a value of the file or of an expression.
    ///
    /// # Errors
    /// What is wrong with the value, to follow its name.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "cpus" => self.cpus = cpus(value)?,
            "memory" => self.memory = bytes(value)?,
            "gpus" => self.gpus = Gpus::read(value)?,
            "time" => self.time = Some(time(value)?),
            "disk" => self.disk = bytes(value)?,
            _ => return Err("is not a resource".to_owned()),
        }
        Ok(())
    }
}

fn cpus(value: &Value) -> Result<u32, String> {
    let cpus = value.as_float().filter(|cpus| *cpus > 0.0 && *cpus <= MAX_CPUS);
    let cpus = cpus.ok_or_else(|| wrong("a number more than 0, such as `2` or `0.5`", value))?;
    // Within range, because of the filter.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok((cpus * f64::from(CPU_PARTS)).ceil() as u32)
}

fn bytes(value: &Value) -> Result<u64, String> {
    let bytes = match value {
        Value::Text(text) => units::size(text.trim()),
        Value::Int(bytes) => u64::try_from(*bytes).ok(),
        _ => None,
    };
    let wanted = "a size such as `500 MB` or `4 GiB`";
    match bytes {
        Some(bytes @ ..MIN_BYTES) => Err(format!("must be at least 1 MB, got {bytes} B; write {wanted}")),
        // What is held is counted with a sign.
        Some(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err(wrong(wanted, value)),
    }
}

fn time(value: &Value) -> Result<Duration, String> {
    let wanted = || wrong("a duration such as `10s`, `5m` or `2h`", value);
    let time = read_duration(value.as_text().ok_or_else(wanted)?).map_err(|_| wanted())?;
    if time.is_zero() { Err("must be more than 0".to_owned()) } else { Ok(time) }
}

fn wrong(wanted: &str, value: &Value) -> String {
    let shown = value.to_text().unwrap_or_else(|_| "a value that is no text".to_owned());
    format!("must be {wanted}, got `{}`", cut(&shown, 60))
}

/// Returns a number of CPUs for people: `1 CPU`, `2.5 CPUs`.
#[must_use]
pub fn shown_cpus(thousandths: u64) -> String {
    let noun = if thousandths == u64::from(CPU_PARTS) { "CPU" } else { "CPUs" };
    format!("{} {noun}", shown_thousandths(thousandths))
}

/// Returns a number of thousandths for people: `1`, `2.5`.
#[must_use]
pub fn shown_thousandths(thousandths: u64) -> String {
    match (thousandths / 1000, thousandths % 1000) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{}", format!("{rest:03}").trim_end_matches('0')),
    }
}

/// Returns a size for people, as `resources:` takes it: `4 GB`, `1.5 GiB`.
#[must_use]
pub fn shown_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("TB", 1_000_000_000_000),
        ("TiB", 1 << 40),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
    ];
    let whole = UNITS.iter().find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size));
    if let Some((unit, size)) = whole {
        return format!("{} {unit}", bytes / size);
    }
    let (unit, size) = UNITS.into_iter().step_by(2).find(|(_, size)| bytes >= *size).unwrap_or(UNITS[4]);
    // Rounded down, so that what is free never looks like enough.
    let tenths = (u128::from(bytes) * 10 / u128::from(size)) as u64;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: impl Into<Value>) -> Result<Resources, String> {
        let mut resources = Resources::default();
        resources.set(key, &value.into()).map(|()| resources)
    }

    #[test]
    fn a_resource_is_a_number_a_size_or_a_duration() {
        assert_eq!((set("cpus", 2).unwrap().cpus, set("cpus", 0.5).unwrap().cpus), (2000, 500));
        assert_eq!(set("cpus", 0.000_1).unwrap().cpus, 1, "a part of a CPU is never nothing");
        assert_eq!(set("memory", "4GB").unwrap().memory, 4_000_000_000);
        assert_eq!(set("disk", "2 GiB").unwrap().disk, 2 << 30);
        assert_eq!(set("memory", 3_000_000).unwrap().memory, 3_000_000, "an expression counts bytes");
        assert_eq!(set("time", "30m").unwrap().time, Some(Duration::from_secs(1800)));
    }

    #[test]
    fn a_value_without_its_unit_or_of_another_kind_is_refused() {
        let wrong = |key: &str, value: Value| set(key, value).unwrap_err();
        assert_eq!(
            wrong("memory", Value::Int(4)),
            "must be at least 1 MB, got 4 B; write a size such as `500 MB` or `4 GiB`"
        );
        assert_eq!(wrong("disk", "a lot".into()), "must be a size such as `500 MB` or `4 GiB`, got `a lot`");
        for value in [Value::Int(0), Value::Int(-1), Value::Float(f64::NAN), "2".into(), Value::Bool(true)] {
            assert!(wrong("cpus", value).starts_with("must be a number more than 0"));
        }
        assert_eq!(wrong("time", "0s".into()), "must be more than 0");
        assert!(wrong("time", Value::Int(30)).contains("a duration such as"));
        assert!(wrong("memory", Value::Int(-1)).contains("a size"));
    }

    #[test]
    fn amounts_are_shown_as_people_write_them() {
        assert_eq!((shown_cpus(1000), shown_cpus(8000)), ("1 CPU".into(), "8 CPUs".into()));
        assert_eq!((shown_cpus(500), shown_cpus(2250)), ("0.5 CPUs".into(), "2.25 CPUs".into()));
        assert_eq!((shown_bytes(4_000_000_000), shown_bytes(16 << 30)), ("4 GB".into(), "16 GiB".into()));
        assert_eq!(shown_bytes(1_999_999_999), "1.9 GB");
        assert_eq!((shown_bytes(1_500_000), shown_bytes(12)), ("1.5 MB".into(), "0 MB".into()));
    }
}
