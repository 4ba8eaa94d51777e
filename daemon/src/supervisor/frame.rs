//! Frames, which the supervisor and its clients exchange, and the format of records on disk.
//!
//! A frame is a length (u32, of what follows), a kind (u8) and fields. Numbers are little endian; bytes have a length (u32)
//! before them. The first frames of both sides are greetings with [`VERSION`]; greetings and `Shutdown` never change, so
//! that any two versions can end their connection in order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The version of the frames, except greetings.
pub(crate) const VERSION: u16 = 1;

/// The longest frame, length field excluded. The system takes no larger arguments and environment anyway.
pub(crate) const MAX: usize = 4 << 20;

/// A malformed frame: its sender is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Builds one frame.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Returns a frame of this kind.
    pub(crate) fn new(kind: u8) -> Self {
        Self { bytes: vec![0, 0, 0, 0, kind] }
    }
    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }
    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }
    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }
    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }
    pub(crate) fn i32(&mut self, value: i32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }
    pub(crate) fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }
    /// Adds sixteen bytes.
    pub(crate) fn id(&mut self, value: &[u8; 16]) -> &mut Self {
        self.bytes.extend(value);
        self
    }
    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        // A longer field makes a frame over `MAX`, which `finish` refuses.
        self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.bytes.extend(value);
        self
    }
    pub(crate) fn os(&mut self, value: impl AsRef<OsStr>) -> &mut Self {
        self.bytes(value.as_ref().as_bytes())
    }
    /// Adds the number of fields that follow.
    pub(crate) fn count(&mut self, count: usize) -> &mut Self {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX))
    }
    /// Returns the whole frame; `None` if it is longer than [`MAX`].
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        let length = self.bytes.len() - 4;
        if length > MAX {
            return None;
        }
        let length = u32::try_from(length).ok()?;
        self.bytes[..4].copy_from_slice(&length.to_le_bytes());
        Some(self.bytes)
    }
}

/// Reads the fields of one frame.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Returns a frame without its length: its kind and its fields.
    pub(crate) fn new(body: &'a [u8]) -> Result<(u8, Self), Malformed> {
        let (kind, rest) = body.split_first().ok_or(Malformed)?;
        Ok((*kind, Self { rest }))
    }
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_le_bytes(self.array()?))
    }
    /// Returns a byte that is 0 or 1.
    pub(crate) fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_le_bytes(self.array()?))
    }
    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_le_bytes(self.array()?))
    }
    pub(crate) fn id(&mut self) -> Result<[u8; 16], Malformed> {
        self.array()
    }
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()? as usize;
        self.take(length)
    }
    pub(crate) fn os(&mut self) -> Result<OsString, Malformed> {
        Ok(OsString::from_vec(self.bytes()?.to_vec()))
    }
    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Malformed)
    }
    /// Reads a list of fields; no memory is reserved for a count that the sender claims.
    pub(crate) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.u32()?;
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(one(self)?);
        }
        Ok(all)
    }
    /// Returns whether nothing remains.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
    /// Checks that nothing remains.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Returns the first frame in `buffer`: its body, and how many bytes of the buffer it takes. `None` if it is not
/// complete yet.
pub(crate) fn first(buffer: &[u8]) -> Result<Option<(&[u8], usize)>, Malformed> {
    let Some((length, rest)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 || length > MAX {
        return Err(Malformed);
    }
    Ok(rest.get(..length).map(|body| (body, 4 + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_survive_encoding() {
        let mut writer = Writer::new(7);
        writer
            .u8(1)
            .u16(2)
            .u32(3)
            .u64(4)
            .i32(-5)
            .i64(-6)
            .id(&[9; 16])
            .os("ä")
            .count(2)
            .bytes(b"a")
            .bytes(b"");
        let frame = writer.finish().unwrap();
        let (body, used) = first(&frame).unwrap().unwrap();
        assert_eq!(used, frame.len());
        let (kind, mut reader) = Reader::new(body).unwrap();
        assert_eq!((kind, reader.bool(), reader.u16(), reader.u32()), (7, Ok(true), Ok(2), Ok(3)));
        assert_eq!((reader.u64(), reader.i32(), reader.i64()), (Ok(4), Ok(-5), Ok(-6)));
        assert_eq!((reader.id(), reader.text()), (Ok([9; 16]), Ok("ä".to_owned())));
        let list = reader.list(|one| one.bytes().map(<[u8]>::to_vec));
        assert_eq!(list, Ok(vec![b"a".to_vec(), Vec::new()]));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn an_incomplete_frame_is_waited_for() {
        let mut writer = Writer::new(1);
        writer.u32(5);
        let frame = writer.finish().unwrap();
        for length in 0..frame.len() {
            assert_eq!(first(&frame[..length]), Ok(None));
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        assert_eq!(first(&u32::MAX.to_le_bytes()), Err(Malformed));
        assert_eq!(first(&[0; 4]), Err(Malformed));
        let (_, mut reader) = Reader::new(&[1, 255, 255, 255, 255, b'x']).unwrap();
        assert_eq!(reader.bytes(), Err(Malformed));
        let (_, mut reader) = Reader::new(&[1, 255, 255, 255, 255]).unwrap();
        assert_eq!(reader.list(Reader::u8), Err(Malformed));
        let mut writer = Writer::new(1);
        writer.bytes(&vec![0; MAX]);
        assert!(writer.finish().is_none());
    }
}
