//! The points of a row of the store, as bytes.
//!
//! A byte with the version, then each point: the distance of its step and of its time from those of the point before, as
//! numbers of variable length (LEB128, times zigzag), then the eight bytes of its value.

use fanlight_shared::metric::Point;
use fanlight_shared::time::Time;

const VERSION: u8 = 1;

/// Returns the bytes of points. Their steps grow.
pub(crate) fn encode(points: &[Point]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + points.len() * 12);
    bytes.push(VERSION);
    let (mut step, mut at) = (0_u64, 0_i64);
    for point in points {
        push(&mut bytes, point.step.wrapping_sub(step));
        let past = point.at.0.wrapping_sub(at);
        push(&mut bytes, ((past << 1) ^ (past >> 63)).cast_unsigned());
        bytes.extend_from_slice(&point.value.to_bits().to_le_bytes());
        (step, at) = (point.step, point.at.0);
    }
    bytes
}

/// Returns the points of these bytes; `None` if they are damaged, also if their steps don't grow.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Point>> {
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let mut points = Vec::with_capacity(rest.len() / 10);
    let (mut step, mut at) = (0_u64, 0_i64);
    while !rest.is_empty() {
        let by = take(&mut rest)?;
        if by == 0 && !points.is_empty() {
            return None;
        }
        step = step.checked_add(by)?;
        let past = take(&mut rest)?;
        at = at.wrapping_add((past >> 1).cast_signed() ^ -(past & 1).cast_signed());
        let (value, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        points.push(Point { step, at: Time(at), value: f64::from_bits(u64::from_le_bytes(*value)) });
    }
    Some(points)
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
