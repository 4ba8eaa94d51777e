//! The scalars of an event: the few fields of the messages `Event`, `Summary` and `TensorProto` that hold them.

/// A number of a summary, with its tag.
pub(super) type Scalar = (String, f64);

/// An event of an event file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Event {
    pub(super) step: i64,
    /// In seconds since 1970.
    pub(super) time: Option<f64>,
    pub(super) scalars: Vec<Scalar>,
}

/// A field of a message.
#[derive(Clone, Copy)]
enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Why bytes are not a message.
type Broken = &'static str;

/// Reads the scalars of an event.
///
/// # Errors
/// The rest of a sentence, if it is not an event.
pub(super) fn event(data: &[u8]) -> Result<Event, Broken> {
    let mut event = Event::default();
    each(data, &mut |number, field| {
        match (number, field) {
            (1, Field::Fixed64(time)) => event.time = Some(f64::from_le_bytes(time)),
            (2, Field::Varint(step)) => event.step = step.cast_signed(),
            (5, Field::Bytes(summary)) => each(summary, &mut |number, field| {
                if let (1, Field::Bytes(value)) = (number, field) {
                    event.scalars.extend(scalar(value)?);
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(event)
}

/// Returns a value of a summary, if it is a scalar.
fn scalar(data: &[u8]) -> Result<Option<Scalar>, Broken> {
    let (mut tag, mut value, mut is_other) = (String::new(), None, false);
    each(data, &mut |number, field| {
        match (number, field) {
            (1, Field::Bytes(text)) => tag = String::from_utf8_lossy(text).into_owned(),
            (2, Field::Fixed32(simple)) => value = Some(f64::from(f32::from_le_bytes(simple))),
            (8, Field::Bytes(of)) => value = tensor(of)?.or(value),
            (9, Field::Bytes(metadata)) => is_other = is_of_other_plugin(metadata)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(value.filter(|_| !is_other && !tag.is_empty()).map(|value| (tag, value)))
}

/// Returns whether a value is for another plugin than that of scalars.
fn is_of_other_plugin(metadata: &[u8]) -> Result<bool, Broken> {
    let mut is_other = false;
    each(metadata, &mut |number, field| match (number, field) {
        (1, Field::Bytes(plugin)) => each(plugin, &mut |number, field| {
            if let (1, Field::Bytes(name)) = (number, field) {
                is_other = !name.is_empty() && name != b"scalars";
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    Ok(is_other)
}

/// Returns the number of a tensor that holds one.
fn tensor(data: &[u8]) -> Result<Option<f64>, Broken> {
    let (mut kind, mut content, mut values) = (0, None, None);
    each(data, &mut |number, field| {
        match (number, field) {
            (1, Field::Varint(of)) => kind = of,
            (4, Field::Bytes(bytes)) => content = Some(bytes).filter(|it| !it.is_empty()),
            (5 | 6 | 7 | 10 | 13, field) => values = Some(field),
            _ => {}
        }
        Ok(())
    })?;
    Ok(match content {
        Some(bytes) => packed(kind, bytes),
        None => values.and_then(|field| listed(kind, field)),
    })
}

/// The types of tensors that are numbers.
mod kind {
    pub(super) const FLOAT: u64 = 1;
    pub(super) const DOUBLE: u64 = 2;
    pub(super) const INT32: u64 = 3;
    pub(super) const INT64: u64 = 9;
    pub(super) const BFLOAT16: u64 = 14;
    pub(super) const HALF: u64 = 19;
}

/// Returns the number in the content of a tensor, if that is all it holds.
#[allow(clippy::cast_precision_loss)]
fn packed(of: u64, bytes: &[u8]) -> Option<f64> {
    match of {
        kind::FLOAT => Some(f32::from_le_bytes(bytes.try_into().ok()?).into()),
        kind::DOUBLE => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
        kind::INT32 => Some(i32::from_le_bytes(bytes.try_into().ok()?).into()),
        kind::INT64 => Some(i64::from_le_bytes(bytes.try_into().ok()?) as f64),
        kind::BFLOAT16 => Some(bfloat(u16::from_le_bytes(bytes.try_into().ok()?))),
        kind::HALF => Some(half(u16::from_le_bytes(bytes.try_into().ok()?))),
        _ => None,
    }
}

/// Returns the number in a list of values of a tensor, if it is the only one: as a field, or in a packed list.
#[allow(clippy::cast_precision_loss)]
fn listed(of: u64, field: Field<'_>) -> Option<f64> {
    match (of, field) {
        (kind::FLOAT, Field::Fixed32(bytes)) => packed(of, &bytes),
        (kind::DOUBLE, Field::Fixed64(bytes)) => packed(of, &bytes),
        (kind::FLOAT | kind::DOUBLE, Field::Bytes(bytes)) => packed(of, bytes),
        (_, Field::Varint(value)) => whole(of, value),
        (_, Field::Bytes(mut bytes)) => {
            let value = varint(&mut bytes).ok().filter(|_| bytes.is_empty())?;
            whole(of, value)
        }
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss)]
fn whole(of: u64, value: u64) -> Option<f64> {
    match of {
        kind::INT32 | kind::INT64 => Some(value.cast_signed() as f64),
        kind::BFLOAT16 => Some(bfloat(u16::try_from(value).ok()?)),
        kind::HALF => Some(half(u16::try_from(value).ok()?)),
        _ => None,
    }
}

/// Converts a number of 16 bits with the exponent of 32 bits.
fn bfloat(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

/// Converts an IEEE 754 number of 16 bits.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// Calls `visit` with each field of a message, and its number.
fn each<'a>(
    mut data: &'a [u8],
    visit: &mut dyn FnMut(u64, Field<'a>) -> Result<(), Broken>,
) -> Result<(), Broken> {
    const ENDS: Broken = "ends within a field";
    while !data.is_empty() {
        let key = varint(&mut data)?;
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut data)?),
            1 => {
                let (bytes, rest) = data.split_first_chunk().ok_or(ENDS)?;
                data = rest;
                Field::Fixed64(*bytes)
            }
            2 => {
                let length = usize::try_from(varint(&mut data)?).map_err(|_| ENDS)?;
                let (bytes, rest) = data.split_at_checked(length).ok_or(ENDS)?;
                data = rest;
                Field::Bytes(bytes)
            }
            5 => {
                let (bytes, rest) = data.split_first_chunk().ok_or(ENDS)?;
                data = rest;
                Field::Fixed32(*bytes)
            }
            _ => return Err("has a field of an unknown kind"),
        };
        visit(key >> 3, field)?;
    }
    Ok(())
}

/// Takes a number of variable length from the beginning of `data`.
fn varint(data: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = data.split_first().ok_or("ends within a number")?;
        *data = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("has a number that does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_sixteen_bits_are_converted() {
        assert_eq!((half(0x3c00), half(0xc000), half(0x0001)), (1.0, -2.0, 2f64.powi(-24)));
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
        assert_eq!(bfloat(0x3fc0), 1.5);
    }

    #[test]
    fn bytes_that_are_no_event_are_refused_and_never_read_beyond() {
        for bytes in [&[0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0x0b], &[0x80; 12], &[0x09, 1], &[0x12, 5]]
        {
            assert!(event(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(event(&[]), Ok(Event::default()));
    }

    #[test]
    fn tensors_with_one_number_are_scalars() {
        let float = |tail: &[u8]| tensor(&[&[0x08, 1][..], tail].concat()).unwrap();
        assert_eq!(float(&[0x22, 4, 0, 0, 0x80, 0x3f]), Some(1.0));
        assert_eq!(float(&[0x2a, 4, 0, 0, 0x80, 0x3f]), Some(1.0));
        assert_eq!(float(&[0x2d, 0, 0, 0x80, 0x3f]), Some(1.0));
        assert_eq!(float(&[0x22, 8, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f]), None, "two numbers");
        assert_eq!(tensor(&[0x08, 9, 0x52, 1, 7]), Ok(Some(7.0)));
        assert_eq!(tensor(&[0x08, 7, 0x42, 2, b'h', b'i']), Ok(None), "a text");
    }
}
